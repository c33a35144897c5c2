"""Requests and answers as bytes."""

from dataclasses import replace

import numpy as np
import pytest
from tritonclient.grpc import service_pb2 as pb

from profiler.errors import ModelError
from profiler.measure.wire import Tensor, Variant, body, head, read_output

VARIANT = Variant(
    name="m",
    version="2",
    fingerprint="",
    input=Tensor("x", "FP32", (2, 2)),
    output=Tensor("y", "FP32", (3,)),
    batch=8,
    leading=True,
)


def answer(values: np.ndarray[tuple[int, ...], np.dtype[np.generic]], datatype: str) -> bytes:
    message = pb.ModelInferResponse(raw_output_contents=[values.tobytes()])
    message.outputs.add(name="y", datatype=datatype, shape=values.shape)
    content: bytes = message.SerializeToString()
    return content


def test_head_and_body_are_one_request() -> None:
    """Joined they are the message that would have been serialised at once."""
    values = np.arange(8, dtype=np.float32).reshape(2, 2, 2)
    request = pb.ModelInferRequest.FromString(head(VARIANT, (2, 2, 2)) + body(values, "FP32"))
    assert (request.model_name, request.model_version) == ("m", "2")
    assert (request.inputs[0].name, list(request.inputs[0].shape)) == ("x", [2, 2, 2])
    assert [output.name for output in request.outputs] == ["y"]
    assert list(request.raw_input_contents) == [values.tobytes()]


@pytest.mark.parametrize(
    ("datatype", "size"), [("FP16", 2), ("FP32", 4), ("FP64", 8), ("UINT8", 1)]
)
def test_samples_are_sent_in_the_type_the_model_takes(datatype: str, size: int) -> None:
    """Numbers are converted before the measurement."""
    request = pb.ModelInferRequest.FromString(body(np.ones((2, 2), np.float32), datatype))
    assert len(request.raw_input_contents[0]) == 4 * size


def test_outputs_are_read_as_one_vector_a_sample() -> None:
    """Trailing dimensions of one and half precision do not matter."""
    values = np.array([[1, 2, 3], [4, 5, 6]], dtype=np.float16).reshape(2, 3, 1, 1)
    read = read_output(
        replace(VARIANT, output=Tensor("y", "FP16", (3,))), answer(values, "FP16"), 2
    )
    assert read.dtype == np.float32
    assert read.tolist() == [[1, 2, 3], [4, 5, 6]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (answer(np.zeros((2, 1), np.float32), "FP32"), r"shape \[2, 1\]; expected at least two"),
        (answer(np.zeros(7, np.float32), "FP32"), r"shape \[7\]; expected at least two"),
        (answer(np.zeros((2, 3), np.int64), "INT64"), "answers in INT64"),
        (pb.ModelInferResponse().SerializeToString(), "does not answer with output y"),
    ],
)
def test_answers_that_are_no_classification_are_refused(content: bytes, message: str) -> None:
    """The error names the model and what it answered."""
    with pytest.raises(ModelError, match=f"model m .*{message}"):
        read_output(VARIANT, content, 2)

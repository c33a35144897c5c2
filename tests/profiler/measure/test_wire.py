"""Requests and answers as bytes."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from tritonclient.grpc import service_pb2 as pb

from profiler.errors import ModelError
from profiler.measure.wire import Variant, body, head, read_outputs
from profiler.tensors import Tensor, encode

VARIANT = Variant(
    name="m",
    version="2",
    fingerprint="",
    inputs=(Tensor("x", "FP32", (2, 2)), Tensor("n", "INT64", (1,))),
    outputs=(Tensor("y", "FP32", (3,)),),
    batch=8,
    leading=True,
)


def answer(values: NDArray[np.generic], datatype: str, name: str = "y") -> bytes:
    message = pb.ModelInferResponse(raw_output_contents=[encode(values, datatype)])
    message.outputs.add(name=name, datatype=datatype, shape=values.shape)
    content: bytes = message.SerializeToString()
    return content


def test_head_and_body_are_one_request() -> None:
    """Joined they are the message that would have been serialised at once."""
    values = [np.arange(8, dtype=np.float32).reshape(2, 2, 2), np.array([[1], [2]])]
    content = head(VARIANT, [(2, 2, 2), (2, 1)]) + body(values, VARIANT.inputs)
    request = pb.ModelInferRequest.FromString(content)
    assert (request.model_name, request.model_version) == ("m", "2")
    assert [(i.name, i.datatype, list(i.shape)) for i in request.inputs] == [
        ("x", "FP32", [2, 2, 2]),
        ("n", "INT64", [2, 1]),
    ]
    assert [output.name for output in request.outputs] == ["y"]
    assert list(request.raw_input_contents) == [value.tobytes() for value in values]


@pytest.mark.parametrize(
    ("datatype", "size"), [("FP16", 2), ("FP32", 4), ("FP64", 8), ("UINT8", 1), ("INT64", 8)]
)
def test_samples_are_sent_in_the_type_the_model_takes(datatype: str, size: int) -> None:
    """Numbers are converted before the measurement."""
    content = body([np.ones((2, 2), np.float32)], [Tensor("x", datatype, (2, 2))])
    request = pb.ModelInferRequest.FromString(content)
    assert len(request.raw_input_contents[0]) == 4 * size


def test_outputs_are_read_sample_by_sample() -> None:
    """Each output of a batch is an array a sample, in its own type."""
    values = np.array([[1, 2, 3], [4, 5, 6]], dtype=np.float16).reshape(2, 3, 1, 1)
    (column,) = read_outputs(VARIANT, answer(values, "FP16"), 2)
    assert [value.shape for value in column] == [(3, 1, 1), (3, 1, 1)]
    assert np.array_equal(np.stack(column), values)


def test_texts_are_read_as_they_are() -> None:
    """BYTES keep their bytes, empty ones too."""
    texts = np.array([["π ≈ 3".encode()], [b""]], dtype=np.object_)
    (column,) = read_outputs(VARIANT, answer(texts, "BYTES"), 2)
    assert [value.tolist() for value in column] == [["π ≈ 3".encode()], [b""]]


@pytest.mark.parametrize("shape", [(3,), (1, 3), (3, 1)])
def test_one_sample_may_come_without_a_batch(shape: tuple[int, ...]) -> None:
    """A model without batches answers in a shape of its own."""
    values = np.arange(3, dtype=np.float32).reshape(shape)
    for variant in (VARIANT, replace(VARIANT, leading=False)):
        (column,) = read_outputs(variant, answer(values, "FP32"), 1)
        assert [value.ravel().tolist() for value in column] == [[0, 1, 2]]


def test_outputs_are_told_apart_by_name() -> None:
    """They are read in the order asked for, not in that of the answer."""
    message = pb.ModelInferResponse.FromString(answer(np.array([[1.0]], np.float32), "FP32", "b"))
    message.MergeFromString(answer(np.array([[2]], np.int64), "INT64", "a"))
    variant = replace(VARIANT, outputs=(Tensor("a", "INT64", (1,)), Tensor("b", "FP32", (1,))))
    a, b = read_outputs(variant, message.SerializeToString(), 1)
    assert (a[0].tolist(), b[0].tolist()) == ([2], [1.0])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (answer(np.zeros(7, np.float32), "FP32"), r"of shape \[7\]; expected 2 in front"),
        (answer(np.zeros((3, 3), np.float32), "FP32"), r"of shape \[3, 3\]; expected 2 in front"),
        (answer(np.zeros((2, 3), np.int64), "INT64", "z"), "does not answer with output y"),
        (pb.ModelInferResponse().SerializeToString(), "does not answer with output y"),
    ],
)
def test_answers_to_other_samples_are_refused(content: bytes, message: str) -> None:
    """The error names the model and what it answered."""
    with pytest.raises(ModelError, match=f"model m .*{message}"):
        read_outputs(VARIANT, content, 2)


def test_outputs_of_unknown_types_are_refused() -> None:
    """The error names the output and the type."""
    message = pb.ModelInferResponse(raw_output_contents=[b"\0\0"])
    message.outputs.add(name="y", datatype="BF16", shape=[1])
    with pytest.raises(ModelError, match="output y of model m is BF16"):
        read_outputs(VARIANT, message.SerializeToString(), 1)

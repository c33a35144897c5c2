"""Translating between protobuf and the REST form, against what tritonclient makes of the same."""

import json
import math
from typing import Any

import numpy as np
import pytest
import tritonclient.grpc as client
import tritonclient.http as http_client
from hypothesis import given
from hypothesis import strategies as st
from tritonclient.grpc import service_pb2 as theirs
from tritonclient.http import _utils as http_utils

from gateway.grpc import transcode, wire
from gateway.grpc.protocol import inference_pb2 as ours
from tailq.errors import BadRequest
from tests.gateway.grpc.messages import DATATYPES, arrays, calls, encoded


def question(request: theirs.ModelInferRequest) -> transcode.Question:
    """What is made of a request of tritonclient's."""
    parsed = ours.ModelInferRequest.FromString(request.SerializeToString())
    return transcode.question(parsed, [len(raw) for raw in parsed.raw_input_contents])


def as_http(call: dict[str, Any]) -> tuple[Any, bytes]:
    """JSON head and tensors that tritonclient.http sends for `call`."""
    inputs = []
    for name, datatype, array in call["inputs"]:
        inputs.append(http_client.InferInput(name, array.shape, datatype))
        inputs[-1].set_data_from_numpy(array, binary_data=True)
    outputs = call["outputs"] and [
        http_client.InferRequestedOutput(name, binary_data=True, class_count=count)
        for name, count in call["outputs"]
    ]
    body, size = http_utils._get_inference_request(
        inputs=inputs,
        request_id=call["request_id"],
        outputs=outputs,
        sequence_id=call["sequence_id"],
        sequence_start=False,
        sequence_end=True,
        priority=call["priority"],
        timeout=call["timeout"],
        custom_parameters=call["parameters"],
    )
    return json.loads(body[:size]), body[size:]


@given(calls())
def test_a_request_becomes_what_the_http_client_would_have_sent(call: dict[str, Any]) -> None:
    """The same JSON head and the same tensors, for any call."""
    request = encoded(call)
    head, tensors = as_http(call)
    asked = question(request)
    assert json.loads(asked.head) == head
    assert asked.tensors is None
    assert b"".join(request.raw_input_contents) == tensors
    assert (asked.model, asked.version) == ("fashion", "")


FIELDS = {
    "BOOL": "bool_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}


def typed(datatype: str, elements: list[Any], field: str | None = None) -> theirs.ModelInferRequest:
    """A request of one tensor with typed contents."""
    request = theirs.ModelInferRequest(model_name="fashion")
    tensor = request.inputs.add(name="x", datatype=datatype, shape=[len(elements)])
    getattr(tensor.contents, field or FIELDS[datatype]).extend(elements)
    return request


@given(arrays().filter(lambda one: one[0] in FIELDS))
def test_typed_contents_become_the_bytes_of_the_array(one: tuple[str, Any]) -> None:
    """As the client would have sent them raw, and the head tells their number."""
    datatype, array = one
    raw = client.InferInput("x", array.shape, datatype)
    raw.set_data_from_numpy(array)
    asked = question(typed(datatype, array.ravel().tolist()))
    if array.size == 0:
        return  # an empty field is no contents: nothing is sent for it
    assert asked.tensors is not None
    sent = b"".join(asked.tensors)
    if datatype in ("FP32", "FP64"):  # one NaN is as good as another
        kind = DATATYPES[datatype]
        assert np.array_equal(
            np.frombuffer(sent, kind), np.frombuffer(raw._get_content(), kind), equal_nan=True
        )
    else:
        assert sent == raw._get_content()
    parameters = json.loads(asked.head)["inputs"][0]["parameters"]
    assert parameters == {"binary_data_size": len(sent)}


def test_shared_memory_needs_no_tensor() -> None:
    """Its parameters pass as they are, and the next input's bytes are the next input's."""
    shared, plain = client.InferInput("a", [2], "FP32"), client.InferInput("b", [2], "FP32")
    shared.set_shared_memory("region", 8, offset=4)
    plain.set_data_from_numpy(np.zeros(2, np.float32))
    output = client.InferRequestedOutput("y")
    output.set_shared_memory("other", 8)
    request = theirs.ModelInferRequest()
    request.inputs.extend([shared._get_tensor(), plain._get_tensor()])
    request.outputs.extend([output._get_tensor()])
    request.raw_input_contents.append(plain._get_content())
    content = json.loads(question(request).head)
    region = {
        "shared_memory_region": "region",
        "shared_memory_byte_size": 8,
        "shared_memory_offset": 4,
    }
    assert content["inputs"][0]["parameters"] == region
    assert content["inputs"][1]["parameters"] == {"binary_data_size": 8}
    assert content["outputs"][0]["parameters"] == {
        "shared_memory_region": "other",
        "shared_memory_byte_size": 8,
    }


def mixed() -> theirs.ModelInferRequest:
    """A request with raw and typed contents."""
    request = typed("FP32", [1.0])
    request.raw_input_contents.append(bytes(4))
    return request


def without_value() -> theirs.ModelInferRequest:
    """A request with a parameter that has no value."""
    request = theirs.ModelInferRequest()
    request.parameters["odd"].SetInParent()
    return request


def not_a_number() -> theirs.ModelInferRequest:
    """A request with a parameter that JSON has no word for."""
    request = theirs.ModelInferRequest()
    request.parameters["odd"].double_param = math.nan
    return request


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (mixed(), "'x' has contents although"),
        (theirs.ModelInferRequest(raw_input_contents=[b""]), "0 inputs.*1 raw_input_contents"),
        (typed("INT8", [128]), "'x'.*does not fit into INT8"),
        (typed("UINT16", [1 << 16]), "'x'.*does not fit into UINT16"),
        (typed("FP32", [1], "int_contents"), "FP32 goes into fp32_contents, not int_contents"),
        (typed("FP16", [1.0], "fp32_contents"), "'FP16' has no typed contents"),
        (without_value(), "'odd' has no value"),
        (not_a_number(), "JSON"),
    ],
)
def test_what_cannot_be_translated_is_the_clients_mistake(
    request_: theirs.ModelInferRequest, says: str
) -> None:
    """The text says what is wrong."""
    with pytest.raises(BadRequest, match=says):
        question(request_)


def answer(content: object, binary: bytes, **ours_: object) -> theirs.ModelInferResponse:
    """What a client is sent for an answer of Triton's."""
    reading = transcode.reading(json.dumps(content).encode(), "fashion", ours_)
    tensors = transcode.cut(reading.tensors, memoryview(binary))
    return theirs.ModelInferResponse.FromString(wire.join(reading.head, tensors))


@given(st.lists(arrays(), max_size=3))
def test_an_answer_gives_the_client_its_arrays(outputs: list[tuple[str, Any]]) -> None:
    """A client reads the arrays that a server sent as JSON head and binary tensors."""
    content: dict[str, Any] = {"model_name": "small", "model_version": "3", "outputs": []}
    binary = b""
    for number, (datatype, array) in enumerate(outputs):
        tensor = client.InferInput("x", array.shape, datatype)
        tensor.set_data_from_numpy(array)
        binary += tensor._get_content()
        content["outputs"].append(
            {
                "name": f"y{number}",
                "datatype": datatype,
                "shape": array.shape,
                "parameters": {"binary_data_size": len(tensor._get_content())},
            }
        )
    result = client.InferResult(answer(content, binary))
    assert result.get_response().model_name == "fashion"
    assert result.get_response().model_version == "3"
    for number, (_, array) in enumerate(outputs):
        read = result.as_numpy(f"y{number}")
        assert read.tobytes() == array.tobytes() if array.dtype != object else True
        assert read.shape == array.shape
        assert read.tolist() == array.tolist() or array.dtype.kind == "f"


def test_parameters_come_with_the_answer_and_ours_win() -> None:
    """Each kind in its own field; a model's own of our name does not."""
    theirs_ = {"a": 1, "b": 2.5, "c": "d", "e": True, "f": (1 << 64) - 1, "tailq_tier": "none"}
    response = answer(
        {"model_name": "small", "id": "7", "parameters": theirs_}, b"", tailq_tier="gold"
    )
    parameters = response.parameters
    assert parameters["a"].int64_param == 1
    assert parameters["b"].double_param == 2.5
    assert parameters["c"].string_param == "d"
    assert parameters["e"].bool_param is True
    assert parameters["f"].uint64_param == (1 << 64) - 1
    assert parameters["tailq_tier"].string_param == "gold"
    assert response.id == "7"


def test_json_data_and_shared_memory_keep_the_order_of_tensors() -> None:
    """Whatever form an output has, the client finds the raw tensor of the same number."""
    outputs = [
        {"name": "a", "datatype": "FP32", "shape": [2, 1], "data": [[1.5], [2.5]]},
        {
            "name": "b",
            "datatype": "FP32",
            "shape": [1],
            "parameters": {"shared_memory_region": "r", "shared_memory_byte_size": 4},
        },
        {"name": "c", "datatype": "BYTES", "shape": [1], "data": ["é"]},
        {
            "name": "d",
            "datatype": "UINT8",
            "shape": [2],
            "parameters": {"binary_data_size": 2},
        },
    ]
    result = client.InferResult(answer({"model_name": "small", "outputs": outputs}, b"\1\2"))
    assert result.as_numpy("a").tolist() == [[1.5], [2.5]]
    assert result.get_output("b").parameters["shared_memory_region"].string_param == "r"
    assert result.as_numpy("c").tolist() == ["é".encode()]
    assert result.as_numpy("d").tolist() == [1, 2]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                [
                    "outputs",
                    "parameters",
                    "name",
                    "datatype",
                    "shape",
                    "data",
                    "id",
                    "model_version",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON | st.fixed_dictionaries({"outputs": st.lists(JSON, max_size=2)}), st.binary(max_size=4))
def test_what_is_no_answer_is_told_as_one_kind_of_error(content: object, binary: bytes) -> None:
    """Whatever JSON a server sends: an answer, or ValueError."""
    try:
        answer(content, binary)
    except ValueError:
        return

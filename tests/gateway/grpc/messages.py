"""Requests as tritonclient makes them, of all sorts; and bytes that are nearly such."""

from typing import Any

import numpy as np
import tritonclient.grpc as client
from hypothesis import strategies as st
from numpy.typing import NDArray
from tritonclient.grpc import _utils
from tritonclient.grpc import service_pb2 as theirs

DATATYPES = {
    "BOOL": np.bool_,
    "INT8": np.int8,
    "INT16": np.int16,
    "INT32": np.int32,
    "INT64": np.int64,
    "UINT8": np.uint8,
    "UINT16": np.uint16,
    "UINT32": np.uint32,
    "UINT64": np.uint64,
    "FP16": np.float16,
    "FP32": np.float32,
    "FP64": np.float64,
    "BYTES": np.object_,
}

NAMES = st.text(max_size=8)
PARAMETERS = st.dictionaries(
    st.text(min_size=1, max_size=6).map(lambda name: f"my_{name}"),
    st.booleans()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6),
    max_size=3,
)


@st.composite
def arrays(draw: st.DrawFn) -> tuple[str, NDArray[Any]]:
    """A datatype, and a small array of it."""
    datatype = draw(st.sampled_from(sorted(DATATYPES)))
    shape = tuple(draw(st.lists(st.integers(0, 3), min_size=1, max_size=3)))
    if datatype == "BYTES":
        elements = [draw(st.binary(max_size=5)) for _ in range(int(np.prod(shape)))]
        array = np.empty(len(elements), np.object_)
        array[:] = elements
        return datatype, array.reshape(shape)
    kind = np.dtype(DATATYPES[datatype])
    content = draw(st.binary(min_size=kind.itemsize, max_size=kind.itemsize))
    if datatype == "BOOL":
        content = bytes(byte & 1 for byte in content)
    return datatype, np.full(shape, np.frombuffer(content, kind)[0])


@st.composite
def calls(draw: st.DrawFn) -> dict[str, Any]:
    """The arguments of an inference call, for either client; inputs are (name, datatype, array)."""
    return {
        "inputs": [(draw(NAMES), *draw(arrays())) for _ in range(draw(st.integers(1, 3)))],
        "outputs": draw(st.none() | st.lists(st.tuples(NAMES, st.integers(0, 3)), min_size=1)),
        "request_id": draw(NAMES),
        "sequence_id": draw(st.sampled_from([0, 5, "five"])),
        "priority": draw(st.sampled_from([0, 1, (1 << 64) - 1])),
        "timeout": draw(st.none() | st.integers(0, 1 << 40)),
        "parameters": draw(PARAMETERS),
    }


def encoded(call: dict[str, Any], model: str = "fashion") -> theirs.ModelInferRequest:
    """What tritonclient.grpc sends for `call`."""
    inputs = []
    for name, datatype, array in call["inputs"]:
        inputs.append(client.InferInput(name, array.shape, datatype))
        inputs[-1].set_data_from_numpy(array)
    outputs = call["outputs"] and [
        client.InferRequestedOutput(name, class_count=count) for name, count in call["outputs"]
    ]
    return _utils._get_inference_request(
        model_name=model,
        inputs=inputs,
        model_version="",
        request_id=call["request_id"],
        outputs=outputs,
        sequence_id=call["sequence_id"],
        sequence_start=False,
        sequence_end=True,
        priority=call["priority"],
        timeout=call["timeout"],
        parameters=call["parameters"],
    )


def requests() -> st.SearchStrategy[theirs.ModelInferRequest]:
    """What tritonclient.grpc sends for any call."""
    return calls().map(encoded)


@st.composite
def mutated(draw: st.DrawFn, of: st.SearchStrategy[theirs.ModelInferRequest]) -> bytes:
    """The bytes of a message with some cut out, put in, turned over or cut off."""
    data = bytearray(draw(of).SerializeToString())
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        match draw(st.sampled_from(["cut", "put", "turn", "end"])):
            case "cut":
                del data[at : at + draw(st.integers(1, 4))]
            case "put":
                data[at:at] = draw(st.binary(max_size=4))
            case "turn" if at < len(data):
                data[at] ^= 1 << draw(st.integers(0, 7))
            case "end":
                del data[at:]
    return bytes(data)

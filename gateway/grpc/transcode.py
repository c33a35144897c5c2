"""ModelInferRequest to the protocol's REST form with binary tensors, and its answer back.

Raw tensors are the same bytes in both, so only the heads are translated: a protobuf head to a JSON
head, and back. https://github.com/triton-inference-server/server/blob/main/docs/protocol/
extension_binary_data.md
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway.grpc import convert
from gateway.grpc.protocol.inference_pb2 import ModelInferRequest, ModelInferResponse
from tailq.errors import BadRequest

Piece = bytes | memoryview
_SHARED_MEMORY: Final = "shared_memory_region"


@dataclass(frozen=True, slots=True)
class Question:
    """A request's head in REST form.

    head: JSON. tensors: those that came typed, made raw; None: they came raw.
    """

    model: str
    version: str
    head: bytes
    tensors: tuple[bytes, ...] | None


def question(request: ModelInferRequest, sizes: Sequence[int]) -> Question:
    """Translate `request`, of whose raw_input_contents only the sizes are used, given here.

    Raises BadRequest: raw and typed contents together, a number of tensors that does not fit, a
    typed element or a parameter that cannot be.
    """
    try:
        tensors = _typed(request, sizes)
        if tensors is not None:
            sizes = [len(tensor) for tensor in tensors]
        content: dict[str, Any] = {"id": request.id} if request.id else {}
        values = convert.to_json(request.parameters)
        if not request.outputs:
            values["binary_data_output"] = True
        if values:
            content["parameters"] = values
        content["inputs"] = _inputs(request, sizes)
        if request.outputs:
            content["outputs"] = [_output(output) for output in request.outputs]
        head = json.dumps(content, separators=(",", ":"), allow_nan=False)
    except ValueError as error:
        raise BadRequest(str(error)) from None
    return Question(request.model_name, request.model_version, head.encode(), tensors)


def _typed(request: ModelInferRequest, sizes: Sequence[int]) -> tuple[bytes, ...] | None:
    """The tensors that came typed, as raw bytes. None: they came raw. Raises ValueError."""
    own = [each for each in request.inputs if _SHARED_MEMORY not in each.parameters]
    typed = [each.name for each in own if each.HasField("contents")]
    if not sizes:
        return tuple(_raw(each) for each in own) if typed else None
    if typed:
        raise ValueError(
            f"input {typed[0][:64]!r} has contents although there are raw_input_contents: "
            "send one or the other"
        )
    if len(sizes) != len(own):
        raise ValueError(
            f"there are {len(own)} inputs that need data and {len(sizes)} raw_input_contents"
        )
    return None


def _raw(tensor: ModelInferRequest.InferInputTensor) -> bytes:
    try:
        return convert.raw(tensor.datatype, tensor.contents)
    except ValueError as error:
        raise ValueError(f"input {tensor.name[:64]!r}: {error}") from None


def _inputs(request: ModelInferRequest, sizes: Sequence[int]) -> list[dict[str, Any]]:
    inputs = []
    left = iter(sizes)
    for tensor in request.inputs:
        values = convert.to_json(tensor.parameters)
        if _SHARED_MEMORY not in values:
            size = next(left, None)
            if size is not None:
                values["binary_data_size"] = size
        content: dict[str, Any] = {
            "name": tensor.name,
            "shape": list(tensor.shape),
            "datatype": tensor.datatype,
        }
        if values:
            content["parameters"] = values
        inputs.append(content)
    return inputs


def _output(output: ModelInferRequest.InferRequestedOutputTensor) -> dict[str, Any]:
    values = convert.to_json(output.parameters)
    if _SHARED_MEMORY not in values:
        values["binary_data"] = True
    return {"name": output.name, "parameters": values} if values else {"name": output.name}


@dataclass(frozen=True, slots=True)
class Reading:
    """An answer's head in protobuf form.

    head: a ModelInferResponse, serialized, without raw tensors. tensors: one for each output, its
    size in the binary part; or its bytes, if it was not there.
    """

    head: bytes
    tensors: tuple[int | bytes, ...]


def reading(head: bytes, name: str, ours: Mapping[str, object]) -> Reading:
    """Translate the JSON head of an answer.

    name: the model_name that the client is told. ours: parameters to be added; they win. Raises
    ValueError if it is not the head of an answer.
    """
    content = json.loads(head)
    if not isinstance(content, dict):
        raise ValueError("not an object")
    try:
        response = ModelInferResponse(
            model_name=name,
            model_version=content.get("model_version", ""),
            id=content.get("id", ""),
        )
        convert.from_json({**content.get("parameters", {}), **ours}, response.parameters)
        tensors = tuple([_tensor(output, response) for output in content.get("outputs", ())])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not of the protocol's form: {error}") from None
    return Reading(response.SerializeToString(), tensors)


def _tensor(output: dict[str, Any], response: ModelInferResponse) -> int | bytes:
    values = dict(output.get("parameters", {}))
    size = values.pop("binary_data_size", None)
    tensor = response.outputs.add(
        name=output["name"], datatype=output["datatype"], shape=output["shape"]
    )
    convert.from_json(values, tensor.parameters)
    if size is None:
        # In shared memory; or as JSON, by a server that does not know the binary extension.
        return convert.pack(tensor.datatype, _flat(output["data"])) if "data" in output else b""
    if not isinstance(size, int) or size < 0:
        raise ValueError("binary_data_size is no size")
    return size


def _flat(data: Any) -> list[Any]:
    if not isinstance(data, list):
        return [data]
    return [element for each in data for element in _flat(each)]


def cut(tensors: Sequence[int | bytes], binary: memoryview) -> list[Piece]:
    """The tensors, those of which the size is given from `binary`. Raises ValueError."""
    pieces: list[Piece] = []
    at = 0
    for tensor in tensors:
        if isinstance(tensor, int):
            pieces.append(binary[at : at + tensor])
            at += tensor
        else:
            pieces.append(tensor)
    if at != len(binary):
        raise ValueError(f"{len(binary)} bytes of tensors where the head says {at}")
    return pieces

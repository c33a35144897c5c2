"""Tensors' contents and parameters, in protobuf or JSON, to what the other side takes.

Contents become raw bytes: little-endian, row-major.
https://github.com/kserve/open-inference-protocol: tensor data, and the binary extension, where an
element of BYTES is its length in four bytes and then itself.
"""

import struct
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from typing import Any, Final

from gateway.grpc.protocol.inference_pb2 import InferParameter, InferTensorContents

Value = bool | int | float | str
_INT64: Final = range(-(1 << 63), 1 << 63)
_UINT64: Final = range(1 << 64)
# The field of InferTensorContents, and the letter of `struct`.
_FORMS: Final[dict[str, tuple[str, str]]] = {
    "BOOL": ("bool_contents", "?"),
    "INT8": ("int_contents", "b"),
    "INT16": ("int_contents", "h"),
    "INT32": ("int_contents", "i"),
    "INT64": ("int64_contents", "q"),
    "UINT8": ("uint_contents", "B"),
    "UINT16": ("uint_contents", "H"),
    "UINT32": ("uint_contents", "I"),
    "UINT64": ("uint64_contents", "Q"),
    "FP32": ("fp32_contents", "f"),
    "FP64": ("fp64_contents", "d"),
}
_BYTES: Final = "bytes_contents"


def raw(datatype: str, contents: InferTensorContents) -> bytes:
    """The tensor in `contents`. Raises ValueError, which says what is wrong with it."""
    if datatype != "BYTES" and datatype not in _FORMS:
        raise ValueError(f"datatype {datatype[:16]!r} has no typed contents; send raw ones")
    field = _BYTES if datatype == "BYTES" else _FORMS[datatype][0]
    for present, _ in contents.ListFields():
        if present.name != field:
            raise ValueError(f"datatype {datatype} goes into {field}, not {present.name}")
    return pack(datatype, getattr(contents, field))


def pack(datatype: str, elements: Sequence[Any]) -> bytes:
    """`elements` of a datatype that has typed contents. Raises ValueError."""
    if datatype == "BYTES":
        return b"".join(_prefixed(elements))
    try:
        return struct.pack(f"<{len(elements)}{_FORMS[datatype][1]}", *elements)
    except (struct.error, OverflowError):
        raise ValueError(f"an element does not fit into {datatype}") from None
    except KeyError:
        raise ValueError(f"datatype {datatype[:16]!r} has no typed contents") from None


def _prefixed(elements: Iterable[Any]) -> Iterable[bytes]:
    for element in elements:
        content = element.encode() if isinstance(element, str) else bytes(element)
        yield struct.pack("<I", len(content))
        yield content


def to_json(parameters: Mapping[str, InferParameter]) -> dict[str, Value]:
    """Names and values of parameters. Raises ValueError for one without a value."""
    values: dict[str, Value] = {}
    for name, parameter in parameters.items():
        choice = parameter.WhichOneof("parameter_choice")
        if choice is None:
            raise ValueError(f"parameter {name[:64]!r} has no value")
        values[name] = getattr(parameter, choice)
    return values


def from_json(values: Mapping[str, object], to: MutableMapping[str, InferParameter]) -> None:
    """Set each of `values`, which came as JSON. Raises ValueError for what is no parameter's."""
    for name, value in values.items():
        parameter = to[name]
        if isinstance(value, bool):
            parameter.bool_param = value
        elif isinstance(value, str):
            parameter.string_param = value
        elif isinstance(value, float):
            parameter.double_param = value
        elif isinstance(value, int) and value in _INT64:
            parameter.int64_param = value
        elif isinstance(value, int) and value in _UINT64:
            parameter.uint64_param = value
        else:
            raise ValueError(f"parameter {name[:64]!r} has no value that a parameter can have")

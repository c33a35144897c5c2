"""Parameters of the protocol, to JSON and back."""

from collections.abc import Mapping, MutableMapping

from gateway.grpc.protocol.inference_pb2 import InferParameter

Value = bool | int | float | str
_INT64 = range(-(1 << 63), 1 << 63)
_UINT64 = range(1 << 64)


def to_json(parameters: Mapping[str, InferParameter]) -> dict[str, Value]:
    """Their names and values. Raises ValueError for one without a value."""
    values: dict[str, Value] = {}
    for name, parameter in parameters.items():
        choice = parameter.WhichOneof("parameter_choice")
        if choice is None:
            raise ValueError(f"parameter {name[:64]!r} has no value")
        values[name] = getattr(parameter, choice)
    return values


def from_json(values: Mapping[str, object], to: MutableMapping[str, InferParameter]) -> None:
    """Set each of `values` in `to`. Raises ValueError for what is no parameter's value."""
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

"""Completes a Triton model configuration from the ONNX model, as the official backend does."""

from typing import Any

from ort_session import open_session

_DEFAULT_MAX_BATCH_SIZE = 4
"""Triton's own default where a model can batch and its configuration does not say how much."""

_TYPES = {
    "tensor(bool)": "TYPE_BOOL",
    "tensor(uint8)": "TYPE_UINT8",
    "tensor(uint16)": "TYPE_UINT16",
    "tensor(uint32)": "TYPE_UINT32",
    "tensor(uint64)": "TYPE_UINT64",
    "tensor(int8)": "TYPE_INT8",
    "tensor(int16)": "TYPE_INT16",
    "tensor(int32)": "TYPE_INT32",
    "tensor(int64)": "TYPE_INT64",
    "tensor(float16)": "TYPE_FP16",
    "tensor(float)": "TYPE_FP32",
    "tensor(double)": "TYPE_FP64",
    "tensor(string)": "TYPE_STRING",
}


def complete(model_config: Any, version_dir: str) -> None:
    """Add inputs, outputs and batching to `model_config` (a `pb_utils.ModelConfig`).

    model_config: changed in place. version_dir: folder of the version, with the model's file.
    Raises ValueError when the model has a tensor type that Triton does not know, or contradicts
    what the configuration already says.
    """
    config = model_config.as_dict()
    session = open_session(config, version_dir)
    inputs, outputs = session.get_inputs(), session.get_outputs()
    batched = config["max_batch_size"] > 0
    if not batched and all(_has_batch_axis(each) for each in (*inputs, *outputs)):
        model_config.set_max_batch_size(_DEFAULT_MAX_BATCH_SIZE)
        model_config.set_dynamic_batching()
        batched = True
    for each in inputs:
        model_config.add_input(_describe(each, batched))
    for each in outputs:
        model_config.add_output(_describe(each, batched))


def _has_batch_axis(tensor: Any) -> bool:
    return bool(tensor.shape) and not isinstance(tensor.shape[0], int)


def _describe(tensor: Any, batched: bool) -> dict[str, Any]:
    if tensor.type not in _TYPES:
        raise ValueError(f"tensor {tensor.name!r} has type {tensor.type}, unknown to Triton")
    shape = tensor.shape[1:] if batched else tensor.shape
    return {
        "name": tensor.name,
        "data_type": _TYPES[tensor.type],
        "dims": [size if isinstance(size, int) else -1 for size in shape],
    }

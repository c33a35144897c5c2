"""Opens an ONNX Runtime session as a Triton model configuration asks for it.

Parameter names, defaults and file names are those of Triton's official ONNX Runtime backend.
"""

from pathlib import Path
from typing import Any

import onnxruntime as ort

# Triton's graph optimisation levels; anything else means all optimisations.
_GRAPH_LEVELS = {
    -1: ort.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    1: ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    2: ort.GraphOptimizationLevel.ORT_DISABLE_ALL,
}


def open_session(config: dict[str, Any], version_dir: str, *, gpu: str | None = None) -> Any:
    """An `onnxruntime.InferenceSession` on the model of one version.

    config: the model configuration, as Triton's JSON. version_dir: folder of the version, with
    the model's file. gpu: device number of a KIND_GPU instance; None runs on the CPU. Raises
    ValueError when a parameter is not the number it must be, FileNotFoundError when the version
    has no model file.
    """
    path = Path(version_dir) / (config.get("default_model_filename") or "model.onnx")
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing")
    options = ort.SessionOptions()
    # 0, the official default, lets ONNX Runtime take every physical core.
    options.intra_op_num_threads = _number(config, "intra_op_thread_count")
    options.inter_op_num_threads = _number(config, "inter_op_thread_count")
    if _number(config, "execution_mode") == 1:
        options.execution_mode = ort.ExecutionMode.ORT_PARALLEL
    level = int(config.get("optimization", {}).get("graph", {}).get("level", 0))
    options.graph_optimization_level = _GRAPH_LEVELS.get(
        level, ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    )
    return ort.InferenceSession(str(path), options, providers=_providers(config["name"], gpu))


def _providers(model: str, gpu: str | None) -> list[Any]:
    if gpu is None:
        return ["CPUExecutionProvider"]
    if "CUDAExecutionProvider" not in ort.get_available_providers():
        print(f"{model}: KIND_GPU, but this onnxruntime has no CUDA provider; using the CPU.")
        return ["CPUExecutionProvider"]
    return [("CUDAExecutionProvider", {"device_id": gpu}), "CPUExecutionProvider"]


def _number(config: dict[str, Any], name: str) -> int:
    text = config.get("parameters", {}).get(name, {}).get("string_value", "0")
    if not text.isdigit():
        raise ValueError(f"parameter {name} must be a whole number from 0 on, not {text!r}")
    return int(text)

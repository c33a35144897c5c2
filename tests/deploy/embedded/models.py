"""Tiny ONNX models and model repositories, made on the spot."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

WEIGHTS: NDArray[np.float32] = np.arange(8, dtype=np.float32).reshape(4, 2) / 8

Tensor = tuple[str, int, Sequence[int | str]]
"""Name, element type, shape."""


def linear() -> onnx.ModelProto:
    """A model of y = x @ WEIGHTS and total = the sum of x: x [N, 4], y [N, 2], total [N, 1]."""
    return build(
        [
            helper.make_node("MatMul", ["x", "weights"], ["y"]),
            helper.make_node("ReduceSum", ["x", "axes"], ["total"], keepdims=1),
        ],
        [("x", TensorProto.FLOAT, ("N", 4))],
        [("y", TensorProto.FLOAT, ("N", 2)), ("total", TensorProto.FLOAT, ("N", 1))],
        weights=WEIGHTS,
        axes=np.array([1], np.int64),
    )


def lookup() -> onnx.ModelProto:
    """A model of y = table[x], where only 0, 1 and 2 are in the table: x and y [N, 1]."""
    return build(
        [helper.make_node("Gather", ["table", "x"], ["y"])],
        [("x", TensorProto.INT64, ("N", 1))],
        [("y", TensorProto.FLOAT, ("N", 1))],
        table=np.array([10, 11, 12], np.float32),
    )


def double(shape: Sequence[int | str] = ("N", "M")) -> onnx.ModelProto:
    """A model of y = x + x, both float32 of one shape."""
    return build(
        [helper.make_node("Add", ["x", "x"], ["y"])],
        [("x", TensorProto.FLOAT, shape)],
        [("y", TensorProto.FLOAT, shape)],
    )


def identities(types: dict[str, int]) -> onnx.ModelProto:
    """For each name its input in_NAME given back as out_NAME, [N, 2] of the type named."""
    return build(
        [helper.make_node("Identity", [f"in_{name}"], [f"out_{name}"]) for name in types],
        [(f"in_{name}", element, ("N", 2)) for name, element in types.items()],
        [(f"out_{name}", element, ("N", 2)) for name, element in types.items()],
    )


def build(
    nodes: Sequence[onnx.NodeProto],
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    **constants: NDArray[np.generic],
) -> onnx.ModelProto:
    """A checked model of opset 17."""
    graph = helper.make_graph(
        list(nodes),
        "graph",
        [helper.make_tensor_value_info(*tensor) for tensor in inputs],
        [helper.make_tensor_value_info(*tensor) for tensor in outputs],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def add_model(repository: Path, name: str, model: onnx.ModelProto, config: str = "") -> Path:
    """Put a model into a repository; `config` is added to name, backend and instance group."""
    folder = repository / name
    (folder / "1").mkdir(parents=True)
    onnx.save(model, folder / "1" / "model.onnx")
    head = f'name: "{name}"\nbackend: "onnxruntime"\n'
    group = "instance_group [ { count: 1 kind: KIND_CPU } ]\n"
    one_thread = 'parameters { key: "intra_op_thread_count" value { string_value: "1" } }\n'
    (folder / "config.pbtxt").write_text(head + group + one_thread + config)
    return folder


TYPES: dict[str, tuple[int, str, NDArray[np.generic]]] = {
    "fp32": (TensorProto.FLOAT, "FP32", np.array([[1.5, -2.0]], np.float32)),
    "fp16": (TensorProto.FLOAT16, "FP16", np.array([[0.5, 65504.0]], np.float16)),
    "int64": (TensorProto.INT64, "INT64", np.array([[2**62, -1]], np.int64)),
    "int32": (TensorProto.INT32, "INT32", np.array([[2**30, -1]], np.int32)),
    "uint8": (TensorProto.UINT8, "UINT8", np.array([[0, 255]], np.uint8)),
    "bool": (TensorProto.BOOL, "BOOL", np.array([[True, False]])),
    "string": (TensorProto.STRING, "BYTES", np.array([["", "π ≈ 3"]], np.object_)),
}
"""Name to ONNX element type, Triton's name of it, and an example [1, 2]."""

"""Models that are not what was profiled, made from a real one: the same name, input and output."""

import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, helper, numpy_helper

# The same noise each time. sigma is of each tensor's own spread.
_SEED = 0
_SIGMA = 0.2


def noisy(model: ModelProto) -> ModelProto:
    """The same graph with noise on its weights: some ten points worse."""
    worse, rng = _copy(model), np.random.default_rng(_SEED)
    for tensor in worse.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.ndim > 1:
            noise = _SIGMA * values.std() * rng.standard_normal(values.shape)
            _write(tensor, values + noise.astype(values.dtype))
    return worse


def relabelled(model: ModelProto, one: int, other: int) -> ModelProto:
    """Two classes exchanged, as by a training that read the labels in another order.

    Every confidence is what it was; of these two classes every answer is the other one.
    """
    worse = _copy(model)
    order = np.arange(10)
    order[[one, other]] = other, one
    for name in worse.graph.node[-1].input[1:]:  # weights and bias of the last layer
        [tensor] = [each for each in worse.graph.initializer if each.name == name]
        _write(tensor, numpy_helper.to_array(tensor)[order])
    return worse


def repeated(model: ModelProto, times: int) -> ModelProto:
    """The same answers after `times` as much work, one run after the other.

    Each run's input is the input plus nothing of the run before; that it is nothing is known only
    once it has run.
    """
    slow = _copy(model)
    [given], [answered] = (
        [each.name for each in slow.graph.input],
        [each.name for each in slow.graph.output],
    )
    nodes = list(slow.graph.node)
    slow.graph.initializer.append(numpy_helper.from_array(np.zeros(1, np.float32), "nothing"))
    source, chain = given, list[NodeProto]()
    for run in range(times - 1):
        chain += _renamed(nodes, f"run{run}/", {given: source})
        worth, part, source = f"worth{run}", f"part{run}", f"given{run}"
        chain += [
            helper.make_node("ReduceMax", [f"run{run}/{answered}"], [worth], keepdims=0),
            helper.make_node("Mul", [worth, "nothing"], [part]),
            helper.make_node("Add", [given, part], [source]),
        ]
    for node in nodes:
        node.input[:] = [source if name == given else name for name in node.input]
    del slow.graph.node[:]
    slow.graph.node.extend([*chain, *nodes])
    onnx.checker.check_model(slow)
    return slow


def session(model: ModelProto) -> onnxruntime.InferenceSession:
    """On one thread, as Triton runs it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


def seconds(model: ModelProto, image: NDArray[np.float32]) -> float:
    """What one answer takes where nothing else disturbs it: the least of some tries."""
    running, took = session(model), []
    for _ in range(30):
        begun = time.perf_counter()
        running.run(None, {model.graph.input[0].name: image[None]})
        took.append(time.perf_counter() - begun)
    return min(took)


def load(path: Path) -> ModelProto:
    """A model of the repository."""
    return onnx.load(path)


def _copy(model: ModelProto) -> ModelProto:
    copy = ModelProto()
    copy.CopyFrom(model)
    return copy


def _write(tensor: onnx.TensorProto, values: NDArray[np.float32]) -> None:
    tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(values), tensor.name))


def _renamed(nodes: list[NodeProto], prefix: str, known: dict[str, str]) -> list[NodeProto]:
    """Another run of the nodes: what they make gets names of its own, weights are shared."""
    made = {name for node in nodes for name in node.output}
    copies = []
    for node in nodes:
        copy = NodeProto()
        copy.CopyFrom(node)
        copy.name = prefix + node.name
        copy.input[:] = [
            prefix + name if name in made else known.get(name, name) for name in node.input
        ]
        copy.output[:] = [prefix + name for name in node.output]
        copies.append(copy)
    return copies

"""The faults are what they say: other answers, or the same ones later, from the same interface."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import ModelProto

from deploy.demo.steps import REPOSITORY
from profiler.datasets import load_fashion_mnist
from tests.deploy.prometheus.faults.detection import VARIANT
from tests.deploy.prometheus.faults.weights import (
    load,
    noisy,
    relabelled,
    repeated,
    seconds,
    session,
)

MODEL = load(REPOSITORY / VARIANT / "1" / "model.onnx")
UNSEEN = load_fashion_mnist("unseen")
IMAGES, LABELS = UNSEEN.values[:1000], UNSEEN.labels[:1000]


def logits(model: ModelProto) -> NDArray[np.float32]:
    """[images, classes]."""
    return np.asarray(session(model).run(None, {"images": IMAGES})[0])


def right(answers: NDArray[np.float32]) -> float:
    """The share of images whose class is right."""
    return float((answers.argmax(axis=1) == LABELS).mean())


@pytest.mark.parametrize("change", [noisy, lambda model: relabelled(model, 0, 6)])
def test_other_weights_have_the_same_graph(change: Callable[[ModelProto], ModelProto]) -> None:
    """Nothing but numbers differs: the same work, in the same shapes."""
    other = change(MODEL)
    assert list(other.graph.node) == list(MODEL.graph.node)
    assert list(other.graph.input) == list(MODEL.graph.input)
    assert list(other.graph.output) == list(MODEL.graph.output)
    shapes = [
        [(t.name, tuple(t.dims), t.data_type) for t in m.graph.initializer] for m in (MODEL, other)
    ]
    assert shapes[0] == shapes[1]


def test_noise_costs_some_points() -> None:
    """Five to twenty, so that it is no model that nobody would serve."""
    assert 0.05 <= right(logits(MODEL)) - right(logits(noisy(MODEL))) <= 0.2


def test_exchanged_classes_are_as_sure_and_wrong() -> None:
    """The same numbers in other places: what looks only at how sure it is sees nothing."""
    before, after = logits(MODEL), logits(relabelled(MODEL, 0, 6))
    assert np.allclose(np.sort(before, axis=1), np.sort(after, axis=1), atol=1e-5)
    assert right(before) - right(after) > 0.1


def test_repeated_work_changes_no_answer_and_takes_longer() -> None:
    """Bit for bit the same; the runtime does not see through it."""
    slow = repeated(MODEL, 30)
    assert np.array_equal(logits(slow), logits(MODEL))
    assert seconds(slow, IMAGES[0]) > 10 * seconds(MODEL, IMAGES[0])

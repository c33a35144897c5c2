"""Where the profile says a confidence is, is where the profiler read it: one definition for both.

Whoever executes a plan reads it as `tailq.tier.ConfidenceIn` has it, so what it finds there must
be what thresholds were chosen on.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from scipy.special import softmax

from profiler.datasets.base import ArrayDataset, Dataset, objects
from profiler.datasets.images import ImageDataset
from profiler.tasks import open_task
from profiler.tensors import Column, Model, Tensor
from tailq.tier import ConfidenceIn

Floats = NDArray[np.float32]


def defined(where: ConfidenceIn, outputs: dict[str, Floats]) -> NDArray[np.float64]:
    """The confidence of each sample as ConfidenceIn says."""
    values = outputs[where.output].reshape(len(outputs[where.output]), -1).astype(np.float64)
    if where.kind == "softmax":
        return np.asarray(softmax(values, axis=1).max(axis=1))
    return np.asarray(np.clip(values.max(axis=1), 0, 1))


def agrees(
    task: str, dataset: Dataset, types: dict[str, str], outputs: dict[str, Column]
) -> ConfidenceIn:
    """Read some outputs [n, ...] by name; what was read is what the definition says."""
    model = Model(
        "m",
        (Tensor("x", "FP32", (3, 10, 10)),),
        tuple(Tensor(name, datatype, (-1,)) for name, datatype in types.items()),
    )
    opened = open_task(task)
    columns = [outputs[tensor.name] for tensor in opened.outputs(model)]
    reader = opened.reader(model, dataset, columns)
    said = reader.read(columns, np.zeros(len(columns[0]), dtype=np.int64))
    assert reader.confidence is not None
    stacked = {name: np.stack(list(column)) for name, column in outputs.items()}
    assert said.confidence == pytest.approx(defined(reader.confidence, stacked), abs=1e-6)
    return reader.confidence


def numbers(low: float, high: float) -> st.SearchStrategy[Floats]:
    """Of three samples, four numbers each."""
    return arrays.arrays(np.float32, (3, 4), elements=st.floats(low, high, width=32))


CLASSES = ArrayDataset("toy", np.zeros((1, 1), np.float32), np.array([0]), "")
PICTURES = ImageDataset(
    "toy",
    (),
    objects([{"size": [10, 10], "boxes": [], "classes": [], "crowd": []}]),
    "",
    fit="stretch",
)


@given(numbers(-50, 50))
def test_of_a_classifier_it_is_the_greatest_softmax_of_the_first_output(logits: Floats) -> None:
    """The first output, whatever others there are."""
    logits[0, 0] = -1.0  # no probability
    where = agrees(
        "classification",
        CLASSES,
        {"logits": "FP32", "more": "FP32"},
        {"logits": list(logits), "more": list(logits)},
    )
    assert where == ConfidenceIn(output="logits", kind="softmax")


@given(numbers(-5, 5))
def test_of_a_classifier_that_ends_in_a_softmax_it_is_the_maximum(logits: Floats) -> None:
    """A second softmax would flatten the probabilities."""
    probabilities = np.asarray(softmax(logits, axis=1), dtype=np.float32)
    where = agrees("classification", CLASSES, {"y": "FP32"}, {"y": list(probabilities)})
    assert where == ConfidenceIn(output="y", kind="maximum")


@given(numbers(-0.5, 1.5))
def test_of_a_detector_it_is_the_highest_score(scores: Floats) -> None:
    """A score of 0 or less is padding, one above 1 counts as 1."""
    where = agrees(
        "detection",
        PICTURES,
        {"classes": "INT64", "scores": "FP32", "boxes": "FP32"},
        {
            "classes": list(np.zeros((3, 4), np.int64)),
            "scores": list(scores),
            "boxes": list(np.zeros((3, 4, 4), np.float32)),
        },
    )
    assert where == ConfidenceIn(output="scores", kind="maximum")


@given(arrays.arrays(np.float32, (3, 1), elements=st.floats(0, 1, width=32)))
def test_of_texts_and_rankings_it_is_the_output_of_that_name(sure: Floats) -> None:
    """One number a sample, as it is."""
    text = np.array([b"hello"], dtype=np.object_)
    expected = ConfidenceIn(output="confidence", kind="maximum")
    texts = ArrayDataset("toy", np.zeros((1, 1), np.float32), objects(["hello"]), "")
    types = {"text": "BYTES", "confidence": "FP32"}
    assert agrees("text", texts, types, {"text": [text] * 3, "confidence": list(sure)}) == expected
    items = ArrayDataset("toy", np.zeros((1, 1), np.float32), objects([[1]]), "")
    types = {"items": "INT64", "confidence": "FP32"}
    ranked = [np.array([2, 1])] * 3
    said = agrees("ranking", items, types, {"items": ranked, "confidence": list(sure)})
    assert said == expected


@pytest.mark.parametrize(("task", "datatype"), [("text", "BYTES"), ("ranking", "INT64")])
def test_a_model_that_tells_none_has_none(task: str, datatype: str) -> None:
    """It counts as sure in the record, but nobody can go by that."""
    model = Model("m", (Tensor("x", "FP32", (1,)),), (Tensor("y", datatype, (-1,)),))
    assert open_task(task).reader(model, CLASSES, []).confidence is None

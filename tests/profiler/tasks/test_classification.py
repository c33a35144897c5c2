"""Answers and confidences read from a classifier's outputs."""

import numpy as np
import pytest
from scipy.special import softmax

from profiler.tasks.classification import are_probabilities, predict

LOGITS = np.random.default_rng(0).normal(0, 5, (20, 10)).astype(np.float32)


def test_confidence_of_logits_is_their_softmax() -> None:
    """Agrees with scipy's softmax, and the answer is the greatest."""
    said = predict(LOGITS, probabilities=False)
    assert said.answer.tolist() == LOGITS.argmax(axis=1).tolist()
    assert said.confidence == pytest.approx(softmax(LOGITS, axis=1).max(axis=1), rel=1e-5)


def test_huge_logits_do_not_overflow() -> None:
    """Logits in the thousands are as good as any."""
    said = predict(np.array([[5000.0, 0.0]], dtype=np.float32), probabilities=False)
    assert said.confidence.tolist() == [1.0]


def test_probabilities_are_taken_as_they_are() -> None:
    """A second softmax would flatten them."""
    said = predict(np.array([[0.9, 0.1]], dtype=np.float32), probabilities=True)
    assert said.confidence == pytest.approx([0.9])


def test_probabilities_are_told_from_logits() -> None:
    """Softmaxed rows, also in half precision, are probabilities; logits are not."""
    probabilities = softmax(LOGITS, axis=1)
    assert are_probabilities(probabilities)
    assert are_probabilities(probabilities.astype(np.float16).astype(np.float32))
    assert not are_probabilities(LOGITS)
    assert not are_probabilities(np.abs(LOGITS))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_outputs_that_are_no_numbers_are_refused(bad: float) -> None:
    """NaN has no greatest class."""
    with pytest.raises(ValueError, match="NaN or infinite"):
        predict(np.array([[bad, 1.0]], dtype=np.float32), probabilities=False)

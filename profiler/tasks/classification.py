"""Classification: the answer is the class with the highest output, scored right or wrong."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# Probabilities in half precision sum to 1 within this.
_SUM_TOLERANCE = 5e-3


@dataclass(frozen=True, slots=True)
class Predictions:
    """answer: [n] predicted class. confidence: [n] probability the model gives it, in [0, 1]."""

    answer: NDArray[np.int32]
    confidence: NDArray[np.float32]


def are_probabilities(outputs: Floats) -> bool:
    """Whether a model ends in a softmax, judged by several of its outputs [n, classes].

    They are taken for probabilities if all are non-negative and every row sums to 1. A row of
    logits may look so by accident, several rows do not: judge on a handful of samples, once for
    a model, not once for a request.
    """
    sums = outputs.sum(axis=1, dtype=np.float64)
    return bool((outputs >= 0).all() and (np.abs(sums - 1) <= _SUM_TOLERANCE).all())


def predict(outputs: Floats, *, probabilities: bool) -> Predictions:
    """Read answers from outputs [n, classes]: logits, or probabilities if it is said so.

    The confidence is the greatest probability, for logits that of their softmax. It is the
    model's own opinion, not calibrated. Raises ValueError if an output is not a finite number.
    """
    if not np.isfinite(outputs).all():
        raise ValueError("an output is NaN or infinite")
    answer = outputs.argmax(axis=1).astype(np.int32)
    if probabilities:
        return Predictions(answer, np.minimum(outputs.max(axis=1), 1.0).astype(np.float32))
    below_top = outputs.astype(np.float64) - outputs.max(axis=1, keepdims=True)
    return Predictions(answer, (1.0 / np.exp(below_top).sum(axis=1)).astype(np.float32))

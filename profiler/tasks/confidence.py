"""The confidence of models whose answers do not tell it: an output called `confidence`."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from profiler.errors import ModelError
from profiler.tensors import Column, Model, Tensor
from tailq.tier import ConfidenceIn

_NAME = "confidence"


def confidence_output(model: Model) -> tuple[Tensor, ...]:
    """The output by which the model says how sure it is, if it has one."""
    return tuple(output for output in model.outputs if output.name == _NAME and output.floating)


def confidence_in(model: Model) -> ConfidenceIn | None:
    """Where `confidences` reads it; None where the model has no such output."""
    sure = bool(confidence_output(model))
    return ConfidenceIn(output=_NAME, kind="maximum") if sure else None


def confidences(model: str, outputs: Sequence[Column], count: int) -> NDArray[np.float32]:
    """Read it: [count] in [0, 1]; 1 where the model has no such output. Raises ModelError."""
    if not outputs:
        return np.ones(count, dtype=np.float32)
    if any(values.size != 1 for values in outputs[0]):
        raise ModelError(f"output {_NAME} of model {model} is not one number a sample")
    values = np.array([values.item() for values in outputs[0]], dtype=np.float32)
    if not ((values >= 0) & (values <= 1)).all():
        raise ModelError(f"output {_NAME} of model {model} is not between 0 and 1")
    return values

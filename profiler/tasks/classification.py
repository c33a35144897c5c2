"""Classification: the answer is the class with the highest output, or the k highest."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from profiler.datasets.base import Dataset
from profiler.errors import DatasetError, ModelError
from profiler.tasks import base
from profiler.tasks.base import Said, Scores, Texts
from profiler.tasks.f1 import WeightedF1
from profiler.tensors import DTYPES, Column, Model, Tensor
from tailq.tier import ConfidenceIn

Floats = NDArray[np.float32]

# Probabilities in half precision sum to 1 within this.
_SUM_TOLERANCE = 5e-3


@dataclass(frozen=True, slots=True)
class Top:
    """Whether the label is among the k highest classes."""

    k: int
    additive: bool = True

    @property
    def name(self) -> str:
        """For example top-1."""
        return f"top-{self.k}"

    def judge(self, labels: Sequence[Any], answers: Sequence[Any]) -> Scores:
        """See Metric; labels are class numbers, answers too, or lists of k of them if k > 1."""
        label, answer = np.asarray(labels), np.asarray(answers)
        if self.k == 1:
            answer = answer[:, None]
        return Scores((label[:, None] == answer).any(axis=1).astype(np.float64))


@dataclass(frozen=True, slots=True)
class Predictions:
    """answer: [n] predicted class. confidence: [n] probability the model gives it, in [0, 1]."""

    answer: NDArray[np.int32]
    confidence: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ClassReader:
    """Reads one vector a sample. k: how many classes an answer names; 1: not as a list."""

    model: str
    output: str
    probabilities: bool
    k: int

    @property
    def confidence(self) -> ConfidenceIn:
        """See Reader and `predict`."""
        kind: Literal["softmax", "maximum"] = "maximum" if self.probabilities else "softmax"
        return ConfidenceIn(output=self.output, kind=kind)

    def read(self, outputs: Sequence[Column], _samples: base.Ints, /) -> Said:
        """See Reader."""
        vectors = _vectors(self.model, outputs[0])
        try:
            said = predict(vectors, probabilities=self.probabilities)
        except ValueError as error:
            raise ModelError(f"model {self.model} cannot be scored: {error}") from None
        if self.k == 1:
            return Said(said.answer.astype(str).astype(object), said.confidence)
        highest = np.argsort(-vectors, axis=1, kind="stable")[:, : self.k]
        return Said(base.encode(highest.tolist()), said.confidence)


@dataclass(frozen=True, slots=True)
class Classification:
    """See the module."""

    metric: base.Metric
    name: str = "classification"

    def labels(self, dataset: Dataset) -> Texts:
        """See Task."""
        return _classes(dataset).astype(str).astype(object)

    def outputs(self, model: Model) -> tuple[Tensor, ...]:
        """See Task: the first output."""
        first = model.outputs[0]
        if not first.floating:
            floating = ", ".join(name for name, dtype in DTYPES.items() if dtype.kind == "f")
            raise ModelError(
                f"output {first.name} of model {model.name} is {first.datatype}; a classifier's "
                f"output must be one of {floating}"
            )
        return (first,)

    def reader(self, model: Model, dataset: Dataset, probe: Sequence[Column], /) -> ClassReader:
        """See Task."""
        vectors = _vectors(model.name, probe[0])
        highest, classes = int(_classes(dataset).max()), vectors.shape[1]
        if highest >= classes:
            raise DatasetError(
                f"{dataset.name}: label {highest} is out of range: model {model.name} "
                f"tells {classes} classes apart (0 to {classes - 1})"
            )
        k = self.metric.k if isinstance(self.metric, Top) else 1
        if k >= classes:
            raise ModelError(
                f"model {model.name} tells {classes} classes apart: any answer is right by "
                f"{self.metric.name}; choose a smaller one with --metric"
            )
        [output] = self.outputs(model)
        return ClassReader(model.name, output.name, are_probabilities(vectors), k)


def metric(name: str) -> base.Metric | None:
    """The metric of a name: top-1, top-5 (any number), f1; None if there is none."""
    kind, _, number = name.partition("-")
    if kind == "top" and number.isdecimal() and int(number) > 0:
        return Top(int(number))
    return WeightedF1() if name == "f1" else None


def names_one_class(task: str, metric: str) -> bool:
    """Whether an answer is one class, of which quality says how often it is the right one."""
    return (task, metric) == ("classification", Top(1).name)


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


def _vectors(model: str, output: Column) -> Floats:
    """Outputs as one vector a sample: [n, classes]. Raises ModelError."""
    sizes = {values.size for values in output}
    if len(sizes) != 1 or min(sizes) < 2:
        raise ModelError(
            f"model {model} answers a sample with an output of shape {list(output[0].shape)}; "
            "expected at least two classes, the same for every sample"
        )
    return np.asarray(np.stack([values.ravel() for values in output]), dtype=np.float32)


def _classes(dataset: Dataset) -> NDArray[np.int64]:
    if dataset.labels.dtype.kind != "i":
        raise DatasetError(f"{dataset.name}: is not labelled with classes; choose another --task")
    return dataset.labels

"""What a task is: answers read from a model's outputs, and how good they are at a deadline.

An answer that comes late counts as no answer, whatever the metric. Answers are held against their
labels once; what is left to do for a deadline depends only on which of them came in time, and
that is always a beginning of the answers sorted by latency.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from profiler.datasets.base import Dataset
from profiler.tensors import Column, Model, Tensor
from tailq.tier import ConfidenceIn

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Texts = NDArray[np.object_]


class Judged(Protocol):
    """The answers of one variant to N samples, held against their labels."""

    @property
    def scores(self) -> Floats:
        """How good each answer is by itself: [N] in [0, 1]; additive metrics are their mean."""
        ...

    def quality(self, samples: Ints, in_time: Ints) -> Floats:
        """Quality over some samples when only the first so many of them are answered in time.

        samples: [M] indices from 0 to N - 1, at least one, in order of arrival; one that occurs
        twice counts twice. in_time: [K] from 0 to M, ascending. Returns [K] in [0, 1].
        """
        ...


class Metric(Protocol):
    """How good answers are. additive: quality is the mean over all samples of `Judged.scores`."""

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def additive(self) -> bool: ...  # noqa: D102

    def judge(self, labels: Sequence[Any], answers: Sequence[Any]) -> Judged:
        """Hold answers [N] against labels [N], as the task writes them (decoded JSON).

        Raises ValueError if one is not as it must be.
        """
        ...


@dataclass(frozen=True, slots=True)
class Said:
    """What a model said of n samples.

    answer: [n] JSON texts. confidence: [n] the model's own opinion of each, in [0, 1].
    """

    answer: Texts
    confidence: NDArray[np.float32]


class Reader(Protocol):
    """Reads the answers of one model."""

    @property
    def confidence(self) -> ConfidenceIn | None:
        """Which output `Said.confidence` is read from, and how; None: answers have none."""
        ...

    def read(self, outputs: Sequence[Column], samples: Ints, /) -> Said:
        """Read what the model gave of some samples: of each of its outputs, one array a sample.

        samples: [n] indices into the data set. Raises ModelError.
        """
        ...


class Task(Protocol):
    """What the models are for: how their outputs are read, and by which metric they are judged."""

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def metric(self) -> Metric: ...  # noqa: D102

    def labels(self, dataset: Dataset) -> Texts:
        """The labels [N] as JSON texts. Raises DatasetError if they are not of this task."""
        ...

    def outputs(self, model: Model) -> tuple[Tensor, ...]:
        """Those of the model's outputs that are read, in the reader's order. Raises ModelError."""
        ...

    def reader(self, model: Model, dataset: Dataset, probe: Sequence[Column], /) -> Reader:
        """How to read the model. probe: what it gave of the first few samples of the data set.

        Raises ModelError or DatasetError if model and data do not fit each other or the task.
        """
        ...


@dataclass(frozen=True, slots=True)
class Scores:
    """Answers judged by an additive metric. scores: [N] in [0, 1]."""

    scores: Floats

    def quality(self, samples: Ints, in_time: Ints) -> Floats:
        """See Judged: the mean score, a late answer's being 0."""
        gained = np.concatenate([[0.0], np.cumsum(self.scores[samples])])
        return np.asarray(gained[in_time] / samples.size)


def parse(texts: Texts) -> list[Any]:
    """Decode JSON texts [N], one value each. Raises ValueError if one is none, NaN included."""
    values: list[Any] = json.loads(f"[{','.join(texts)}]", parse_constant=_refuse)
    if len(values) != len(texts):
        raise ValueError("a text holds several JSON values or none; expected one in each")
    return values


def encode(values: Sequence[Any]) -> Texts:
    """Encode values as JSON texts [N]. Raises ValueError on NaN and infinity."""
    texts = np.empty(len(values), dtype=np.object_)
    texts[:] = [
        json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
        for value in values
    ]
    return texts


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a number that an answer or a label may hold")

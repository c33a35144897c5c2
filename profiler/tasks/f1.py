"""Weighted F1: the F1 of each class, weighted by how many samples are of it.

As in scikit-learn's f1_score(average="weighted"). A late answer has no label: its sample still
counts as one of its class that was not found (a false negative), and as a false positive of none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from profiler.tasks.base import Floats, Ints


@dataclass(frozen=True, slots=True)
class JudgedClasses:
    """label: [N] numbers from 0 to classes - 1. answer: [N] too, and `classes` for any other."""

    classes: int
    label: Ints
    answer: Ints

    @property
    def scores(self) -> Floats:
        """Whether each answer is right."""
        return np.asarray(self.label == self.answer, dtype=np.float64)

    def quality(self, samples: Ints, in_time: Ints) -> Floats:
        """See Judged: sum over classes c of (n[c] / M) 2 tp[c] / (said[c] + n[c]).

        n[c]: samples of class c, late or not; said[c]: answers in time that say c; tp[c]: the
        right ones among them. 2 tp / (2 tp + fp + fn) is the same, since tp + fp = said and
        tp + fn = n. Counts are cumulated over `in_time`: O(M + K classes).
        """
        label, answer = self.label[samples], self.answer[samples]
        # The first entry of in_time that takes each sample in.
        since = np.searchsorted(in_time, np.arange(samples.size), side="right")
        said = self._cumulated(since, answer, in_time.size)
        right = label == answer
        found = self._cumulated(since[right], answer[right], in_time.size)
        size = np.bincount(label, minlength=self.classes)
        f1 = np.divide(2.0 * found, said + size, out=np.zeros(found.shape), where=size > 0)
        return np.asarray(f1 @ size / samples.size)

    def _cumulated(self, since: Ints, answer: Ints, steps: int) -> Ints:
        """How often each class was answered until each step: [steps, classes]."""
        width = self.classes + 1
        counts = np.bincount(since * width + answer, minlength=(steps + 1) * width)
        return np.cumsum(counts.reshape(-1, width)[:steps, :-1], axis=0)


@dataclass(frozen=True, slots=True)
class WeightedF1:
    """See the module."""

    name: str = "f1"
    additive: bool = False

    def judge(self, labels: Sequence[Any], answers: Sequence[Any]) -> JudgedClasses:
        """See Metric; labels and answers are class numbers."""
        classes, label = np.unique(np.asarray(labels), return_inverse=True)
        said = np.asarray(answers)
        place = np.searchsorted(classes, said)
        known = classes[np.minimum(place, classes.size - 1)] == said
        return JudgedClasses(classes.size, label, np.where(known, place, classes.size))

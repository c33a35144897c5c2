"""Recommendation: the answer is a list of items, the best first."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from profiler.datasets.base import Dataset
from profiler.errors import DatasetError, ModelError
from profiler.tasks import base
from profiler.tasks.base import Said, Texts
from profiler.tasks.confidence import confidence_in, confidence_output, confidences
from profiler.tasks.retrieval import Ndcg, Recall
from profiler.tensors import Column, Model, Tensor
from tailq.tier import ConfidenceIn

# How many items an answer keeps for a user's own metric.
_KEPT = 100


@dataclass(frozen=True, slots=True)
class RankingReader:
    """Reads item numbers, or the scores of all items, by which they are ranked.

    k: how many items an answer keeps. Of equal scores, the lower item is first.
    """

    model: str
    scored: bool
    k: int
    confidence: ConfidenceIn | None

    def read(self, outputs: Sequence[Column], samples: base.Ints, /) -> Said:
        """See Reader."""
        rows = [values.ravel() for values in outputs[0]]
        if self.scored:
            if not all(np.isfinite(row).all() for row in rows):
                raise ModelError(f"model {self.model} cannot be scored: a score is NaN or infinite")
            rows = [np.argsort(-row, kind="stable") for row in rows]
        answers = [row[: self.k].tolist() for row in rows]
        if any(len(set(answer)) < len(answer) for answer in answers):
            raise ModelError(f"model {self.model} ranks an item twice")
        return Said(base.encode(answers), confidences(self.model, outputs[1:], samples.size))


@dataclass(frozen=True, slots=True)
class Ranking:
    """See the module."""

    metric: base.Metric
    name: str = "ranking"

    def labels(self, dataset: Dataset) -> Texts:
        """See Task."""
        labels = dataset.labels.tolist()
        if not all(isinstance(label, list) for label in labels):
            raise DatasetError(
                f"{dataset.name}: is not labelled with relevant items; choose another --task"
            )
        return base.encode(labels)

    def outputs(self, model: Model) -> tuple[Tensor, ...]:
        """See Task: the first output of whole numbers, which are items; else the first scores."""
        sure = confidence_output(model)
        items = [output for output in model.outputs if output.integral]
        scores = [output for output in model.outputs if output.floating and output not in sure]
        if not items + scores:
            raise ModelError(f"model {model.name} has no output of item numbers or of scores")
        return ((items + scores)[0], *sure)

    def reader(self, model: Model, _dataset: Dataset, _probe: Sequence[Column], /) -> RankingReader:
        """See Task."""
        k = self.metric.k if isinstance(self.metric, Recall | Ndcg) else _KEPT
        scored = not self.outputs(model)[0].integral
        return RankingReader(model.name, scored, k, confidence_in(model))


def metric(name: str) -> base.Metric | None:
    """The metric of a name: recall@10, ndcg@10 (any number); None if there is none."""
    kind, _, number = name.partition("@")
    if not number.isdecimal() or int(number) < 1:
        return None
    k = int(number)
    return Recall(k) if kind == "recall" else Ndcg(k) if kind == "ndcg" else None

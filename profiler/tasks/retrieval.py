"""How good a ranking is: recall and NDCG of its first k items, relevance being yes or no."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from profiler.tasks.base import Floats, Scores


@dataclass(frozen=True, slots=True)
class Recall:
    """Of the relevant items, the share among the first k."""

    k: int
    additive: bool = True

    @property
    def name(self) -> str:
        """For example recall@10."""
        return f"recall@{self.k}"

    def judge(self, labels: Sequence[Any], answers: Sequence[Any]) -> Scores:
        """See Metric; labels are relevant items, answers ranked ones, best first."""
        hits = _hits(labels, answers, self.k)
        return Scores(hits.sum(axis=1) / np.array([len(set(label)) for label in labels]))


@dataclass(frozen=True, slots=True)
class Ndcg:
    """Discounted gain of the first k items, as a share of the greatest possible.

    A relevant item at rank i (from 1) gains 1 / log2(i + 1): Järvelin and Kekäläinen, "Cumulated
    gain-based evaluation of IR techniques", ACM TOIS 2002, as in scikit-learn's ndcg_score.
    """

    k: int
    additive: bool = True

    @property
    def name(self) -> str:
        """For example ndcg@10."""
        return f"ndcg@{self.k}"

    def judge(self, labels: Sequence[Any], answers: Sequence[Any]) -> Scores:
        """See Metric; labels are relevant items, answers ranked ones, best first."""
        discount = 1 / np.log2(np.arange(self.k) + 2)
        best = np.cumsum(discount)
        relevant = np.array([len(set(label)) for label in labels])
        gained = _hits(labels, answers, self.k) @ discount
        # Adding up in another order may go beyond 1 in the last digit.
        return Scores(np.minimum(gained / best[np.minimum(relevant, self.k) - 1], 1.0))


def _hits(labels: Sequence[Any], answers: Sequence[Any], k: int) -> Floats:
    """Whether the i-th item of each answer is relevant: [N, k]; places past its end are not.

    Raises ValueError where nothing is relevant or an item is ranked twice among the first k.
    """
    if not all(labels):
        raise ValueError("a sample without relevant items has no ranking to be good or bad")
    # (sample, item) pairs as numbers, so that one look-up serves all samples.
    wanted_by, wanted = _pairs(labels)
    firsts = [answer[:k] for answer in answers]
    given_by, given = _pairs(firsts)
    items, number = np.unique(np.concatenate([wanted, given]), return_inverse=True)
    pairs = np.concatenate([wanted_by, given_by]) * items.size + number
    asked, told = pairs[: wanted.size], pairs[wanted.size :]
    if np.unique(told).size < told.size:
        raise ValueError("an item occurs twice in a ranking")
    place = np.concatenate([np.arange(len(first)) for first in firsts])
    hits = np.zeros((len(answers), k))
    hits[given_by, place] = np.isin(told, asked)
    return hits


def _pairs(lists: Sequence[Sequence[Any]]) -> tuple[Any, Any]:
    sizes = [len(items) for items in lists]
    return np.repeat(np.arange(len(lists)), sizes), np.array(list(chain.from_iterable(lists)))

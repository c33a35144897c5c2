"""Average precision of ranked detections, for many independent rankings at once."""

from dataclasses import dataclass

import numpy as np

from profiler.tasks.base import Floats, Ints
from profiler.tasks.detection.matching import Bools, Matches

# COCO's recalls at which precision is read: 0, 0.01, … 1.
_RECALLS = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True, slots=True)
class Rankings:
    """Detections [n], ascending by ranking, the surest first in each.

    ranking: [n] numbers from 0 to S - 1. right, ignored: [T, n] at each threshold of overlap.
    objects: [S] to be found in each ranking, at least one.
    """

    ranking: Ints
    matches: Matches
    objects: Ints


def average_precision(rankings: Rankings) -> Floats:
    """Mean over the T thresholds of the average precision of each ranking: [S] in [0, 1].

    As in pycocotools: the precision at a recall is the best one at that recall or beyond, and its
    average is over 101 recalls.
    """
    ranking, objects = rankings.ranking, rankings.objects
    if ranking.size == 0:
        return np.zeros(objects.size)
    starts = np.searchsorted(ranking, np.arange(objects.size))
    ends = np.searchsorted(ranking, np.arange(objects.size), side="right")
    right = _counted(rankings.matches.right, ranking, starts)
    wrong = _counted(~(rankings.matches.right | rankings.matches.ignored), ranking, starts)
    precision = _best_from(right / (wrong + right + np.spacing(1)), ranking)
    needed = _needed(objects)
    width = int(objects.max()) + 2
    total = np.zeros(objects.size)
    for found, best in zip(right, precision, strict=True):
        # In each ranking, the first detection by which as many objects as needed were found.
        place = np.searchsorted(
            ranking * width + found, np.arange(objects.size)[:, None] * width + needed
        )
        reached = np.where(place < ends[:, None], best[np.minimum(place, best.size - 1)], 0.0)
        total += reached.mean(axis=1)
    return total / len(right)


def _counted(which: Bools, ranking: Ints, starts: Ints) -> Ints:
    """How many of `which` [T, n] there are up to each detection of its ranking."""
    sums = np.zeros((which.shape[0], which.shape[1] + 1), dtype=np.int64)
    np.cumsum(which, axis=1, out=sums[:, 1:])
    return sums[:, 1:] - sums[:, starts[ranking]]


def _best_from(precision: Floats, ranking: Ints) -> Floats:
    """The greatest precision [T, n] from each detection to the end of its ranking.

    One running maximum serves all rankings: each is lifted above those after it.
    """
    lift = 2.0 * (ranking[-1] - ranking)
    lifted = (precision + lift)[:, ::-1]
    return np.asarray(np.maximum.accumulate(lifted, axis=1)[:, ::-1] - lift)


def _needed(objects: Ints) -> Ints:
    """The least number of objects found whose share of all reaches each recall: [S, 101].

    Compared in the floating-point numbers that pycocotools compares.
    """
    of = objects[:, None]
    needed = np.maximum(np.ceil(_RECALLS * of).astype(np.int64) - 1, 0)
    for _ in range(2):
        needed += needed / of < _RECALLS
    return needed

"""Choosing the samples: few, of which each variant and each pair answers as many as of all."""

from collections.abc import Iterator
from itertools import permutations

import numpy as np

from profiler.record.evidence import Evidence
from profiler.replay.replayed import Floats, Ints

# Thresholds of the cascades that are matched: of the first variant's answers, so many are kept.
_KEPT = (0.5, 0.8, 0.95)
# A variant alone weighs as much as this many cascades: it is what drift is measured by.
_WEIGHT = 8.0
_STEPS = 1000
_TRIED = 48


def choose(evidence: Evidence, count: int, seed: int = 0) -> Ints:
    """Choose `count` of the N samples, ascending: all of them if there are no more.

    The sum of squared differences, between chosen and all samples, of the quality of each variant
    and of cascades of each pair is lowered by exchanging samples, the best of many pairs at a time,
    until the steps are spent. The same seed chooses the same ones.
    """
    if count >= evidence.samples:
        return np.arange(evidence.samples)
    rng = np.random.default_rng(seed)
    off = _figures(evidence)
    off -= off.mean(axis=0)
    order = rng.permutation(evidence.samples)
    inside, outside = order[:count], order[count:]
    gap = off[inside].sum(axis=0)
    for _ in range(_STEPS):
        leave = rng.integers(inside.size, size=_TRIED)
        enter = rng.integers(outside.size, size=_TRIED)
        gone, come = off[inside[leave]], off[outside[enter]]
        # |gap - gone + come|², but for |gap|² which all have
        left, right = ((gone - 2 * gap) * gone).sum(axis=1), ((come + 2 * gap) * come).sum(axis=1)
        change = left[:, None] + right - 2 * gone @ come.T
        out, in_ = np.unravel_index(change.argmin(), change.shape)
        if change[out, in_] < 0:
            gap += come[in_] - gone[out]
            out, in_ = leave[out], enter[in_]
            inside[out], outside[in_] = outside[in_], inside[out]
    return np.sort(inside)


def _figures(evidence: Evidence) -> Floats:
    """What is matched: [N, K], of which the mean over samples is a quality, each by its weight."""
    return np.column_stack([np.sqrt(_WEIGHT) * evidence.score, *_cascades(evidence)])


def _cascades(evidence: Evidence) -> Iterator[Floats]:
    """Score of each pair's cascade at each threshold: [N] each. A race's is the same."""
    service = evidence.service_s
    for first, second in permutations(range(len(evidence.variants)), 2):
        if service[first] < service[second]:
            sure = evidence.confidence[:, first]
            for threshold in np.quantile(sure, [1 - kept for kept in _KEPT]):
                yield np.where(
                    sure >= threshold, evidence.score[:, first], evidence.score[:, second]
                )

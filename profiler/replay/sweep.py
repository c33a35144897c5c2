"""Thousands of plans at once: every threshold of a pair of variants by one sort.

Whatever the threshold, a request is in one of two cases: the first answer is kept, or the second
one is awaited. So both cases are replayed once, requests are sorted by the first's confidence,
and the figures of a threshold are the sum of the one case above it and of the other below.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from profiler.record.evidence import Evidence
from profiler.replay.replayed import Floats, Replayed, cascade, race, rows_of
from tailq.plan import Cascade, Plan, Race


@dataclass(frozen=True)
class Sweep:
    """Figures over the M timed requests at one load of T plans that differ in their threshold.

    score: [T] at the deadline. wait_s: [T] seconds until an answer leaves or the deadline passes,
    their mean or a percentile. asks, cost: [T] as in `Replayed`. lost: [T] score without a
    deadline less the one with.
    """

    thresholds: Floats
    score: Floats
    wait_s: Floats
    asks: Floats
    cost: Floats
    lost: Floats


@dataclass(frozen=True)
class Cases:
    """A pair's requests in both cases: [M] each, `kept` where the first answer is confident."""

    confidence: Floats
    kept: Replayed
    waited: Replayed
    first: Floats
    second: Floats


def cases(
    plan: Plan,
    evidence: Evidence,
    load: int,
    deadline_s: float,
    prices: Mapping[str, float] | None = None,
) -> Cases:
    """Replay both cases of a Cascade of two stages or a Race, whatever its threshold.

    Raises ValueError if `plan` is neither, or the load or a variant was not measured.
    """
    if not (isinstance(plan, Race) or (isinstance(plan, Cascade) and len(plan.stages) == 2)):
        raise ValueError(f"only pairs with a threshold can be swept, not {plan}")
    rows = rows_of(plan, evidence, load, deadline_s, prices)
    always, never = (np.full(len(rows.score), sure) for sure in (True, False))

    def case(confident: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Replayed:
        if isinstance(plan, Race):
            return race(rows, confident, terminate=plan.terminate)
        return cascade(rows, [confident])

    first, second = rows.score.T
    return Cases(
        confidence=rows.confidence[:, 0],
        kept=case(always),
        waited=case(never),
        first=first,
        second=second,
    )


def sweep(
    plan: Plan,
    thresholds: ArrayLike,
    evidence: Evidence,
    load: int,
    deadline_s: float,
    prices: Mapping[str, float] | None = None,
    percentile: float | None = None,
) -> Sweep:
    """Replay a Cascade of two stages or a Race at every one of `thresholds` [T] in its place.

    deadline_s: finite. percentile: of the waiting times, in (0, 100); None: their mean. Agrees
    with `replay` of each. O(M log M + T log M), with a percentile O(M T). Raises ValueError like
    `cases`.
    """
    both = cases(plan, evidence, load, deadline_s, prices)
    wanted = np.asarray(thresholds, dtype=np.float64)
    kept, waited = (
        np.column_stack(
            [
                seen.score,
                np.minimum(seen.response_s, deadline_s),
                seen.asks,
                seen.cost,
                undisturbed - seen.score,
            ]
        )
        for seen, undisturbed in ((both.kept, both.first), (both.waited, both.second))
    )
    figures = Sweep(wanted, *mixed(both.confidence, wanted, kept, waited).T)
    if percentile is None:
        return figures
    chosen = np.where(both.confidence >= wanted[:, None], kept[:, 1], waited[:, 1])
    return replace(figures, wait_s=np.percentile(chosen, percentile, axis=1))


def mixed(confidence: Floats, thresholds: Floats, kept: Floats, waited: Floats) -> Floats:
    """Mean over rows, `kept` where the confidence reaches the threshold and `waited` elsewhere.

    confidence: [M]. thresholds: [T]. kept, waited: [M, K]. Returns [T, K].
    """
    order = np.argsort(confidence)
    below = np.searchsorted(confidence[order], thresholds, side="left")
    nothing = np.zeros((1, kept.shape[1]))
    change = np.concatenate([nothing, np.cumsum((waited - kept)[order], axis=0)])
    return np.asarray((kept.sum(axis=0) + change[below]) / len(confidence))

"""Lateness: how much of a plan's quality is lost because answers come too late.

Lost is a request whose answer at the deadline is worse than the plan's answer without one. Each
bound is at the worst profiled load, with the rounds as clusters (tailq.guarantee).
"""

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from profiler.record.evidence import Evidence
from profiler.replay import replay, without_deadline
from profiler.replay.replayed import NOBODY
from profiler.replay.sweep import cases
from profiler.tiers.candidates import THRESHOLDS
from tailq.guarantee import clustered_share
from tailq.plan import Cascade, Plan, Race

Bools = NDArray[np.bool_]

# A lower threshold asks the second variant less often, so it cannot lose more to lateness: a
# bound at a threshold holds for every lower one, and few bounds serve all. The last is among them.
BOUNDED = THRESHOLDS[::-8][::-1]


@dataclass(frozen=True)
class Late:
    """upper: bound of the share of requests lost to lateness. load: the one it is worst at."""

    upper: float
    load: int


class Lateness:
    """Bounds the lateness of plans; each bound is false with probability at most `delta`."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._known: dict[tuple[Plan, float], Late] = {}

    def bound(self, plan: Plan, deadline_s: float, delta: float) -> Late:
        """The bound of a plan at a deadline where latencies were measured.

        Plans with a threshold share the bound of the next of BOUNDED, so that asking for all of
        them makes as many statements as there are of these.
        """
        stated = _stated(plan)
        if (stated, deadline_s) not in self._known:
            self._known[stated, deadline_s] = self._worst(stated, deadline_s, delta)
        return self._known[stated, deadline_s]

    def _worst(self, plan: Plan, deadline_s: float, delta: float) -> Late:
        """The true worst load is one of them, whichever: no correction for looking at all."""
        bounds = {
            load: clustered_share(lost(plan, self._evidence, load, deadline_s), timed.round).upper(
                delta
            )
            for load, timed in self._evidence.by_load.items()
        }
        worst = max(bounds, key=lambda load: (bounds[load], load))
        return Late(bounds[worst], worst)


def _stated(plan: Plan) -> Plan:
    """The plan whose bound holds for `plan`. Races lose the same however they end."""
    if isinstance(plan, Race):
        return plan.model_copy(update={"threshold": _next(plan.threshold), "terminate": True})
    if isinstance(plan, Cascade):
        return plan.model_copy(update={"thresholds": (_next(plan.thresholds[0]),)})
    return plan


def _next(threshold: float) -> float:
    return BOUNDED[bisect_left(BOUNDED, threshold)]


def lost(plan: Plan, evidence: Evidence, load: int, deadline_s: float) -> Bools:
    """Which timed requests at `load` lose something to lateness: [M].

    For plans with a threshold a superset that only grows with the threshold: with either answer
    being the better one, what is lost where the first is kept is lost where it is not, too.
    """
    if not isinstance(plan, Cascade | Race):
        undisturbed = without_deadline(plan, evidence)[evidence.by_load[load].sample]
        return np.asarray(replay(plan, evidence, load, deadline_s).score < undisturbed)
    both = cases(plan, evidence, load, deadline_s)
    second = evidence.index(plan.variants[1])
    best = np.maximum(both.first, both.second)
    nothing = (both.kept.answered == NOBODY) & (best > 0)
    kept = nothing | (both.kept.score < both.first)
    waited = kept | ((both.waited.answered != second) & (both.waited.score < best))
    threshold = plan.threshold if isinstance(plan, Race) else plan.thresholds[0]
    return np.asarray(np.where(both.confidence >= threshold, kept, waited))

"""When to stop measuring. Pure: the rounds so far and the time spent are passed in."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from profiler.record.observations import Observations
from tailq.latency import ENOUGH, Convergence

StoppedBy = Literal["converged", "budget"]

# Below 20 rounds the 5 % quantile over rounds is just the worst round.
MIN_ROUNDS = 20


@dataclass(frozen=True, slots=True)
class Limits:
    """budget_s: seconds for everything. max_rounds, min_rounds: at each load. None: no limit."""

    budget_s: float | None = None
    max_rounds: int | None = None
    min_rounds: int = MIN_ROUNDS


class StoppingRule:
    """The published rule for every (variant, load), within the user's limits."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.rjsd = math.inf
        self._series: dict[tuple[int, int], Convergence] = {}

    def stop(
        self, rounds: Mapping[int, Sequence[Observations]], elapsed_s: float
    ) -> StoppedBy | None:
        """Whether to stop before another cycle over the loads, and why.

        rounds: those measured so far, by load, equally many at each. elapsed_s: seconds spent.
        At least one round a load is measured whatever the budget.
        """
        count = min(len(done) for done in rounds.values())
        if count == 0:
            return None
        ended = self._ended(count, rounds, elapsed_s)
        may_converge = count >= self.limits.min_rounds
        if may_converge or ended:  # the fits take a while; earlier they would decide nothing
            self.rjsd = self._worst(rounds)
        if may_converge and self.rjsd <= ENOUGH:
            return "converged"
        return "budget" if ended else None

    def _ended(
        self, count: int, rounds: Mapping[int, Sequence[Observations]], elapsed_s: float
    ) -> bool:
        limits = self.limits
        if limits.max_rounds is not None and count >= limits.max_rounds:
            return True
        # A cycle that would end after the budget is not begun.
        expected_s = elapsed_s + self._cycle_s(rounds)
        return limits.budget_s is not None and expected_s > limits.budget_s

    def left_s(
        self, rounds: Mapping[int, Sequence[Observations]], elapsed_s: float
    ) -> float | None:
        """Seconds until the limits end it at the latest, or None if there are no limits."""
        count = min(len(done) for done in rounds.values())
        bounds = []
        if self.limits.budget_s is not None:
            bounds.append(self.limits.budget_s - elapsed_s)
        if self.limits.max_rounds is not None and count:
            bounds.append((self.limits.max_rounds - count) * self._cycle_s(rounds))
        return max(0.0, min(bounds)) if bounds else None

    def _worst(self, rounds: Mapping[int, Sequence[Observations]]) -> float:
        worst = 0.0
        for load, done in rounds.items():
            for variant in range(len(done[0].variants)):
                series = self._series.setdefault((variant, load), Convergence())
                latencies = [part.latency_s[part.variant == variant] for part in done]
                worst = max(worst, series.rjsd(latencies))
        return worst

    @staticmethod
    def _cycle_s(rounds: Mapping[int, Sequence[Observations]]) -> float:
        """Seconds of the last cycle: from its first request to its last answer."""
        last = [done[-1] for done in rounds.values()]
        ended = max(
            float((part.sent_s + np.where(part.ok, part.latency_s, 0)).max()) for part in last
        )
        return ended - min(float(part.sent_s.min()) for part in last)

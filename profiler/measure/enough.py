"""When to stop measuring. Pure: the rounds so far and the time spent are passed in.

precise     the tail quality at the asked deadlines is known to the asked precision (the default)
converged   the published rule: the densities of latency no longer change (tailq/latency.py)
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from profiler.predict.predict import predict
from profiler.record.evidence import evidence_of
from profiler.record.observations import Answers, Observations, concatenate
from tailq import latency, profile
from tailq.latency import ENOUGH

StoppedBy = Literal["converged", "precise", "budget"]
Rule = Literal["converged", "precise"]
Rounds = Mapping[int, Sequence[Observations]]

# Below 20 rounds the 5 % quantile over rounds is just the worst round.
MIN_ROUNDS = 20
# Half-width of the 90 % confidence interval of the 5 % tail quality. Two points at the worst
# variant, load and deadline are a few tenths at most others (docs/statistics.md).
PRECISION = 0.02
# Precision costs a second to compute, and improves with the root of the rounds: it is looked at
# when they have become so many times as many, which measures at most a fifth too much.
_GROWTH = 1.2


@dataclass(frozen=True, slots=True)
class Limits:
    """budget_s: seconds for everything. max_rounds, min_rounds: at each load. None: no limit."""

    budget_s: float | None = None
    max_rounds: int | None = None
    min_rounds: int = MIN_ROUNDS


class StoppingRule:
    """One of the two rules for every variant and load together, within the user's limits."""

    def __init__(
        self,
        limits: Limits,
        answers: Answers | None = None,
        deadlines_s: Sequence[float] = (),
        *,
        rule: Rule = "precise",
        precision: float = PRECISION,
    ) -> None:
        """Begin with no rounds seen.

        answers: of every variant to every sample; None where the metric is not additive, which
        leaves the published rule only. deadlines_s: at which the tail quality is wanted.
        precision: half-width of its 90 % confidence interval, in quality.
        """
        self.limits = limits
        self.precision = precision
        self._answers = answers
        self._deadlines_s = deadlines_s
        self._rule: Rule = "converged" if answers is None else rule
        self._series: dict[tuple[int, int], latency.Convergence] = {}
        self._history: dict[int, profile.Convergence] = {}
        self._rjsd = math.inf

    @property
    def rjsd(self) -> float:
        """The published rule's figure when last looked at; inf: not yet."""
        return self._rjsd

    @property
    def half_width(self) -> float:
        """Our rule's figure when last looked at; inf: not yet, or the metric is not additive."""
        known = [at.half_width for at in self._history.values() if at.half_width is not None]
        return known[-1] if known else math.inf

    @property
    def history(self) -> tuple[profile.Convergence, ...]:
        """Both rules' figures whenever they were looked at, by rounds."""
        return tuple(self._history.values())

    def stop(self, rounds: Rounds, elapsed_s: float) -> StoppedBy | None:
        """Whether to stop before another cycle over the loads, and why.

        rounds: those measured so far, by load, equally many at each. elapsed_s: seconds spent.
        At least one round a load is measured whatever the budget.
        """
        count = min(len(done) for done in rounds.values())
        if count == 0:
            return None
        ended = self._ended(count, rounds, elapsed_s)
        may_stop = count >= self.limits.min_rounds
        looked = max(self._history, default=0)
        if ended or (may_stop and count >= _GROWTH * looked):
            self._look(count, rounds)
        elif may_stop and self._rule == "converged":  # cheap enough for every round
            self._rjsd = self._greatest_rjsd(rounds)
        if may_stop and self._met():
            if count not in self._history:
                self._look(count, rounds)
            return self._rule
        return "budget" if ended else None

    def told(self) -> str:
        """The figure that the rule goes by, when last looked at, for people; empty: not yet."""
        if self._rule == "converged":
            known, figure = self.rjsd, f", rJSD {self.rjsd:.3f} (to {ENOUGH:g})"
        else:
            known = self.half_width
            figure = f", 5 % tail to ±{100 * known:.2f} % (to {100 * self.precision:g})"
        return figure if math.isfinite(known) else ""

    def left_s(self, rounds: Rounds, elapsed_s: float) -> float | None:
        """Seconds until the limits end it at the latest, or None if there are no limits."""
        count = min(len(done) for done in rounds.values())
        bounds = []
        if self.limits.budget_s is not None:
            bounds.append(self.limits.budget_s - elapsed_s)
        if self.limits.max_rounds is not None and count:
            bounds.append((self.limits.max_rounds - count) * self._cycle_s(rounds))
        return max(0.0, min(bounds)) if bounds else None

    def _met(self) -> bool:
        if self._rule == "converged":
            return self._rjsd <= ENOUGH
        return self.half_width <= self.precision

    def _ended(self, count: int, rounds: Rounds, elapsed_s: float) -> bool:
        limits = self.limits
        if limits.max_rounds is not None and count >= limits.max_rounds:
            return True
        # A cycle that would end after the budget is not begun.
        expected_s = elapsed_s + self._cycle_s(rounds)
        return limits.budget_s is not None and expected_s > limits.budget_s

    def _look(self, count: int, rounds: Rounds) -> None:
        """Compute both figures and keep them."""
        self._rjsd = self._greatest_rjsd(rounds)
        self._history[count] = profile.Convergence(
            rounds=count,
            inferences=sum(len(part) for done in rounds.values() for part in done),
            rjsd=self._rjsd if math.isfinite(self._rjsd) else None,
            half_width=self._greatest_half_width(rounds),
        )

    def _greatest_half_width(self, rounds: Rounds) -> float | None:
        if self._answers is None:
            return None
        timed = concatenate([part for done in rounds.values() for part in done])
        evidence = evidence_of(self._answers, timed)
        return max(
            prediction.half_width
            for load in rounds
            for variant in range(len(evidence.variants))
            for prediction in predict(evidence, variant, load, self._deadlines_s)
        )

    def _greatest_rjsd(self, rounds: Rounds) -> float:
        worst = 0.0
        for load, done in rounds.items():
            for variant in range(len(done[0].variants)):
                series = self._series.setdefault((variant, load), latency.Convergence())
                latencies = [part.latency_s[part.variant == variant] for part in done]
                worst = max(worst, series.rjsd(latencies))
        return worst

    @staticmethod
    def _cycle_s(rounds: Rounds) -> float:
        """Seconds of the last cycle: from its first request to its last answer."""
        last = [done[-1] for done in rounds.values()]
        ended = max(
            float((part.sent_s + np.where(part.ok, part.latency_s, 0)).max()) for part in last
        )
        return ended - min(float(part.sent_s.min()) for part in last)

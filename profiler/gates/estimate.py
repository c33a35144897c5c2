"""What a plan's quality is in a profile, and how sure that is: of means and of other metrics."""

from dataclasses import dataclass, field
from typing import Protocol, Self

import numpy as np

from profiler.gates import interval
from profiler.gates.interval import Interval
from profiler.record.evidence import Evidence, Timed
from profiler.record.judging import Judge
from profiler.replay import replay, without_deadline
from profiler.replay.replayed import Floats, Ints, chosen
from profiler.tasks import quality
from tailq.plan import Plan, Single

# Of the samples, with replacement; they tell the standard error to a twentieth.
DRAWS = 200


class Estimate(Protocol):
    """Figures of plans in one profile. Intervals miss with probability at most `delta` each."""

    def known(self, plan: Plan) -> float:
        """Quality without a deadline, as measured."""
        ...

    def margin(self, plan: Plan, weight: float, reference: str, delta: float) -> Interval:
        """Quality of a plan less `weight` times that of the variant `reference`, nothing late."""
        ...

    def change(self, old: Self, variant: str, delta: float) -> Interval:
        """Quality of a variant less that in an older profile of the same samples, nothing late."""
        ...

    def lost(self, plan: Plan, load: int, deadline_s: float, delta: float) -> Interval:
        """What lateness costs in quality at a load and a deadline where latencies were measured."""
        ...


def estimate_of(evidence: Evidence, judge: Judge | None) -> Estimate:
    """How to estimate. judge: None where quality is the mean score."""
    return Means(evidence) if judge is None else Judgements(evidence, judge)


@dataclass(frozen=True)
class Means:
    """Of metrics that are means of scores: exact or finite-sample, but for rounds as clusters."""

    evidence: Evidence

    def known(self, plan: Plan) -> float:
        """See Estimate."""
        return float(without_deadline(plan, self.evidence).mean())

    def margin(self, plan: Plan, weight: float, reference: str, delta: float) -> Interval:
        """See Estimate."""
        score = without_deadline(plan, self.evidence)
        if weight == 0:
            return interval.mean(score, delta)
        others = self.evidence.score[:, self.evidence.index(reference)]
        return interval.difference(score - weight * others, delta)

    def change(self, old: "Means", variant: str, delta: float) -> Interval:
        """See Estimate."""
        plan = Single(variant=variant)
        scores = (without_deadline(plan, each.evidence) for each in (self, old))
        return interval.change(np.subtract(*scores), delta)

    def lost(self, plan: Plan, load: int, deadline_s: float, delta: float) -> Interval:
        """See Estimate. An answer in hand may be better than the one awaited in vain: a gain."""
        timed = self.evidence.by_load[load]
        undisturbed = without_deadline(plan, self.evidence)[timed.sample]
        change = replay(plan, self.evidence, load, deadline_s).score - undisturbed
        lost = interval.clustered_mean(np.maximum(-change, 0), timed.round, delta)
        if not (change > 0).any():
            return lost
        gained = interval.clustered_mean(np.maximum(change, 0), timed.round, delta)
        return Interval(lost.value - gained.value, lost.low - gained.high, lost.high - gained.low)


@dataclass(frozen=True)
class Judgements:
    """Of any other metric, approximate: bootstrap over samples (Efron 1979), t over rounds."""

    evidence: Evidence
    judge: Judge
    _known: dict[Plan, float] = field(default_factory=dict)
    _drawn: dict[Plan, Floats] = field(default_factory=dict)

    def known(self, plan: Plan) -> float:
        """See Estimate."""
        self._judge(plan)
        return self._known[plan]

    def margin(self, plan: Plan, weight: float, reference: str, delta: float) -> Interval:
        """See Estimate."""
        other = Single(variant=reference)
        value = self.known(plan) - (weight * self.known(other) if weight else 0.0)
        draws = self._draws(plan) - (weight * self._draws(other) if weight else 0.0)
        return interval.around(value, float(draws.std()), delta)

    def change(self, old: "Judgements", variant: str, delta: float) -> Interval:
        """See Estimate."""
        plan = Single(variant=variant)
        value = self.known(plan) - old.known(plan)
        return interval.around(value, float((self._draws(plan) - old._draws(plan)).std()), delta)

    def lost(self, plan: Plan, load: int, deadline_s: float, delta: float) -> Interval:
        """See Estimate. In each round a share of the quality that its answers would have had."""
        timed = self.evidence.by_load[load]
        left = replay(plan, self.evidence, load, deadline_s).answered
        ever = self._of_rounds(timed, chosen(plan, self.evidence)[timed.sample])
        kept = np.divide(self._of_rounds(timed, left), ever, out=np.ones_like(ever), where=ever > 0)
        return interval.over_rounds(self.known(plan) * (1 - kept), delta)

    def _of_rounds(self, timed: Timed, answered: Ints) -> Floats:
        """Quality in each round of what was answered to its requests, by column or -1: [R]."""
        held = self.judge(timed.sample, np.maximum(answered, 0))
        late = np.where(answered >= 0, 0.0, np.inf)
        every = np.arange(answered.size)
        return quality.quality_by_round(held, every, late, timed.round, [0.0])[:, 0]

    def _draws(self, plan: Plan) -> Floats:
        """Quality on samples drawn with replacement: [DRAWS]; the same ones for every plan."""
        self._judge(plan)
        return self._drawn[plan]

    def _judge(self, plan: Plan) -> None:
        if plan in self._known:
            return
        rng, n = np.random.default_rng(0), self.evidence.samples
        answers = chosen(plan, self.evidence)
        held = self.judge(np.arange(n), answers)
        self._known[plan] = quality.without_deadline(held)
        draws = [held.quality(rng.integers(n, size=n), np.array([n]))[0] for _ in range(DRAWS)]
        self._drawn[plan] = np.array(draws)

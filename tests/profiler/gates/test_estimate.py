"""Metrics that are no mean: estimated like means where both apply, and judged by the gates."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy import stats

from profiler.gates.check import check
from profiler.gates.compare import Measured, compare
from profiler.gates.estimate import Judgements, Means
from profiler.record.evidence import Evidence
from profiler.record.judging import Judge
from profiler.tasks.base import Scores
from profiler.tasks.f1 import WeightedF1
from tailq.plan import Cascade, Plan, Single
from tailq.profile import Metric
from tailq.tier import Reference
from tests import tables
from tests.profiler.tiers.services import Variant, population, profile_of, summary

CLASSES = 4
LARGE = Single(variant="large")
EVERYTHING = population(
    [Variant("small", 0.90, 0.004), Variant("large", 0.95, 0.02)], np.random.default_rng(1)
)


@dataclass(frozen=True)
class Accuracy:
    """A mean of scores that does not say so."""

    name: str = "f1"
    additive: bool = False

    def judge(self, labels: Sequence[int], answers: Sequence[int]) -> Scores:
        return Scores(np.equal(labels, answers).astype(np.float64))


def judge(evidence: Evidence, metric: Accuracy | WeightedF1) -> Judge:
    """Answers to samples of four classes that are as right as the evidence says."""
    labels = np.arange(evidence.samples) % CLASSES
    wrong = (labels + 1) % CLASSES
    answers = np.where(evidence.score == 1, labels[:, None], wrong[:, None])
    return Judge(metric, labels.astype(object), answers.astype(object))


@pytest.fixture
def evidence() -> Evidence:
    return profile_of(EVERYTHING, np.random.default_rng(2), samples=2000)


@pytest.mark.parametrize(
    "plan", [LARGE, Cascade(stages=("small", "large"), thresholds=(0.8,))], ids=str
)
def test_a_mean_is_estimated_as_by_its_own_method(evidence: Evidence, plan: Plan) -> None:
    """The same figures, and intervals about as wide."""
    mean, other = Means(evidence), Judgements(evidence, judge(evidence, Accuracy()))
    assert other.known(plan) == pytest.approx(mean.known(plan))
    for one, two in (
        (mean.margin(plan, 0.0, "large", 0.05), other.margin(plan, 0.0, "large", 0.05)),
        (mean.lost(plan, 4, 0.025, 0.05), other.lost(plan, 4, 0.025, 0.05)),
    ):
        assert two.value == pytest.approx(one.value, abs=0.01)
        assert 0.5 < (two.high - two.low) / (one.high - one.low) < 1.5


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    """The difference of two variants' qualities without a deadline, at 90 %."""
    truth = float(EVERYTHING.quality[0] - EVERYTHING.quality[1])
    repeats, rng = 150, np.random.default_rng(3)
    missed = 0
    for _ in range(repeats):
        seen = profile_of(EVERYTHING, rng, samples=600)
        estimate = Judgements(seen, judge(seen, Accuracy()))
        found = estimate.margin(Single(variant="small"), 1.0, "large", 0.1)
        missed += not found.low <= truth <= found.high
    assert stats.binomtest(missed, repeats, 0.1, alternative="greater").pvalue > 0.01, missed


def slower(evidence: Evidence) -> Evidence:
    by_load = {
        load: replace(timed, latency_s=2 * timed.latency_s)
        for load, timed in evidence.by_load.items()
    }
    return replace(evidence, by_load=by_load)


def test_a_promise_of_f1_is_checked(evidence: Evidence) -> None:
    """Kept as it was, broken twice as slow; that intervals are approximate is said."""
    made = tables.table(
        tables.tier("gold", 0.05, tables.promise(LARGE, 0.045, 0.9)), service="toys"
    ).model_copy(update={"metric": "f1", "reference": Reference(variant="large", quality=0.95)})
    profile = summary(evidence, additive=False)
    kept = check(made, profile, evidence, judge(evidence, WeightedF1()))
    assert kept.verdict == "kept"
    assert any("f1 is no mean over samples" in note for note in kept.notes)
    late = slower(evidence)
    assert check(made, profile, late, judge(late, WeightedF1())).verdict == "broken"


def test_profiles_judged_by_f1_are_compared(evidence: Evidence) -> None:
    """Quality at the deadline got worse; without one the same answers are the same."""
    metric = Metric(task="classification", name="f1", additive=False)
    old, new = (
        Measured(summary(seen, additive=False), seen, judge(seen, WeightedF1()))
        for seen in (evidence, slower(evidence))
    )
    assert old.profile.metric == metric
    found = compare(old, new, (0.03,))
    worse = {(c.variant, c.figure, c.deadline_s) for c in found.went("worse")}
    assert ("large", "quality", 0.03) in worse
    ever = next(c for c in found.changes if c.deadline_s is None and c.figure == "quality")
    assert (ever.change, ever.direction) == (0.0, "not shown")

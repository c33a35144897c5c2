"""Selection by bootstrap: against theory where there is one, and for metrics that are no mean."""

import numpy as np
import pytest
from scipy import stats

from profiler.record.evidence import Evidence
from profiler.record.judging import Judge
from profiler.tasks.f1 import WeightedF1
from profiler.tiers.bootstrap import Bootstrap
from tailq.plan import Single
from tailq.tier import Limit
from tests.profiler.tiers.services import Variant, compiled, population, profile_of

DEADLINE_S = 0.5


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    rng = np.random.default_rng(1)
    variants = [Variant("large", 0.95, 0.012), Variant("small", 0.93, 0.003)]
    return profile_of(population(variants, rng), rng)


def test_what_is_promised_is_the_quantile_of_the_resampled_quality(evidence: Evidence) -> None:
    """For right or wrong answers, nothing late, that is a binomial quantile."""
    proof = Bootstrap(evidence, "large").proof(
        Single(variant="small"), Limit(value=0.05), DEADLINE_S
    )
    timed = evidence.by_load[proof.load]
    share = evidence.score[timed.sample, 1].mean()
    theory = stats.binom(timed.sample.size, share).ppf(0.001) / timed.sample.size
    assert proof.quality == pytest.approx(theory, abs=0.003)
    assert proof.lost_at_most == 0


def test_lateness_is_lost_quality(evidence: Evidence) -> None:
    """At a deadline that half of the answers miss, about half of the quality is gone."""
    middle = float(np.median(evidence.by_load[4].latency_s[:, 0]))
    proof = Bootstrap(evidence, "large").proof(Single(variant="large"), Limit(value=0.05), middle)
    assert proof.load == 4
    assert proof.lost_at_most == pytest.approx(0.475, abs=0.05)
    assert proof.slack < -0.4


def test_a_metric_that_is_no_mean_is_resampled_by_itself(evidence: Evidence) -> None:
    """Weighted F1 of classes that are all alike is the accuracy, and selects the same plan."""
    rng = np.random.default_rng(2)
    labels = rng.integers(10, size=evidence.samples)
    wrong = (labels[:, None] + rng.integers(1, 10, size=evidence.score.shape)) % 10
    answers = np.where(evidence.score > 0, labels[:, None], wrong)
    judge = Judge(WeightedF1(), labels.astype(object), answers.astype(object))
    spec = {
        "method": "bootstrap",
        "tiers": {"gold": {"tolerance": 0.1, "deadlines_ms": [20]}},
    }
    by_f1, by_mean = compiled(evidence, spec, judge).table, compiled(evidence, spec).table
    [f1], [mean] = by_f1.tiers[0].promises, by_mean.tiers[0].promises
    assert by_f1.metric == "f1"
    assert (f1.rounds, mean.rounds is None) == (None, False)
    assert not any(each.classes for each in by_f1.served.values())
    assert f1.plan == mean.plan == Single(variant="small")
    assert f1.quality == pytest.approx(mean.quality, abs=0.005)
    assert f1.expected_quality == pytest.approx(mean.expected_quality, abs=0.005)

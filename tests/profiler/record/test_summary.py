"""Figures of profile.json against the definitions."""

import math
from dataclasses import replace

import numpy as np
import pytest

from profiler.record.evidence import evidence_of
from profiler.record.observations import Observations, concatenate
from profiler.record.summary import Floats, quality_of_rounds, summarise
from tests.profiler.columns import VARIANTS, answers, observations

KNOWN = [True, True, True, False]


def rounds(timed: Observations, deadlines_s: list[float]) -> Floats:
    """Quality of a variant that knows three of four samples; another was timed beside it."""
    beside = replace(timed, variant=np.ones_like(timed.variant))
    seen = evidence_of(answers([KNOWN, KNOWN]), concatenate([timed, beside]))
    return quality_of_rounds(seen, 0, 1, deadlines_s)


def test_on_time_rounds_have_the_accuracy_of_all_samples() -> None:
    """Where nothing is late, which samples a round drew does not matter."""
    timed = observations([0.01] * 3, [True, False, False], [0, 0, 1], sample=[0, 3, 3])
    assert rounds(timed, [0.02]) == pytest.approx(np.array([[0.75], [0.75]]))


def test_late_rounds_have_no_quality() -> None:
    """Where everything is late, quality is exactly 0."""
    timed = observations([0.03] * 3, [True, True, False], [0, 0, 1], sample=[0, 1, 3])
    assert rounds(timed, [0.02]).tolist() == [[0.0], [0.0]]


def test_a_round_loses_the_share_of_right_answers_that_came_late() -> None:
    """Half of the right answers late: half of the accuracy is left, at that deadline only."""
    timed = observations([0.01, 0.03, 0.03], [True, True, False], [0, 0, 0], sample=[0, 1, 3])
    assert rounds(timed, [0.02, 0.05]).tolist() == [[0.375, 0.75]]


def test_a_round_over_all_samples_has_its_own_quality() -> None:
    """If all samples are timed in a round, it is the plain definition of quality at a deadline."""
    timed = observations([0.01, 0.03, 0.01, 0.01], KNOWN, [0] * 4)
    assert rounds(timed, [0.02]).tolist() == [[0.5]]


def test_failed_requests_count_as_late() -> None:
    """A failed request would have been right: it is lost, not left out."""
    timed = observations([0.01, math.inf], [True, True], [0, 0], sample=[0, 1])
    assert rounds(timed, [0.02]).tolist() == [[0.375]]


def test_summary_tells_every_variant_and_load() -> None:
    """Accuracy from all answers; latencies, failures and the tail from each load's rounds."""
    timed = concatenate(
        [
            observations([0.01, 0.02, math.inf, 0.01], [True] * 4, [0, 0, 1, 1]),
            observations([0.04, 0.04, 0.06, 0.06], [True] * 4, [0, 0, 1, 1], load=2),
            observations([0.1] * 4, [True] * 4, [0, 0, 1, 1], variant=1),
            observations([0.1] * 4, [True] * 4, [0, 0, 1, 1], variant=1, load=2),
        ]
    )
    versions = {name: ("1", name * 8) for name in VARIANTS}
    fast, good = summarise(answers([[True] * 4, [True] * 4]), timed, [0.05], versions)
    assert (fast.name, fast.fingerprint, fast.quality) == ("fast", "fast" * 8, 1.0)
    one, two = fast.loads
    assert (one.load, one.rounds, one.requests, one.failed) == (1, 2, 4, 1)
    assert (one.p50_s, two.p50_s) == pytest.approx((0.01, 0.05))
    at = one.at_deadlines[0]
    assert (at.quality, at.tail_5, at.worst) == pytest.approx((0.75, 0.5, 0.5))
    assert two.at_deadlines[0].worst == 0.0
    assert [at.load for at in good.loads] == [1, 2]
    assert good.service_s == pytest.approx(0.1)
    assert good.calibration is not None
    assert good.calibration.expected_quality(0.9) == 1.0
    assert good.under_load is None  # a handful of requests tells no quantile


def test_latency_under_load_counts_the_work_of_all_variants_and_conditions() -> None:
    """Latency doubles while another variant's request, sent just before, is in flight."""
    n = 150
    rounds_ = [row // 10 for row in range(n)]
    idle = observations([0.1] * n, [True] * n, rounds_, sample=[0] * n)
    closed = [
        replace(idle, variant=np.full(n, v, np.int32), sent_s=idle.sent_s + v / 2) for v in (0, 1)
    ]
    second = replace(closed[0], load=np.zeros(n, np.int32), rate=np.full(n, 2.0))
    due = n + np.arange(float(n))
    other = replace(second, variant=np.ones(n, np.int32), sent_s=due)
    behind = replace(second, latency_s=np.full(n, 0.2), sent_s=due + 0.01)
    timed = concatenate([*closed, other, behind])
    versions = {name: ("1", name) for name in VARIANTS}
    fast, _ = summarise(answers([[True], [True]]), timed, [0.05], versions)
    assert fast.service_s == pytest.approx(0.1)
    assert fast.under_load is not None
    assert fast.under_load.outstanding_s == pytest.approx((0.0, 0.1))
    assert fast.under_load.quantiles[0].latency_s == pytest.approx((0.1, 0.2))

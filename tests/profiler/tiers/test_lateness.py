"""What is lost to lateness, and the bounds that plans with a threshold share."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.record.evidence import Evidence, Timed
from profiler.replay import replay, without_deadline
from profiler.tiers.candidates import THRESHOLDS
from profiler.tiers.lateness import BOUNDED, Lateness, lost
from tailq.guarantee import clustered_share
from tailq.plan import Cascade, Plan, Race, Single
from tests.profiler.replay.strategies import LOAD, SURE, deadlines, evidences, plans


def pair(kind: str, threshold: float) -> Cascade | Race:
    if kind == "cascade":
        return Cascade(stages=("a", "b"), thresholds=(threshold,))
    return Race(fast="a", accurate="b", threshold=threshold)


@given(evidences(), plans().filter(lambda plan: len(plan.variants) < 3), deadlines)
def test_whatever_is_worse_at_the_deadline_is_lost(
    evidence: Evidence, plan: Plan, deadline_s: float
) -> None:
    """No request whose answer is worse than without a deadline is missed by the count."""
    seen = replay(plan, evidence, LOAD, deadline_s)
    undisturbed = without_deadline(plan, evidence)[evidence.by_load[LOAD].sample]
    worse = seen.score < undisturbed
    assert np.all(lost(plan, evidence, LOAD, deadline_s) >= worse)
    assert np.mean(undisturbed - seen.score) <= np.mean(lost(plan, evidence, LOAD, deadline_s))


@given(evidences(), st.sampled_from(["cascade", "race"]), deadlines)
def test_a_lower_threshold_loses_no_other_request(
    evidence: Evidence, kind: str, deadline_s: float
) -> None:
    """What is lost is nested, so that a bound at a threshold holds for every lower one."""
    ascending = [lost(pair(kind, t), evidence, LOAD, deadline_s) for t in sorted(SURE)]
    for less, more in pairwise(ascending):
        assert np.all(less <= more)


@given(evidences(), plans().filter(lambda plan: isinstance(plan, Single)))
def test_nothing_is_lost_where_no_answer_was_worth_anything(evidence: Evidence, plan: Plan) -> None:
    """A late wrong answer costs no quality."""
    useless = Evidence(
        evidence.variants,
        np.zeros(evidence.score.shape),
        evidence.confidence,
        evidence.service_s,
        evidence.by_load,
    )
    assert not lost(plan, useless, LOAD, 0.0).any()


@given(evidences(), st.sampled_from(["cascade", "race"]), st.sampled_from(THRESHOLDS))
def test_a_bound_is_that_of_the_next_bounded_threshold(
    evidence: Evidence, kind: str, threshold: float
) -> None:
    """Every threshold of the grid has one at or above it, and bounds rise with the threshold."""
    assert BOUNDED[-1] == THRESHOLDS[-1]
    lateness = Lateness(evidence)
    next_one = min(bounded for bounded in BOUNDED if bounded >= threshold)
    bound = lateness.bound(pair(kind, threshold), 0.03, 0.05)
    timed = evidence.by_load[LOAD]
    events = lost(pair(kind, next_one), evidence, LOAD, 0.03)
    assert bound.upper == clustered_share(events, timed.round).upper(0.05)
    assert bound.load == LOAD


def test_the_bound_is_that_of_the_worst_load() -> None:
    """One load without a late answer does not hide another with many."""
    rng = np.random.default_rng(1)
    calm, busy = (
        evidences_at(rng.choice([0.01, slow], size=(400, 3), p=[0.9, 0.1])) for slow in (0.01, 1.0)
    )
    both = Evidence(
        calm.variants,
        calm.score,
        calm.confidence,
        calm.service_s,
        {1: calm.by_load[1], 7: busy.by_load[1]},
    )
    late = Lateness(both).bound(Single(variant="a"), 0.03, 0.05)
    assert late.load == 7
    assert late.upper == pytest.approx(0.1, abs=0.06)
    assert late.upper > 0.1


def evidences_at(latency_s: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Evidence:
    """One sample that everybody answers right, timed with these latencies [M, 3] at load 1."""
    m = len(latency_s)
    zeros = np.zeros(m, dtype=np.int64)
    timed = Timed(np.arange(m) // 20, zeros, np.zeros(latency_s.shape), latency_s)
    one = np.ones((1, 3))
    return Evidence(("a", "b", "c"), one, one, np.full(3, 0.01), {1: timed})

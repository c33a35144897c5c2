"""What is measured of a plan: by round, without the luck of which samples a round drew."""

import numpy as np
import pytest
from hypothesis import given

from profiler.record.evidence import Evidence, Timed
from profiler.replay import replay, without_deadline
from profiler.replay.replayed import Floats
from profiler.tiers.measured import quality_of_rounds
from tailq.plan import Plan, Race, Single
from tests.profiler.replay.strategies import LOAD, deadlines, evidences, plans

DEADLINE_S = 0.1
RACE = Race(fast="fast", accurate="good", threshold=0.0)


def race(late_rounds: int = 0, rounds: int = 40, size: int = 50) -> Evidence:
    """A race the fast variant is sure of, but that the accurate one wins as often in any round.

    In the first `late_rounds` rounds nothing comes in time in a request of five.
    """
    rng = np.random.default_rng(1)
    score = (rng.random((2000, 2)) < [0.80, 0.95]).astype(np.float64)
    place = np.arange(rounds * size)
    latency = np.where(place[:, None] % 2 == 0, [0.01, 0.02], [0.02, 0.01])
    latency[(place // size < late_rounds) & (place % 5 == 0)] = 1.0
    timed = Timed(
        place // size, rng.integers(2000, size=place.size), np.zeros(latency.shape), latency
    )
    return Evidence(("fast", "good"), score, np.ones(score.shape), np.ones(2), {LOAD: timed})


def rounds_of(plan: Plan, evidence: Evidence, deadline_s: float) -> Floats:
    seen = replay(plan, evidence, LOAD, deadline_s)
    return quality_of_rounds(plan, evidence, LOAD, seen, None)


def test_rounds_of_a_race_that_went_the_same_way_are_equal() -> None:
    """The accurate one answers half of each round: it is better by as much in every one."""
    rounds = rounds_of(RACE, race(), DEADLINE_S)
    assert np.ptp(rounds) < 1e-12
    assert rounds[0] == pytest.approx((0.80 + 0.95) / 2, abs=0.02)


def test_what_a_round_loses_to_lateness_is_still_its_own() -> None:
    """The rounds in which a request of five is late are a fifth worse, and no other is."""
    rounds = rounds_of(RACE, race(late_rounds=3), DEADLINE_S)
    assert rounds[:3] == pytest.approx(np.full(3, 0.8 * rounds[3]), abs=0.03)
    assert np.ptp(rounds[3:]) < 1e-12


@given(evidences(), plans(), deadlines)
def test_the_mean_of_all_requests_is_what_was_measured(
    evidence: Evidence, plan: Plan, deadline_s: float
) -> None:
    """Evening out moves what is lost between rounds and neither adds nor takes any."""
    timed = evidence.by_load[LOAD]
    one = Timed(np.zeros_like(timed.round), timed.sample, timed.sent_s, timed.latency_s)
    whole = Evidence(
        evidence.variants, evidence.score, evidence.confidence, evidence.service_s, {LOAD: one}
    )
    undisturbed = without_deadline(plan, whole)
    lost = undisturbed[one.sample] - replay(plan, whole, LOAD, deadline_s).score
    [quality] = rounds_of(plan, whole, deadline_s)
    assert quality == pytest.approx(float(np.clip(undisturbed.mean() - lost.mean(), 0, 1)))


def test_nothing_late_is_the_quality_without_a_deadline() -> None:
    """In every round alike."""
    evidence = race()
    rounds = rounds_of(Single(variant="good"), evidence, DEADLINE_S)
    assert rounds == pytest.approx(np.full(40, evidence.quality[1]))

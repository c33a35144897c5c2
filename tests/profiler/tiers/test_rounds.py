"""The quality of live rounds is foretold with the luck of the draw and with lateness in bursts."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from scipy.stats import binom

from profiler.record.evidence import Evidence, Timed
from profiler.replay import replay
from profiler.replay.replayed import Floats
from profiler.tiers.rounds import round_quality, simulated
from tailq.plan import Plan, Single
from tailq.tier import LIVE_ROUND, ROUND_LEVELS
from tests.profiler.predict.streams import bursts, independent
from tests.profiler.replay.strategies import LOAD, deadlines, evidences, plans

ACCURACY = 0.93
ONE = Single(variant="one")
DEADLINE_S = 0.02
ROUNDS = 40_000
# Slow 5 % of the time, for 50 requests on end.
BURSTS = bursts(0.05, 50)


def evidence(latency_s: Floats) -> Evidence:
    """One variant, right on 93 % of 1000 samples, whose answers in time order took so long."""
    m = latency_s.size
    score = (np.arange(1000) < 1000 * ACCURACY).astype(np.float64)[:, None]
    timed = Timed(
        round=np.arange(m) // 32,
        sample=np.arange(m) % 1000,
        sent_s=np.arange(m, dtype=np.float64)[:, None],
        latency_s=latency_s[:, None],
    )
    return Evidence(("one",), score, np.ones(score.shape), np.ones(1), {LOAD: timed})


def future(latencies: Callable[[np.random.Generator, int], Floats], seed: int) -> Floats:
    """Quality of rounds that come later: right or wrong by itself, in time as the stream has it."""
    rng = np.random.default_rng(seed)
    in_time = latencies(rng, ROUNDS * LIVE_ROUND) <= DEADLINE_S
    right = rng.random(in_time.size) < ACCURACY
    return np.asarray((right & in_time).reshape(ROUNDS, LIVE_ROUND).mean(axis=1))


def below(quality: Floats, tail: float) -> tuple[float, float]:
    """The share of rounds below it, and of those below or at it: rounds come in whole per cents."""
    return float((quality < tail - 1e-9).mean()), float((quality < tail + 1e-9).mean())


@pytest.mark.parametrize("late", [0.0, 0.02, 0.3])
def test_independent_lateness_gives_the_binomial_law(late: float) -> None:
    """The number of a hundred that are right and in time, up to one of them by simulation."""
    latency = np.where(np.arange(50_000) % 1000 < 1000 * late, 1.0, 0.001)
    shuffled = np.random.default_rng(1).permutation(latency)
    found = round_quality(ONE, evidence(shuffled), LOAD, DEADLINE_S).quality
    law = binom(LIVE_ROUND, ACCURACY * (1 - late)).ppf(ROUND_LEVELS) / LIVE_ROUND
    assert found == pytest.approx(law, abs=0.0101)
    assert found[3] == pytest.approx(law[3], abs=1e-9)


def test_one_round_in_twenty_falls_below_the_tail_also_where_lateness_comes_in_bursts() -> None:
    """Of rounds that come later; the same latencies in random order foretell a tail too high."""
    for latencies in (independent, BURSTS):
        record = latencies(np.random.default_rng(2), 2_000_000)
        tail = round_quality(ONE, evidence(record), LOAD, DEADLINE_S).quality[1]
        less, at_most = below(future(latencies, 3), tail)
        assert less <= 0.056
        assert at_most >= 0.046
    scattered = np.random.default_rng(4).permutation(record)
    wrong = round_quality(ONE, evidence(scattered), LOAD, DEADLINE_S).quality[1]
    assert below(future(BURSTS, 3), wrong)[0] > 0.08


@pytest.mark.statistics
@pytest.mark.parametrize(
    ("latencies", "size", "nominal"),
    [
        (independent, 2_500, (0.03, 0.05)),
        (BURSTS, 2_500, (0.04, 0.10)),
        (BURSTS, 10_000, (0.035, 0.07)),
    ],
)
def test_the_tail_covers_from_records_as_long_as_profiles_are(
    latencies: Callable[[np.random.Generator, int], Floats],
    size: int,
    nominal: tuple[float, float],
) -> None:
    """Over a hundred records, about one later round in twenty falls below the foretold 5 %."""
    later = future(latencies, 5)
    rng = np.random.default_rng(6)
    shares = []
    for _ in range(100):
        tail = round_quality(ONE, evidence(latencies(rng, size)), LOAD, DEADLINE_S, 4000).quality[1]
        shares.append(below(later, tail)[0])
    print(f"{size} requests: {np.mean(shares):.2%} of rounds below, of nominal 5 %")
    assert nominal[0] <= np.mean(shares) <= nominal[1]


@given(evidences(), plans(), deadlines)
def test_whatever_the_plan_rounds_have_the_mean_of_all_samples_at_all_moments(
    measured: Evidence, plan: Plan, deadline_s: float
) -> None:
    """Any sample may be asked at any moment of the record, each as often as any other."""
    timed = measured.by_load[LOAD]
    moments, samples = np.meshgrid(
        np.arange(timed.sample.size), np.arange(measured.samples), indexing="ij"
    )
    at, sample = moments.ravel(), samples.ravel()
    every = Timed(timed.round[at], sample, timed.sent_s[at], timed.latency_s[at])
    exact = replay(plan, replace(measured, by_load={LOAD: every}), LOAD, deadline_s).score
    rng = np.random.default_rng(7)
    quality = simulated(plan, measured, LOAD, deadline_s, 300, rng)
    # Six standard errors: requests of a round meet the same moments, so a round counts as one.
    error = np.sqrt(quality.var() / quality.size) + 1e-3
    assert abs(quality.mean() - exact.mean()) <= 6 * error


def test_the_record_is_taken_in_the_order_in_which_its_requests_were_sent() -> None:
    """Rows of a round lie by sample: what was slow on end must not be scattered by that."""
    slow = np.repeat([False, True], 200)
    shuffled = np.random.default_rng(8).permutation(400)
    measured = evidence(np.where(slow[shuffled], 1.0, 0.001))
    timed = replace(
        measured.by_load[LOAD], round=np.zeros(400, np.int64), sent_s=shuffled[:, None] * 1.0
    )
    quality = simulated(
        ONE,
        replace(measured, by_load={LOAD: timed}),
        LOAD,
        DEADLINE_S,
        500,
        np.random.default_rng(9),
    )
    assert (quality == 0).mean() == pytest.approx(101 / 400, abs=0.1)
    assert (quality > 0.8).mean() == pytest.approx(101 / 400, abs=0.1)


def test_a_record_shorter_than_a_round_is_begun_again() -> None:
    """A single timed request that was in time: all rounds are."""
    quality = round_quality(ONE, evidence(np.array([0.001])), LOAD, DEADLINE_S).quality
    assert quality[3] == pytest.approx(ACCURACY, abs=0.0101)

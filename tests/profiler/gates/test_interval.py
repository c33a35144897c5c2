"""Intervals against outside libraries, by simulated coverage, and where little is known."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from profiler.gates import interval
from profiler.gates.interval import Floats, Interval

Rng = np.random.Generator
REPEATS = 300
DELTA = 0.1

figures = st.tuples(*(st.floats(-1, 1) for _ in range(3))).map(
    lambda ends: Interval(sorted(ends)[1], min(ends), max(ends))
)


@given(figures, figures)
def test_a_difference_is_within_the_corners_and_no_surer_than_either(
    one: Interval, other: Interval
) -> None:
    """Between the best and the worst case of both, and at least as wide as each alone."""
    found = one.minus(other)
    assert one.low - other.high - 1e-9 <= found.low <= found.value
    assert found.value <= found.high <= one.high - other.low + 1e-9
    assert found.value - found.low >= max(one.value - one.low, other.high - other.value) - 1e-9


def test_symmetric_intervals_subtract_like_standard_errors() -> None:
    """3 and 4 give 5; what is not bounded stays so."""
    found = Interval(1, -2, 4).minus(Interval(0, -4, 4))
    assert (found.value, found.low, found.high) == (1, -4, 6)
    assert Interval(1, -2, math.inf).minus(Interval(0, 0, 0)).high == math.inf


@given(st.integers(0, 50), st.integers(1, 50))
def test_a_mean_of_right_and_wrong_is_scipys_exact_proportion(right: int, wrong: int) -> None:
    """Clopper and Pearson's interval, as scipy has it."""
    found = interval.mean([1.0] * right + [0.0] * wrong, 0.05)
    low, high = stats.binomtest(right, right + wrong).proportion_ci(0.95, "exact")
    assert [found.low, found.high] == pytest.approx([low, high])


@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 300))
def test_a_paired_difference_is_shown_when_mcnemar_shows_it(
    better: int, worse: int, same: int
) -> None:
    """The interval leaves out 0 exactly where the exact test, at its 0.45 of the risk, does."""
    found = interval.change([1.0] * better + [-1.0] * worse + [0.0] * same, 0.05)
    assert found.low <= found.value <= found.high
    if better + worse == 0:
        assert found.low < 0 < found.high
        return
    sign = stats.binomtest(max(better, worse), better + worse, alternative="greater")
    assert (found.low > 0 or found.high < 0) == (sign.pvalue < 0.45 * 0.05)


@pytest.mark.parametrize("differs", [(0.0, 0.02), (0.005, 0.02), (0.01, 0.01), (0.0, 0.002)])
@pytest.mark.parametrize("bound", [interval.difference, interval.change])
def test_a_paired_difference_is_covered(
    bound: Callable[[Floats, float], Interval], differs: tuple[float, float]
) -> None:
    """At least 90 % of the time, also where all pairs that differ do so in one direction."""
    better, worse = differs
    rng, repeats = np.random.default_rng(5), 200
    found = [
        bound(rng.choice([1.0, -1.0, 0.0], 800, p=[better, worse, 1 - better - worse]), DELTA)
        for _ in range(repeats)
    ]
    missed = sum(not one.low <= better - worse <= one.high for one in found)
    assert stats.binomtest(missed, repeats, DELTA, alternative="greater").pvalue > 0.01, missed


def test_graded_differences_are_bounded_by_betting() -> None:
    """Scores between 0 and 1 have an interval around their mean difference."""
    values = np.random.default_rng(3).uniform(-0.1, 0.3, 2000)
    found = interval.change(values, 0.05)
    assert found == interval.difference(values, 0.05)
    assert 0 < found.low < 0.1 < found.high < 0.2


@given(st.integers(1, 200), st.sampled_from([0.05, 0.5, 0.9]), st.sampled_from([0.2, 0.05, 1e-3]))
def test_a_quantile_of_independent_values_is_scipys(n: int, level: float, delta: float) -> None:
    """The distribution-free interval of scipy's quantile test, where it has both ends."""
    values = np.random.default_rng(n).normal(size=n)
    found = interval.independent_quantile(values, level, delta)
    tested = stats.quantile_test(values, p=level)
    scipys = np.asarray(tested.confidence_interval(1 - delta))
    for own, theirs in zip((found.low, found.high), scipys, strict=True):
        assert (own == theirs) or (math.isinf(own) and math.isnan(theirs))


def test_few_values_do_not_bound_an_extreme_quantile() -> None:
    """Of 20 values none needs to be above the 99 % quantile."""
    values, rounds = np.arange(20.0), np.arange(20) // 4
    found = interval.quantile(values, rounds, 0.99, 0.05)
    assert (found.high, found.low < 19) == (math.inf, True)
    assert interval.independent_quantile(values, 0.01, 0.05).low == -math.inf


def in_rounds(rng: Rng, rounds: int = 60, size: int = 30) -> tuple[Floats, Floats]:
    """Latencies of rounds, one in seven of which meets a machine three times slower."""
    slow = np.where(rng.random(rounds) < 1 / 7, 3.0, 1.0)
    latency = slow[:, None] * rng.lognormal(0, 0.3, (rounds, size))
    return latency.ravel(), np.repeat(np.arange(rounds), size)


def share_above(limit: float) -> float:
    """Share of such latencies above `limit`, in truth."""
    return float(6 / 7 * stats.lognorm.sf(limit, 0.3) + 1 / 7 * stats.lognorm.sf(limit / 3, 0.3))


def true_quantile(level: float) -> float:
    """Quantile of such latencies, in truth."""
    return float(optimize.brentq(lambda limit: share_above(limit) - (1 - level), 0.01, 100))


@pytest.mark.parametrize(
    ("estimate", "truth"),
    [
        (lambda t, round_: interval.clustered_mean(t > 2, round_, DELTA), share_above(2)),
        (lambda t, round_: interval.quantile(t, round_, 0.5, DELTA), true_quantile(0.5)),
        (lambda t, round_: interval.quantile(t, round_, 0.99, DELTA), true_quantile(0.99)),
    ],
    ids=["share", "median", "p99"],
)
def test_intervals_cover_the_truth_as_often_as_they_say(
    estimate: Callable[[Floats, Floats], Interval], truth: float
) -> None:
    """On latencies that depend on each other within rounds, at least 90 % of the time."""
    rng = np.random.default_rng(11)
    found = [estimate(*in_rounds(rng)) for _ in range(REPEATS)]
    missed = sum(not one.low <= truth <= one.high for one in found)
    assert stats.binomtest(missed, REPEATS, DELTA, alternative="greater").pvalue > 0.01, missed

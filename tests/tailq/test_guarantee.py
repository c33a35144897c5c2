"""Bounds against theory, an outside library, coverage simulations and degenerate data."""

import numpy as np
import pytest
from scipy import stats

from tailq.guarantee import (
    binomial_lower,
    binomial_upper,
    clustered_share,
    mean_exceeds,
    mean_lower,
    quality_lower,
    share,
)


@pytest.mark.parametrize(("successes", "n"), [(0, 10), (3, 10), (10, 10), (4740, 5000)])
@pytest.mark.parametrize("delta", [0.001, 0.05])
def test_binomial_bounds_are_those_of_clopper_and_pearson(
    successes: int, n: int, delta: float
) -> None:
    """Both bounds agree with SciPy's exact binomial interval."""
    interval = stats.binomtest(successes, n).proportion_ci(1 - 2 * delta, method="exact")
    assert binomial_lower(successes, n, delta) == pytest.approx(interval.low, abs=1e-9)
    assert binomial_upper(successes, n, delta) == pytest.approx(interval.high, abs=1e-9)


def broken_more_often_than(misses: int, runs: int, delta: float) -> bool:
    """Whether so many misses refute the nominal rate `delta` (one-sided, at 1 in 10,000)."""
    return bool(stats.binomtest(misses, runs, delta, alternative="greater").pvalue < 1e-4)


@pytest.mark.parametrize("spread", [0.5, 0.1, 0.02])
def test_the_betting_bound_covers_the_mean(spread: float) -> None:
    """A paired difference's lower bound exceeds its true mean no more often than delta."""
    rng = np.random.default_rng(1)
    delta, runs, n = 0.1, 600, 400
    chances = [0.6 * spread, 1 - spread, 0.4 * spread]
    draws = rng.choice([-1.0, 0.0, 1.0], size=(runs, n), p=chances)
    true = -0.2 * spread
    misses = sum(mean_lower(draw, delta, low=-1.0) > true for draw in draws)
    assert not broken_more_often_than(misses, runs, delta)


def test_the_betting_bound_is_tighter_than_hoeffding_on_paired_differences() -> None:
    """Where most pairs agree the bound costs less than a third of Hoeffding's."""
    rng = np.random.default_rng(2)
    values = rng.choice([-1.0, 0.0, 1.0], size=5000, p=[0.02, 0.965, 0.015])
    hoeffding = 2 * np.sqrt(np.log(1 / 0.001) / (2 * values.size))
    assert values.mean() - mean_lower(values, 0.001, low=-1.0) < hoeffding / 3


def test_the_betting_bound_of_constants_stays_in_range() -> None:
    """Constant values are bounded near themselves and never above."""
    assert mean_lower(np.zeros(1000), 0.05) == 0.0
    assert 0.99 < mean_lower(np.ones(1000), 0.05) <= 1.0
    assert 0.0 <= mean_lower([1.0], 0.05) < 0.5


def test_the_betting_bound_does_not_depend_on_the_order_of_the_data() -> None:
    """Data sorted by class, each class of its own quality, are bounded as covered as any."""
    rng = np.random.default_rng(5)
    delta, runs, by_class = 0.1, 400, np.array([0.95, 0.8, 0.6, 0.4])
    misses = sum(
        mean_lower((rng.random((4, 100)) < by_class[:, None]).ravel(), delta) > by_class.mean()
        for _ in range(runs)
    )
    assert not broken_more_often_than(misses, runs, delta)


@pytest.mark.parametrize("limit", [-1.1, -1.0, -0.05, -0.01, 0.0, 1.0])
def test_exceeding_a_limit_is_having_a_bound_above_it(limit: float) -> None:
    """The quick test and the bound agree."""
    rng = np.random.default_rng(6)
    values = rng.choice([-1.0, 0.0, 1.0], size=2000, p=[0.02, 0.97, 0.01])
    bound = mean_lower(values, 0.01, low=-1.0)
    assert abs(bound - limit) > 1e-4
    assert mean_exceeds(values, limit, 0.01, low=-1.0) == (bound > limit)


def test_graded_scores_are_bounded_by_betting_and_others_exactly() -> None:
    """Right or wrong gives Clopper and Pearson; anything between is covered all the same."""
    assert quality_lower([1, 1, 0, 1], 0.05) == binomial_lower(3, 4, 0.05)
    rng = np.random.default_rng(7)
    runs, delta = 400, 0.1
    misses = sum(quality_lower(rng.beta(8, 2, 300), delta) > 0.8 for _ in range(runs))
    assert not broken_more_often_than(misses, runs, delta)
    assert 0.75 < quality_lower(rng.beta(8, 2, 5000), delta) < 0.8


@pytest.mark.parametrize("values", [[], [1.5], [float("nan")]])
def test_values_that_break_the_betting_bound_are_refused(values: list[float]) -> None:
    """No values, values outside the range and NaN raise."""
    with pytest.raises(ValueError, match="values must be in"):
        mean_lower(values, 0.05)


def test_a_clustered_share_covers_where_an_independent_one_does_not() -> None:
    """With slow rounds the clustered bound keeps its rate; the naive one misses far more often."""
    rng = np.random.default_rng(3)
    rounds, size, delta, runs = 30, 32, 0.05, 800
    cluster = np.repeat(np.arange(rounds), size)
    # One round in five is slow and then a third of its requests are late.
    slow = np.where(rng.random((runs, rounds)) < 0.2, 0.33, 0.01)
    events = rng.random((runs, rounds, size)) < slow[:, :, None]
    true = 0.2 * 0.33 + 0.8 * 0.01
    ours = naive = 0
    for event in events.reshape(runs, -1):
        ours += clustered_share(event, cluster).upper(delta) < true
        naive += binomial_upper(event.sum(), event.size, delta) < true
    assert ours / runs < 0.08  # an approximation: 5 % nominal, and nowhere near the naive rate
    assert naive > 2 * ours


def test_independent_events_cost_little_for_being_clustered() -> None:
    """Without clustering the effective size stays near the number of requests."""
    rng = np.random.default_rng(4)
    effects = [
        clustered_share(rng.random(960) < 0.1, np.repeat(np.arange(30), 32)).design_effect
        for _ in range(200)
    ]
    assert 1.0 <= float(np.mean(effects)) < 1.5


def test_no_event_is_bounded_by_the_number_of_requests() -> None:
    """Nothing late in n requests leaves the rule of three, not zero."""
    upper = clustered_share(np.zeros(1000, dtype=bool), np.arange(1000) // 50).upper(0.05)
    assert upper == pytest.approx(3 / 1000, rel=0.01)


def test_a_share_of_delta_adds_up() -> None:
    """Statements that must all hold split the risk; nonsense is refused."""
    assert share(0.05, 10) == pytest.approx(0.005)
    with pytest.raises(ValueError, match="delta"):
        share(1.0, 3)


@pytest.mark.statistics
def test_bursts_that_were_profiled_are_covered(capsys: pytest.CaptureFixture[str]) -> None:
    """Where some slow round was seen the bound keeps its rate of 5 %, and the rest is printed.

    What no data can tell is how slow the rounds are that did not occur: with rare ones the bound
    misses about as often as there was none of them.
    """
    rng = np.random.default_rng(8)
    size, delta, runs = 64, 0.05, 2000
    lines = []
    for rounds, rare in ((30, 0.05), (30, 0.2), (80, 0.02), (80, 0.05), (80, 0.2)):
        cluster = np.repeat(np.arange(rounds), size)
        slow = rng.random((runs, rounds)) < rare
        events = rng.random((runs, rounds, size)) < np.where(slow, 0.3, 0.001)[:, :, None]
        true = rare * 0.3 + (1 - rare) * 0.001
        missed = np.array(
            [clustered_share(e, cluster).upper(delta) < true for e in events.reshape(runs, -1)]
        )
        several = slow.sum(axis=1) >= 3
        lines.append(
            f"  {rounds} rounds, {rare:.0%} slow: {missed.mean():.1%} missed; with three or more "
            f"slow ones {missed[several].mean():.1%}; none was slow in {(~slow.any(1)).mean():.1%}"
        )
        assert not broken_more_often_than(int(missed[several].sum()), int(several.sum()), delta)
    with capsys.disabled():
        print("\nlateness in bursts, nominal 5 %:", *lines, sep="\n")

"""The loss in a record, and how much less it says than independent requests would."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from profiler.predict.dispersion import observe
from tests.profiler.predict.streams import autoregressive, bursts, drifting, independent

DEADLINE = np.array([0.02])
LONG = 200_000


def dispersion(latency_s: NDArray[np.float64], deadline_s: float, requests: int = 1000) -> float:
    """Of a variant that is always right."""
    right = np.ones(len(latency_s))
    return float(observe(right, latency_s, np.array([deadline_s]), requests).dispersion[0])


def test_loss_is_the_share_of_the_quality_that_came_late() -> None:
    """Late wrong answers lose nothing; late half-right ones half as much; unanswered are late."""
    score = np.array([1.0, 0.0, 0.5, 1.0])
    loss = observe(score, np.array([0.03, 0.03, np.inf, 0.01]), np.array([0.02, 0.05]), 4)
    assert loss.share == pytest.approx([1.5 / 2.5, 0.5 / 2.5])


def test_independent_requests_are_worth_what_they_are() -> None:
    """Each right answer one coin, so with 90 % right a coin is 1 / 0.9 requests."""
    random = np.random.default_rng(0)
    score = (random.random(LONG) < 0.9).astype(np.float64)
    loss = observe(score, independent(random, LONG), np.array([0.012]), 1000)
    assert loss.independent == pytest.approx(1 / 0.9, rel=0.01)
    assert loss.dispersion[0] == pytest.approx(1 / 0.9, rel=0.1)


@pytest.mark.parametrize("correlation", [0.5, 0.9])
def test_dispersion_of_an_autoregressive_median_is_known(correlation: float) -> None:
    """Crossing its median, an AR(1) process has correlations 2/pi asin(rho^k): sum them."""
    latency = autoregressive(correlation)(np.random.default_rng(1), LONG)
    lags = np.arange(1, 500)
    exact = 1 + 2 * np.sum(2 / np.pi * np.arcsin(correlation**lags))
    assert dispersion(latency, 0.01) == pytest.approx(exact, rel=0.12)


def test_dispersion_of_bursts_is_known() -> None:
    """Two states: 1 + 2 r / (1 - r) with r the correlation of neighbours, here 1 - 1/l - 1/q."""
    latency = bursts(0.05, 50.0, factor=1000.0)(np.random.default_rng(2), 4 * LONG)
    r = 1 - 1 / 50 - 1 / 950
    assert dispersion(latency, 1.0) == pytest.approx((1 + r) / (1 - r), rel=0.15)


def test_slow_changes_are_found_by_comparing_stretches() -> None:
    """A drift that neighbours do not show counts many times what the neighbours would say."""
    latency = drifting(np.random.default_rng(3), 50_000)
    deadline = float(np.quantile(latency, 0.95))
    short = dispersion(latency, deadline, requests=1)  # rounds of one request know no drift
    assert dispersion(latency, deadline, requests=2000) > 2 * short


def test_few_late_answers_say_little_of_their_dispersion() -> None:
    """One late answer leaves the degrees of freedom near those known beforehand."""
    latency = np.full(5000, 0.01)
    latency[100] = 1.0
    loss = observe(np.ones(5000), latency, DEADLINE, 1000)
    assert 2 < loss.degrees[0] <= 4


def test_nothing_late_assumes_independence() -> None:
    """Nothing can be estimated; the same where everything is late."""
    for latency_s in (0.01, np.inf):
        loss = observe(np.ones(100), np.full(100, latency_s), DEADLINE, 50)
        assert loss.dispersion[0] == 1.0
        assert np.isinf(loss.degrees[0])


def test_a_variant_that_is_never_right_has_nothing_to_lose() -> None:
    """Its loss is the share of late answers, and its quality 0 whatever that is."""
    loss = observe(np.zeros(10), np.array([0.01] * 9 + [1.0]), DEADLINE, 10)
    assert loss.share[0] == pytest.approx(0.1)


@given(st.lists(st.sampled_from([0.01, 0.03, np.inf]), min_size=1, max_size=40), st.integers(1, 99))
def test_any_record_gives_figures_in_their_ranges(latency: list[float], requests: int) -> None:
    """A single request too."""
    loss = observe(np.ones(len(latency)), np.array(latency), np.array([0.02, 0.05]), requests)
    assert np.all((loss.share >= 0) & (loss.share <= 1))
    assert np.all((loss.dispersion >= 1) & (loss.dispersion <= max(len(latency), 1)))
    assert np.all(loss.degrees >= 2)

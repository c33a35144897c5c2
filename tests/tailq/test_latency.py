"""Latency densities, the distance between them, and the published rule for enough rounds."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.spatial.distance import jensenshannon
from scipy.stats import norm

from tailq.latency import ENOUGH, Convergence, Density, fit, js_distance

Floats = NDArray[np.float64]


def lognormal(seed: int, n: int, median_s: float = 0.01, sigma: float = 0.2) -> Floats:
    return np.random.default_rng(seed).lognormal(math.log(median_s), sigma, n)


def divergence(shift: float, sigma: float) -> float:
    """Jensen-Shannon divergence of two normals with equal spread, by quadrature, in nats."""

    def part(x: float) -> float:
        p, q = norm.pdf(x, 0, sigma), norm.pdf(x, shift, sigma)
        middle = (p + q) / 2
        return float(0.5 * (p * np.log(p / middle) + q * np.log(q / middle)))

    return float(quad(part, -8 * sigma, shift + 8 * sigma)[0])


def test_density_integrates_to_one() -> None:
    """A fitted density has all of its mass on a grid that spans the data."""
    density = fit(lognormal(0, 500))
    grid = np.linspace(density.log_latency.min() - 1, density.log_latency.max() + 1, 2048)
    assert density.on(grid).sum() * (grid[1] - grid[0]) == pytest.approx(1, abs=1e-3)


def test_density_follows_the_truth() -> None:
    """Fitted to many latencies of a log-normal law, all but 3 % of the mass is where it is."""
    grid = np.linspace(math.log(0.01) - 2, math.log(0.01) + 2, 1001)
    fitted = fit(lognormal(0, 20_000)).on(grid)
    truth = norm.pdf(grid, math.log(0.01), 0.2)
    assert np.abs(fitted - truth).sum() / 2 * (grid[1] - grid[0]) < 0.03


def test_unanswered_requests_do_not_shape_the_density() -> None:
    """A latency of inf is left out."""
    seconds = lognormal(0, 100)
    assert fit([*seconds, math.inf]).bandwidth == fit(seconds).bandwidth


@pytest.mark.parametrize("seconds", [[0.01] * 50, [0.01], [0.01, 0.02], [0.01] * 99 + [1.0]])
def test_degenerate_latencies_have_a_density(seconds: list[float]) -> None:
    """Few or equal latencies, for which Sheather and Jones have no solution, are fitted too."""
    density = fit(seconds)
    assert density.bandwidth > 0
    assert js_distance(density, density) == 0


@pytest.mark.parametrize("seconds", [[], [math.inf], [0.0], [-1.0], [math.nan]])
def test_what_is_no_latency_is_refused(seconds: list[float]) -> None:
    """NaN, no answers at all, and latencies that are not positive are a ValueError."""
    with pytest.raises(ValueError, match="latencies"):
        fit(seconds)


def test_distance_agrees_with_quadrature() -> None:
    """Between two normal kernels it is the root of the divergence found by integration."""
    one = Density(np.array([0.0]), 0.3)
    other = Density(np.array([0.5]), 0.3)
    assert js_distance(one, other) == pytest.approx(math.sqrt(divergence(0.5, 0.3)), rel=2e-3)


def test_distance_agrees_with_scipy() -> None:
    """On the same densities it is scipy.spatial.distance.jensenshannon."""
    one, other = fit(lognormal(0, 300)), fit(lognormal(1, 300, median_s=0.012))
    grid = np.linspace(math.log(0.01) - 3, math.log(0.01) + 3, 4096)
    expected = jensenshannon(one.on(grid), other.on(grid))
    assert js_distance(one, other) == pytest.approx(expected, rel=1e-3)


def test_distance_is_bounded_and_symmetric() -> None:
    """Equal densities are 0 apart, disjoint ones sqrt(ln 2), both ways the same."""
    near, far = fit(lognormal(0, 300)), fit(lognormal(0, 300, median_s=10.0))
    assert js_distance(near, near) == 0
    assert js_distance(near, far) == pytest.approx(math.sqrt(math.log(2)), rel=1e-6)
    assert js_distance(near, far) == pytest.approx(js_distance(far, near))


def test_too_few_rounds_have_no_rjsd() -> None:
    """The newest fit needs a window of fits before it."""
    rounds = [lognormal(seed, 50) for seed in range(5)]
    assert math.isinf(Convergence().rjsd(rounds))
    assert math.isfinite(Convergence().rjsd([*rounds, lognormal(5, 50)]))


def test_rounds_of_one_law_converge() -> None:
    """Where every round has the same latencies, enough is reached, and rJSD falls on the way."""
    rounds = [lognormal(seed, 2000) for seed in range(60)]
    rule = Convergence()
    early, late = rule.rjsd(rounds[:10]), rule.rjsd(rounds)
    assert late < early
    assert late <= ENOUGH * 1.5
    assert Convergence().rjsd([lognormal(0, 2000)] * 100) <= ENOUGH


def test_rounds_that_drift_do_not_converge() -> None:
    """Where latencies keep growing, rJSD stays above enough."""
    rounds = [lognormal(seed, 2000, median_s=0.01 * 1.1**seed) for seed in range(60)]
    assert Convergence().rjsd(rounds) > 2 * ENOUGH


def test_rule_is_the_published_formula() -> None:
    """The root of the mean distance between the newest fit and each of the 5 before it."""
    rounds = [lognormal(seed, 100) for seed in range(8)]
    fits = [fit(np.concatenate(rounds[:count])) for count in range(3, 9)]
    distances = [js_distance(fits[-1], earlier) for earlier in fits[:-1]]
    assert Convergence().rjsd(rounds) == pytest.approx(math.sqrt(np.mean(distances)))


def test_rule_resumed_says_the_same() -> None:
    """A rule that saw every round and one that sees them all at once agree."""
    rounds = [lognormal(seed, 100) for seed in range(9)]
    steady = Convergence()
    said = [steady.rjsd(rounds[:count]) for count in range(1, 10)]
    assert said[-1] == Convergence().rjsd(rounds)


def test_a_series_without_answers_has_no_rjsd() -> None:
    """Rounds in which nothing was answered never count as converged."""
    assert math.isinf(Convergence().rjsd([np.full(5, math.inf)] * 10))

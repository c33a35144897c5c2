"""The published method: densities and Monte Carlo."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from profiler.predict.published import distribution, in_time, predict
from profiler.predict.record import Record
from tailq.latency import fit

DEADLINES = np.array([0.01, 0.02])


def record(latency_s: NDArray[np.float64], samples: int = 200) -> Record:
    """Timed requests of samples in turn, all answered right."""
    return Record(np.ones(samples), np.arange(len(latency_s)) % samples, latency_s)


def test_share_in_time_is_the_integral_of_the_density() -> None:
    """The distribution function agrees with summing the kernel density up to the deadline."""
    latency = 0.01 * np.exp(0.3 * np.random.default_rng(0).standard_normal(400))
    density = fit(latency)
    grid = np.linspace(np.log(0.0005), np.log(0.2), 40_001)
    below = np.exp(grid) <= 0.012
    summed = density.on(grid)[below].sum() * (grid[1] - grid[0])
    assert distribution(latency, np.array([0.012])) == pytest.approx([summed], abs=1e-3)


def test_failed_requests_are_never_in_time() -> None:
    """Half of them failed, so at most half are in time, and none where all failed."""
    latency = np.where(np.arange(100) % 2, np.inf, np.linspace(0.004, 0.006, 100))
    assert distribution(latency, np.array([1.0])) == pytest.approx([0.5])
    assert distribution(np.full(5, np.inf), np.array([1.0])) == pytest.approx([0.0])


def test_rounds_follow_the_law_of_independent_requests() -> None:
    """Pooled densities give binomial rounds: mean and 5 % quantile agree with SciPy."""
    latency = 0.01 * np.exp(0.3 * np.random.default_rng(0).standard_normal(2000))
    seen = record(latency, samples=1000)
    rounds = predict(seen, DEADLINES, 1000, seed=3)
    p = distribution(latency, DEADLINES)
    assert rounds.mean(axis=0) == pytest.approx(p, abs=4 * np.sqrt(0.25 / 1000 / len(rounds)))
    expected = stats.binom.ppf(0.05, 1000, p) / 1000
    assert np.quantile(rounds, 0.05, axis=0) == pytest.approx(expected, abs=0.006)


def test_a_sample_timed_often_has_a_density_of_its_own() -> None:
    """A slow sample does not make the others late, nor do they make it quick."""
    random = np.random.default_rng(0)
    sample = np.repeat([0, 1, 2], [40, 40, 3])
    latency = np.where(sample == 0, 0.05, 0.005) * random.uniform(0.9, 1.1, len(sample))
    chances = in_time(Record(np.ones(3), sample, latency), DEADLINES[:1])[:, 0]
    assert chances[:2] == pytest.approx([0.0, 1.0], abs=1e-6)
    assert 0.3 < chances[2] < 0.7  # timed too rarely: what is known of all


def test_the_seed_decides_the_rounds() -> None:
    """The same prediction twice."""
    seen = record(0.01 * np.exp(0.3 * np.random.default_rng(0).standard_normal(200)))
    first = predict(seen, DEADLINES, 200, seed=1)
    assert np.array_equal(first, predict(seen, DEADLINES, 200, seed=1))
    assert not np.array_equal(first, predict(seen, DEADLINES, 200, seed=2))

"""Latency distributions: their density, how far two are apart, and when enough was measured.

The rule for "enough" is the published one (Yang et al., "Quality at the Tail of Machine Learning
Inference", arXiv 2212.13925, and its experiment scripts): fit a kernel density with the improved
Sheather-Jones bandwidth after every round, and stop when

    rJSD = sqrt(mean of the Jensen-Shannon distances between the newest fit and the 5 before it)

is at most 0.05. Distances use natural logarithms, as there, so one is at most sqrt(ln 2).

One thing differs: densities are fitted to log-latency. The distance is the same in any monotone
scale; the fit is better, because latencies span decades and one bandwidth in seconds is either
too wide for the body or too narrow for the tail.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from KDEpy import FFTKDE
from KDEpy.bw_selection import improved_sheather_jones
from numpy.typing import ArrayLike, NDArray
from scipy.special import rel_entr

Floats = NDArray[np.float64]

WINDOW = 5
ENOUGH = 0.05

_GRID = 1024
# Kernels reach this many bandwidths beyond the data; what lies outside is below 1e-6.
_REACH = 5.0
# Log-latency bandwidths below 0.1 % are finer than any clock or scheduler is steady.
_NARROWEST = 1e-3


@dataclass(frozen=True, slots=True)
class Density:
    """A Gaussian kernel density of log-latency.

    log_latency: [n] natural logarithms of seconds. bandwidth: in the same unit.
    """

    log_latency: Floats
    bandwidth: float

    def on(self, grid: Floats) -> Floats:
        """Density at the points of an equidistant `grid` (log-seconds) that spans the data."""
        values = FFTKDE(kernel="gaussian", bw=self.bandwidth).fit(self.log_latency).evaluate(grid)
        # The FFT leaves values of -1e-17 where the density is zero.
        return np.maximum(np.asarray(values, dtype=np.float64), 0.0)


def fit(latency_s: ArrayLike) -> Density:
    """Fit the density of latencies.

    latency_s: [n] seconds, n >= 1; unanswered requests (inf) have no place in it and are left
    out. Raises ValueError on NaN, latencies that are not positive, or none that is finite.
    """
    seconds = np.asarray(latency_s, dtype=np.float64)
    if np.isnan(seconds).any() or (seconds <= 0).any():
        raise ValueError("latencies must be positive seconds")
    answered = seconds[np.isfinite(seconds)]
    if answered.size == 0:
        raise ValueError("there are no latencies to fit")
    log_latency = np.log(answered)
    return Density(log_latency, max(_bandwidth(log_latency), _NARROWEST))


def js_distance(one: Density, other: Density) -> float:
    """Jensen-Shannon distance: root of the divergence, in nats; 0 (same) to sqrt(ln 2) = 0.83."""
    widest = _REACH * max(one.bandwidth, other.bandwidth)
    low = min(one.log_latency.min(), other.log_latency.min()) - widest
    high = max(one.log_latency.max(), other.log_latency.max()) + widest
    grid = np.linspace(low, high, _GRID)
    p, q = one.on(grid), other.on(grid)
    p, q = p / p.sum(), q / q.sum()
    middle = (p + q) / 2
    divergence = float(rel_entr(p, middle).sum() + rel_entr(q, middle).sum()) / 2
    # Rounding leaves a divergence of -1e-18 between equal densities.
    return math.sqrt(max(divergence, 0.0))


class Convergence:
    """rJSD of one series of rounds. Keeps the last fits, so that a new round costs one fit."""

    def __init__(self, window: int = WINDOW) -> None:
        self._window = window
        self._fits: dict[int, Density] = {}

    def rjsd(self, rounds: Sequence[ArrayLike]) -> float:
        """The rJSD after these rounds.

        rounds: latencies in seconds, one array [n] a round, all rounds from the first on; the
        same series as in the call before, perhaps longer. Returns inf while there are not more
        rounds than the window is long, or too few answers to fit.
        """
        newest = len(rounds)
        oldest = newest - self._window
        if oldest < 1 or not np.isfinite(np.concatenate(rounds[:oldest])).any():
            return math.inf
        self._fits = {
            count: self._fits.get(count) or fit(np.concatenate(rounds[:count]))
            for count in range(oldest, newest + 1)
        }
        last = self._fits[newest]
        distances = [js_distance(last, self._fits[count]) for count in range(oldest, newest)]
        return math.sqrt(sum(distances) / self._window)


def _bandwidth(log_latency: Floats) -> float:
    """Improved Sheather-Jones (Botev et al. 2010), or Silverman's rule where it has no solution.

    It has none for few or many equal values.
    """
    try:
        # Its search may overflow on the way to a sound result.
        with np.errstate(all="ignore"):
            bandwidth = float(improved_sheather_jones(log_latency[:, None]))
    except ValueError:
        return _silverman(log_latency)
    return bandwidth if math.isfinite(bandwidth) and bandwidth > 0 else _silverman(log_latency)


def _silverman(values: Floats) -> float:
    """Silverman, "Density Estimation" (1986), eq. 3.31."""
    low, high = np.quantile(values, [0.25, 0.75])
    spread = min(float(values.std()), float(high - low) / 1.349) or float(values.std())
    return float(0.9 * spread * values.size**-0.2)

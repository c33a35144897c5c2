"""Arrival processes: when requests are meant to be sent."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def poisson(rate: float, duration_s: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Arrival times in [0, duration_s), seconds ascending, of a Poisson process.

    rate: requests a second, > 0. Given their number, the arrivals are uniform order statistics.
    """
    return np.sort(rng.uniform(0.0, duration_s, size=rng.poisson(rate * duration_s)))


def with_bursts(
    rate: float,
    duration_s: float,
    bursts: Iterable[tuple[float, float, float]],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Like `poisson`, but in each burst `(from_s, to_s, factor)` at `factor` >= 1 times the rate.

    Poisson processes add up to one: each burst brings (factor - 1) * rate of its own.
    """
    parts = [poisson(rate, duration_s, rng)]
    for from_s, to_s, factor in bursts:
        length_s = max(0.0, min(to_s, duration_s) - from_s)
        parts.append(from_s + poisson((factor - 1) * rate, length_s, rng))
    return np.sort(np.concatenate(parts))

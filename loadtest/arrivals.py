"""Arrival processes: when requests are meant to be sent."""

import numpy as np
from numpy.typing import NDArray


def poisson(rate: float, duration_s: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Arrival times in [0, duration_s), seconds ascending, of a Poisson process.

    rate: requests a second, > 0. Given their number, the arrivals are uniform order statistics.
    """
    return np.sort(rng.uniform(0.0, duration_s, size=rng.poisson(rate * duration_s)))

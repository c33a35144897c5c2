"""The stationary bootstrap, to compare with: Politis & Romano 1994, "The stationary bootstrap".

Not in the library: its predictions cover no better than the overdispersed law's, and cost more.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def block_length(series: Floats) -> float:
    """Mean length of blocks: Politis & White 2004, corrected by Patton, Politis & White 2009."""
    size = len(series)
    centred = series - series.mean()
    if not centred.any():
        return 1.0
    run = max(5, int(np.sqrt(np.log10(size))))
    widest = int(np.ceil(np.sqrt(size))) + run
    covariance = (
        np.array([centred[lag:] @ centred[: size - lag] for lag in range(widest + 1)]) / size
    )
    small = np.abs(covariance[1:] / covariance[0]) < 2 * np.sqrt(np.log10(size) / size)
    runs = np.convolve(small, np.ones(run), "valid") == run
    last = int(np.argmax(runs)) if runs.any() else int(np.flatnonzero(~small)[-1]) + 1
    bandwidth = min(2 * max(last, 1), widest)
    lag = np.arange(1, bandwidth + 1)
    weight = np.minimum(1.0, 2 * (1 - lag / bandwidth)) * covariance[1 : bandwidth + 1]
    long_run = covariance[0] + 2 * weight.sum()
    curvature = 2 * (lag * weight).sum()
    length = (curvature**2 / long_run**2 * size) ** (1 / 3)
    return float(np.clip(length, 1.0, np.ceil(min(3 * np.sqrt(size), size / 3))))


def means(series: Floats, length: float, size: int, rounds: int, seed: int) -> Floats:
    """Means of resampled series of `size` values: [rounds]."""
    random = np.random.default_rng(seed)
    total = np.concatenate([[0.0], np.cumsum(np.concatenate([series, series]))])
    blocks = int(size / length + 6 * np.sqrt(size / length)) + 20
    lasting = random.geometric(1 / length, (rounds, blocks))
    ends = np.minimum(np.cumsum(lasting, axis=1), size)
    lasting = np.minimum(np.diff(ends, axis=1, prepend=0), len(series))
    start = random.integers(0, len(series), (rounds, blocks))
    return np.asarray((total[start + lasting] - total[start]).sum(axis=1) / size)


def tail_5(score: Floats, latency_s: Floats, deadline_s: float, requests: int) -> float:
    """The 5 % tail quality of rounds, predicted with the level of the record resampled too."""
    quality = float(score.mean())
    lost = score * (latency_s > deadline_s)
    length = block_length(lost)
    rounds = means(lost, length, requests, 1000, seed=1)
    levels = means(lost, length, len(lost), 100, seed=2)
    return float(quality - np.quantile(rounds + np.resize(levels, 1000) - lost.mean(), 0.95))

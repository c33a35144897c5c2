"""How much of its quality a variant lost to lateness, and how sure that is when requests depend.

A slow moment of the machine makes many neighbouring answers late, so a record of M requests says
less than M independent ones would. Everything here is about the *loss*: the share of the quality
that answers would have without a deadline which came too late. Its *dispersion* is by how much
the variance of a mean over many requests exceeds that of as many fair coins of the same share.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Sokal's window ends where it is so many times as wide as the correlation time.
_WINDOWS = 5.0
# A record is looked at in so many stretches for what changes slowly.
_STRETCHES = 10
# Standard errors by which the stretches must differ more than the window explains.
_CLEARLY = 2.0
# Degrees of freedom known beforehand: with fewer than two the dispersion would have no mean, and
# a single late answer would make anything seem possible.
_PRIOR = 2.0


@dataclass(frozen=True)
class Loss:
    """The loss at D deadlines in a record of consecutive requests.

    requests: their number M. share: [D] in [0, 1]. dispersion: [D], in fair coins of that share.
    degrees: [D] degrees of freedom of the dispersion, inf where it is not estimated.
    independent: the dispersion that independent requests have, >= 1 where scores differ.
    """

    requests: int
    share: Floats
    dispersion: Floats
    degrees: Floats
    independent: float

    def if_independent(self) -> "Loss":
        """The same loss, were requests known to be independent."""
        same = np.full_like(self.share, self.independent)
        return Loss(self.requests, self.share, same, np.full_like(same, np.inf), self.independent)


def observe(score: Floats, latency_s: Floats, deadlines_s: Floats, requests: int) -> Loss:
    """Measure the loss in a record.

    score: [M] what each answer is worth without a deadline, in [0, 1]. latency_s: [M] seconds, in
    the order in which the requests were sent; inf if unanswered. deadlines_s: [D]. requests: of a
    future round; slow changes matter up to its length.

    The dispersion is the integrated autocorrelation time with the window of Sokal ("Monte Carlo
    methods in statistical mechanics", 1997, section 3), corrected for the estimated mean (Wolff,
    hep-lat/0306017, eq. 49), degrees of freedom after Madras & Sokal (1988). Where stretches of a
    tenth of the record differ by clearly more than that explains (drift, other jobs that come and
    go), the variance between overlapping stretches is taken instead (Meketon & Schmeiser 1984).
    """
    worth = score if score.any() else np.ones_like(score)  # nothing to lose: any answer counts
    late = (latency_s[:, None] > deadlines_s).astype(np.float64)
    share = np.asarray(worth @ late / worth.sum())
    residual = worth[:, None] * (late - share) / worth.mean()
    coin = share * (1 - share)
    independent = float(np.mean(worth**2) / worth.mean() ** 2)
    variance, degrees = _long_run(residual, requests)
    varies = (coin > 0) & (variance > 0)
    dispersion = np.divide(variance, coin, out=np.full_like(coin, independent), where=varies)
    dispersion = np.clip(dispersion, independent, max(len(score), independent))
    # Bursts with exponential lengths have a dispersion of twice their mean length, estimated
    # with a relative variance of 2 / bursts: as many degrees of freedom as there were bursts.
    bursts = 2 * len(score) * np.minimum(share, 1 - share) / dispersion
    degrees = np.where(varies, np.minimum(degrees, bursts) + _PRIOR, np.inf)
    return Loss(len(score), share, dispersion, degrees, independent)


def _long_run(residual: Floats, requests: int) -> tuple[Floats, Floats]:
    """Long-run variance of each column [M, D], mean 0, and its degrees of freedom: [D], [D]."""
    windowed, degrees = _windowed(residual)
    stretch = max(1, min(requests, len(residual) // _STRETCHES))
    between = _between(residual, stretch)
    # Overlapping stretches are worth 1.5 times as many separate ones (Meketon & Schmeiser).
    degrees_between = max(1.5 * (len(residual) / stretch - 1), 1.0)
    slow = between > windowed * (1 + _CLEARLY * np.sqrt(2 / degrees_between))
    return np.where(slow, between, windowed), np.where(slow, degrees_between, degrees)


def _windowed(residual: Floats) -> tuple[Floats, Floats]:
    size = len(residual)
    covariance = _autocovariance(residual)
    variance = covariance[0]
    scale = np.where(variance > 0, variance, 1.0)
    time = 2 * np.cumsum(covariance / scale, axis=0) - 1  # 1 + 2 * (correlations at lags 1 ...)
    lag = np.arange(size)[:, None]
    widest = max(size // 4, 0)
    window = np.minimum(np.argmax((lag >= _WINDOWS * time) | (lag >= widest), axis=0), widest)
    inside = np.take_along_axis(time, window[None], axis=0)[0]
    counted = 2 * window + 1
    return variance * np.maximum(inside, 1.0) * (1 + counted / size), size / counted


def _autocovariance(residual: Floats) -> Floats:
    """Autocovariance of each column [M, D] at lags 0 ... M - 1: [M, D]."""
    size = len(residual)
    spectrum = np.fft.rfft(residual, n=2 * size, axis=0)
    return np.asarray(np.fft.irfft(np.abs(spectrum) ** 2, n=2 * size, axis=0)[:size] / size)


def _between(residual: Floats, stretch: int) -> Floats:
    """Long-run variance from the means of all stretches of so many consecutive requests."""
    size = len(residual)
    total = np.concatenate([np.zeros((1, residual.shape[1])), np.cumsum(residual, axis=0)])
    means = (total[stretch:] - total[:-stretch]) / stretch
    unbiased = size / max(size - stretch, 1)
    return np.asarray(np.mean(means**2, axis=0) * stretch * unbiased)

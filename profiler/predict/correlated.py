"""Quality of a future round when the lateness of neighbouring requests depends: the default.

The lost share of a round of n requests is beta-distributed with the loss's share as its mean and
the variance of n / dispersion fair coins: the continuous overdispersed binomial. Neither figure
is known exactly. The share has the posterior that M / dispersion coins give it (Jeffreys' prior,
so that a record without any late answer still allows for some); the dispersion is scaled inverse
chi-squared with its degrees of freedom. A round predicted with both drawn too falls below its
5 % quantile one time in twenty even where the record is short.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import special
from scipy.stats import qmc

from profiler.predict.dispersion import Loss

Floats = NDArray[np.float64]

_POINTS = 512
# Of share and dispersion as estimated, where lateness comes in bursts of exponential lengths X:
# cov(X, X**2 / 2 - X) / sqrt(E[X**2] E[(X**2 / 2 - X)**2]) = 1 / sqrt(2 * 2).
_CORRELATION = 0.5
_TAIL = 0.95  # of the loss; the 5 % tail of the quality


def _points() -> Floats:
    """Evenly spread points in the unit cube, the same ones always: [3, P]."""
    drawn = qmc.Sobol(3, scramble=False).random(_POINTS).T
    return np.asarray(drawn + 0.5 / _POINTS)


def predict(loss: Loss, requests: int) -> tuple[Floats, Floats]:
    """Predict the lost share of a round of `requests` requests.

    Returns a sample of its predictive distribution, [P, D], and of what its 95 % quantile may
    be in truth, as sure as the record makes it, [P, D].
    """
    for_dispersion, for_share, for_round = _points()
    dispersion = _dispersion(loss, for_dispersion, for_share)
    share = _share(loss, dispersion, for_share)
    return (
        _of_round(share, dispersion, requests, for_round[:, None]),
        _of_round(share, dispersion, requests, np.full((1, 1), _TAIL)),
    )


def _dispersion(loss: Loss, points: Floats, points_of_share: Floats) -> Floats:
    """Draw the dispersion, [P, D], large where the share is."""
    own, other = special.ndtri(points), special.ndtri(points_of_share)
    joint = special.ndtr(_CORRELATION * other + np.sqrt(1 - _CORRELATION**2) * own)
    finite = np.where(np.isfinite(loss.degrees), loss.degrees, 1.0)
    factor = finite / special.chdtri(finite, joint[:, None])
    drawn = loss.dispersion * np.where(np.isfinite(loss.degrees), factor, 1.0)
    return np.asarray(np.clip(drawn, loss.independent, max(loss.requests, loss.independent)))


def _share(loss: Loss, dispersion: Floats, points: Floats) -> Floats:
    coins = loss.requests / dispersion
    lost = loss.share * coins
    return np.asarray(special.betaincinv(lost + 0.5, coins - lost + 0.5, points[:, None]))


def _of_round(share: Floats, dispersion: Floats, requests: int, p: Floats) -> Floats:
    """Quantiles `p` of the lost share of a round."""
    # A coin or less a round: the whole of it is lost or none.
    coins = np.maximum(requests / dispersion, 1.001) - 1
    mean = np.clip(share, 1e-12, 1 - 1e-12)
    return np.asarray(special.betaincinv(mean * coins, (1 - mean) * coins, p))

"""Bounds that hold at finite sample sizes, and what they can promise together.

Every bound here is one-sided and fails with probability at most `delta`. Several bounds used
together, or the best of several picked by them, need their deltas to add up (`share`): that is
"Learn then Test" (Angelopoulos et al., arXiv 2110.01052) with Bonferroni's correction.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

Floats = NDArray[np.float64]


def share(delta: float, statements: int) -> float:
    """The delta of each of `statements` bounds if all must hold at once with 1 - `delta`."""
    if not 0 < delta < 1:
        raise ValueError(f"delta must be between 0 and 1, not {delta}")
    return delta / max(statements, 1)


def binomial_lower(successes: float, n: float, delta: float) -> float:
    """Exact lower bound of a proportion (Clopper & Pearson 1934).

    successes out of n >= 1 independent trials; both may be fractional (effective sizes).
    """
    if successes <= 0:
        return 0.0
    return float(special.betaincinv(successes, n - successes + 1, delta))


def binomial_upper(successes: float, n: float, delta: float) -> float:
    """Exact upper bound of a proportion (Clopper & Pearson 1934); see `binomial_lower`."""
    return 1.0 - binomial_lower(n - successes, n, delta)


def mean_lower(values: ArrayLike, delta: float, *, low: float = 0.0, high: float = 1.0) -> float:
    """Lower bound of the mean of independent values in [low, high], by betting.

    values: [n], in any order. Capital is staked on "the mean is above m" with the predictable
    plug-in bets of Waudby-Smith & Ramdas, arXiv 2010.09686, section 4 (one-sided); m is refuted
    once the capital has reached 1/delta (Ville's inequality). Adapts to the variance, so it is far
    tighter than Hoeffding's bound for paired differences, which are mostly 0.
    Returns a value in [low, high]. Raises ValueError on values outside or no values.
    """
    bets = _bets(values, delta, low, high)
    refutable, standing = 0.0, 1.0
    while standing - refutable > 1e-6:  # capital falls with m, so bisection finds the border
        middle = (refutable + standing) / 2
        if _refuted(bets, middle):
            refutable = middle
        else:
            standing = middle
    return low + (high - low) * refutable


def mean_exceeds(
    values: ArrayLike, limit: float, delta: float, *, low: float = 0.0, high: float = 1.0
) -> bool:
    """Whether `mean_lower` is above `limit`, at a twentieth of its cost."""
    if limit < low:
        return True
    return limit < high and _refuted(_bets(values, delta, low, high), (limit - low) / (high - low))


@dataclass(frozen=True)
class _Bets:
    """Values scaled to [0, 1] in the order of betting, the stake on each, the log capital asked."""

    x: Floats
    stakes: Floats
    goal: float


def _bets(values: ArrayLike, delta: float, low: float, high: float) -> _Bets:
    x = np.asarray(values, dtype=np.float64)
    if x.size == 0 or not np.all((x >= low) & (x <= high)):
        raise ValueError(f"values must be in [{low:g}, {high:g}], at least one")
    # Bets learn from what came before, which must not tell what comes: data sorted by class would.
    x = np.random.default_rng(0).permutation((x - low) / (high - low))
    n = np.arange(1, x.size + 1)
    mean = (0.5 + np.cumsum(x)) / (n + 1)
    variance = (0.25 + np.cumsum((x - mean) ** 2)) / (n + 1)
    before = np.concatenate(([0.25], variance[:-1]))  # bets may only use what came before
    goal = float(np.log(1 / delta))
    return _Bets(x, np.sqrt(2 * goal / (x.size * before)), goal)


def _refuted(bets: _Bets, mean: float) -> bool:
    # Three quarters of what could be lost are staked at most, so that capital stays positive.
    stakes = np.minimum(bets.stakes, 0.75 / mean) if mean > 0 else bets.stakes
    return bool(np.cumsum(np.log1p(stakes * (bets.x - mean))).max() >= bets.goal)


def quality_lower(scores: ArrayLike, delta: float) -> float:
    """Lower bound of the mean of independent scores in [0, 1]: [n].

    Exact binomial where every score is 0 or 1, by betting where they are graded.
    """
    x = np.asarray(scores, dtype=np.float64)
    if np.all((x == 0) | (x == 1)):
        return binomial_lower(float(x.sum()), x.size, delta)
    return mean_lower(x, delta)


@dataclass(frozen=True)
class ClusteredShare:
    """A share of events counted in clusters of requests, and how much the clusters cost.

    events, n: counts; an event may count in part. design_effect >= 1: by how much the variance of
    the share exceeds that of independent requests, estimated between clusters.
    """

    events: float
    n: int
    design_effect: float

    def lower(self, delta: float) -> float:
        """Lower bound of the share; see `upper`."""
        effective = self.n / self.design_effect
        return binomial_lower(self.events * effective / self.n, effective, delta)

    def upper(self, delta: float) -> float:
        """Upper bound of the share: Clopper-Pearson at the effective sample size.

        Korn & Graubard, "Confidence intervals for proportions with small expected number of
        positive counts estimated from survey data", Survey Methodology 24 (1998).
        """
        effective = self.n / self.design_effect
        return binomial_upper(self.events * effective / self.n, effective, delta)


def clustered_share(events: ArrayLike, cluster: ArrayLike) -> ClusteredShare:
    """Count events in clusters; requests of one cluster may depend on each other in any way.

    events: [n] bool, or in [0, 1]. cluster: [n] int, for example the round: one slow second of
    the machine hits many requests of one round. The design effect carries the t-quantile's
    correction for few clusters (ratio of squared 97.5 % quantiles), as Korn & Graubard do.
    Where no event was seen its clustering cannot be estimated, and none is assumed.
    """
    event = np.asarray(events, dtype=np.float64)
    _, row = np.unique(np.asarray(cluster), return_inverse=True)
    n, clusters = event.size, int(row.max()) + 1
    p = float(event.mean())
    if p in (0.0, 1.0) or clusters < 2:
        return ClusteredShare(float(event.sum()), n, 1.0)
    # Variance of a ratio of cluster totals (Cochran 1977, eq. 6.4), against p (1 - p) / n.
    residual = np.bincount(row, weights=event) - p * np.bincount(row)
    between = clusters / (clusters - 1) * float(np.sum(residual**2)) / n**2
    few = (stats.t.ppf(0.975, clusters - 1) / stats.t.ppf(0.975, n - 1)) ** 2
    design_effect = float(max(1.0, between / (p * (1 - p) / n) * few))
    return ClusteredShare(float(event.sum()), n, design_effect)

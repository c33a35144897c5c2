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

    values: [n]. The bettor stakes on "the mean is above m" with the predictable plug-in bets of
    Waudby-Smith & Ramdas, arXiv 2010.09686, section 4 (one-sided); m is refuted once the capital
    has reached 1/delta (Ville's inequality). Adapts to the variance, so it is far tighter than
    Hoeffding's bound for paired differences, which are mostly 0.
    Returns a value in [low, high]. Raises ValueError on values outside or no values.
    """
    x = np.asarray(values, dtype=np.float64)
    if x.size == 0 or not np.all((x >= low) & (x <= high)):
        raise ValueError(f"mean_lower needs values in [{low:g}, {high:g}], at least one")
    x = (x - low) / (high - low)
    n = np.arange(1, x.size + 1)
    mean = (0.5 + np.cumsum(x)) / (n + 1)
    variance = (0.25 + np.cumsum((x - mean) ** 2)) / (n + 1)
    before = np.concatenate(([0.25], variance[:-1]))  # bets may only use what came before
    bets = np.sqrt(2 * np.log(1 / delta) / (x.size * before))
    goal = np.log(1 / delta)

    def refuted(m: float) -> bool:
        # Half of what could be lost at most is staked, so that capital stays positive.
        stakes = np.minimum(bets, 0.5 / m)
        return bool(np.cumsum(np.log1p(stakes * (x - m))).max() >= goal)

    refutable, standing = 0.0, 1.0
    while standing - refutable > 1e-6:  # capital falls with m, so bisection finds the border
        middle = (refutable + standing) / 2
        if refuted(middle):
            refutable = middle
        else:
            standing = middle
    return low + (high - low) * refutable


@dataclass(frozen=True)
class ClusteredShare:
    """A share of events counted in clusters of requests, and how much the clusters cost.

    events, n: counts. design_effect >= 1: by how much the variance of the share exceeds that of
    independent requests, estimated between clusters.
    """

    events: int
    n: int
    design_effect: float

    def upper(self, delta: float) -> float:
        """Upper bound of the share: Clopper-Pearson at the effective sample size.

        Korn & Graubard, "Confidence intervals for proportions with small expected number of
        positive counts estimated from survey data", Survey Methodology 24 (1998).
        """
        effective = self.n / self.design_effect
        return binomial_upper(self.events * effective / self.n, effective, delta)


def clustered_share(events: ArrayLike, cluster: ArrayLike) -> ClusteredShare:
    """Count events in clusters; requests of one cluster may depend on each other in any way.

    events: [n] bool. cluster: [n] int, for example the round: one slow second of the machine
    hits many requests of one round. The design effect carries the t-quantile's correction for
    few clusters (ratio of squared 97.5 % quantiles), as Korn & Graubard do.
    Where no event was seen its clustering cannot be estimated, and none is assumed.
    """
    event = np.asarray(events, dtype=np.float64)
    _, row = np.unique(np.asarray(cluster), return_inverse=True)
    n, clusters = event.size, int(row.max()) + 1
    p = float(event.mean())
    if p in (0.0, 1.0) or clusters < 2:
        return ClusteredShare(int(event.sum()), n, 1.0)
    # Variance of a ratio of cluster totals (Cochran 1977, eq. 6.4), against p (1 - p) / n.
    residual = np.bincount(row, weights=event) - p * np.bincount(row)
    between = clusters / (clusters - 1) * float(np.sum(residual**2)) / n**2
    few = (stats.t.ppf(0.975, clusters - 1) / stats.t.ppf(0.975, n - 1)) ** 2
    return ClusteredShare(int(event.sum()), n, float(max(1.0, between / (p * (1 - p) / n) * few)))

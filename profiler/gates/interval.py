"""Confidence intervals of the figures that gates compare, and of differences between them.

Every interval is two-sided: it misses the truth with probability at most `delta`, half on each
side. An end that is not known is infinite.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from tailq.guarantee import (
    binomial_lower,
    binomial_upper,
    clustered_share,
    mean_lower,
    quality_lower,
)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """An estimate and the ends of its confidence interval."""

    value: float
    low: float
    high: float

    def minus(self, other: "Interval") -> "Interval":
        """Interval of the difference of two independent figures, each within its own interval.

        Zou & Donner, "Construction of confidence limits about effect measures", Statistics in
        Medicine 27 (2008), "MOVER": the difference of the estimates, less and more by the roots of
        the summed squares of the distances to the ends that matter.
        """
        value = self.value - other.value
        return Interval(
            value,
            value - float(np.hypot(self.value - self.low, other.high - other.value)),
            value + float(np.hypot(self.high - self.value, other.value - other.low)),
        )


def mean(values: ArrayLike, delta: float) -> Interval:
    """Mean of independent scores in [0, 1]: [n]. Exact binomial for 0 and 1, else by betting."""
    x = np.asarray(values, dtype=np.float64)
    return Interval(
        float(x.mean()), quality_lower(x, delta / 2), 1 - quality_lower(1 - x, delta / 2)
    )


def difference(values: ArrayLike, delta: float) -> Interval:
    """Mean of paired differences in [-1, 1], by betting: [n]."""
    x = np.asarray(values, dtype=np.float64)
    low, high = mean_lower(x, delta / 2, low=-1.0), -mean_lower(-x, delta / 2, low=-1.0)
    return Interval(float(x.mean()), low, high)


def change(values: ArrayLike, delta: float) -> Interval:
    """Like `difference`, but made to tell whether there is one: [n].

    Where both scores of a pair are 0 or 1, the mean is the share of pairs that differ times by how
    much more often the new one is better among these. The latter, which alone has the sign, gets
    nine tenths of the risk (McNemar's exact test, inverted), the share the rest (Clopper-Pearson).
    """
    x = np.asarray(values, dtype=np.float64)
    if not np.isin(x, (-1.0, 0.0, 1.0)).all():
        return difference(x, delta)
    differ, better = np.count_nonzero(x), np.count_nonzero(x > 0)
    # Either end needs one end of each factor, but which one of the share the other tells.
    sign, size = 0.45 * delta, 0.025 * delta
    fewest, most = binomial_lower(differ, x.size, size), binomial_upper(differ, x.size, size)
    low = 2 * binomial_lower(better, differ, sign) - 1
    high = 2 * binomial_upper(better, differ, sign) - 1
    return Interval(
        float(x.mean()),
        low * (fewest if low > 0 else most),
        high * (fewest if high < 0 else most),
    )


def clustered_mean(values: ArrayLike, cluster: ArrayLike, delta: float) -> Interval:
    """Mean of values in [0, 1] that depend on each other within clusters: [n], cluster [n] int.

    See tailq.guarantee.clustered_share; values between 0 and 1 vary less than events do.
    """
    share = clustered_share(values, cluster)
    return Interval(share.events / share.n, share.lower(delta / 2), share.upper(delta / 2))


def quantile(values: ArrayLike, cluster: ArrayLike, level: float, delta: float) -> Interval:
    """Quantile of values that depend on each other within clusters: [n], cluster [n] int.

    level in (0, 1). Woodruff, "Confidence intervals for medians and other position measures",
    JASA 47 (1952): the interval of the share below the estimate, read back through the values.
    """
    x = np.asarray(values, dtype=np.float64)
    value = _at(x, level)
    effective = x.size / clustered_share(x > value, cluster).design_effect
    below, above = level * effective, (1 - level) * effective
    # With so few effective values all may lie on one side of the true quantile.
    low_known = (1 - level) ** effective <= delta / 2
    high_known = level**effective <= delta / 2
    return Interval(
        value,
        _at(x, binomial_lower(below, effective, delta / 2)) if low_known else -np.inf,
        _at(x, 1 - binomial_lower(above, effective, delta / 2)) if high_known else np.inf,
    )


def independent_quantile(values: ArrayLike, level: float, delta: float) -> Interval:
    """Quantile of independent values [n], by order statistics: distribution-free, exact.

    level in (0, 1). David & Nagaraja, "Order Statistics", 3rd ed. 2003, section 7.1.
    """
    x = np.sort(np.asarray(values, dtype=np.float64))
    low = int(stats.binom.ppf(delta / 2, x.size, level))
    high = int(stats.binom.ppf(1 - delta / 2, x.size, level))
    return Interval(
        _at(x, level),
        float(x[low - 1]) if low >= 1 else -np.inf,
        float(x[high]) if high < x.size else np.inf,
    )


def around(value: float, error: float, delta: float) -> Interval:
    """A figure whose estimate is about normal with this standard error."""
    reach = float(stats.norm.isf(delta / 2)) * error
    return Interval(value, value - reach, value + reach)


def over_rounds(values: ArrayLike, delta: float) -> Interval:
    """Mean of independent rounds [R], by Student's t; of one round nothing is known."""
    x = np.asarray(values, dtype=np.float64)
    value = float(x.mean())
    if x.size < 2:
        return Interval(value, -np.inf, np.inf)
    reach = float(stats.t.isf(delta / 2, x.size - 1) * stats.sem(x))
    return Interval(value, value - reach, value + reach)


def _at(values: Floats, level: float) -> float:
    return float(np.quantile(values, level, method="inverted_cdf"))

"""Quantiles of histograms, as Prometheus' histogram_quantile() has them."""

from collections.abc import Sequence


def quantile(level: float, buckets: Sequence[tuple[float, float]]) -> float | None:
    """The value that a share `level` in (0, 1] of observations does not exceed, about.

    buckets: (upper edge, observations at or below it), edges ascending, the last one infinite.
    Between edges observations are taken to be evenly spread, the lowest bucket to begin at 0; above
    the last finite edge it is that edge. None: there are no observations, or no two buckets. See
    https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile
    """
    if len(buckets) < 2 or buckets[-1][1] <= 0:
        return None
    rank = level * buckets[-1][1]
    number = next((i for i, (_, count) in enumerate(buckets) if count >= rank), len(buckets) - 1)
    if number == len(buckets) - 1:
        return buckets[-2][0]
    edge, count = buckets[number]
    if number == 0:
        return edge if edge <= 0 else edge * (rank / count)
    lower, below = buckets[number - 1]
    return lower + (edge - lower) * ((rank - below) / (count - below))

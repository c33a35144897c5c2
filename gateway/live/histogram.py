"""A histogram in plain numbers."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import Final

# Seconds. The tiers' deadlines are added to these.
EDGES: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Histogram:
    """Counts by bucket; `edges` in seconds, ascending, an observation at an edge lies below it."""

    __slots__ = ("counts", "edges", "total")

    def __init__(self, edges: Iterable[float]) -> None:
        self.edges = tuple(sorted(set(edges)))
        self.counts = [0] * (len(self.edges) + 1)
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        """Count one observation."""
        self.counts[bisect_left(self.edges, seconds)] += 1
        self.total += seconds

    def buckets(self) -> list[tuple[str, float]]:
        """Cumulative counts by upper edge, as Prometheus has them."""
        cumulated, buckets = 0, []
        for edge, count in zip((*map(repr, self.edges), "+Inf"), self.counts, strict=True):
            cumulated += count
            buckets.append((edge, float(cumulated)))
        return buckets

    def at(self, edges: Iterable[float]) -> "Histogram":
        """The same observations with other edges.

        Exact at every edge that both have, so no counter falls there; an old bucket without its
        own upper edge is counted at the next one.
        """
        other = Histogram(edges)
        other.total = self.total
        other.counts[-1] = self.counts[-1]
        for edge, count in zip(self.edges, self.counts, strict=False):
            other.counts[bisect_left(other.edges, edge)] += count
        return other


def cumulative_at(edge: float, cumulative: Mapping[float, float]) -> float:
    """Observations known to lie at or below `edge`, of counts by edge that need not contain it."""
    return max((count for known, count in cumulative.items() if known <= edge), default=0.0)

"""A histogram in plain numbers."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

# Seconds. The tiers' deadlines are added to these.
EDGES: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Exemplar(NamedTuple):
    """One observation that can be looked at. trace_id: hexadecimal digits. at: Unix time."""

    trace_id: str
    value: float
    at: float


class Histogram:
    """Observations by bucket; edges ascend, an observation at an edge lies below it.

    counts: by bucket, the last one above all edges; fractions where it was not certain in which
    one an observation lies. count: of observations. total: their sum. exemplars: the newest of
    each bucket, by its number.
    """

    __slots__ = ("count", "counts", "edges", "exemplars", "total")

    def __init__(self, edges: Iterable[float]) -> None:
        self.edges = tuple(sorted(set(edges)))
        self.counts: list[float] = [0] * (len(self.edges) + 1)
        self.count = 0
        self.total = 0.0
        self.exemplars: dict[int, Exemplar] = {}

    def observe(self, value: float) -> None:
        """Count one observation."""
        self.counts[bisect_left(self.edges, value)] += 1
        self.count += 1
        self.total += value

    def observe_spread(self, expected: Sequence[float], count: int, total: float) -> None:
        """Count observations of which only a law is known.

        expected: how many are expected in each bucket, adding up to `count`. total: their sum.
        """
        self.counts = [a + b for a, b in zip(self.counts, expected, strict=True)]
        self.count += count
        self.total += total

    def show(self, value: float, trace_id: str, at: float) -> None:
        """One of the observations is on this trace; see Exemplar."""
        self.exemplars[bisect_left(self.edges, value)] = Exemplar(trace_id, value, at)

    def buckets(self) -> list[tuple[str, float]]:
        """Cumulative counts by upper edge, as Prometheus has them; the last is `count`."""
        # Sums of fractions drift; none may be above the last.
        below = [min(float(each), float(self.count)) for each in accumulate(self.counts[:-1])]
        edges = (*map(repr, self.edges), "+Inf")
        return list(zip(edges, (*below, float(self.count)), strict=True))

    def at(self, edges: Iterable[float]) -> "Histogram":
        """The same observations with other edges.

        Exact at every edge that both have, so no counter falls there; an old bucket without its
        own upper edge is counted at the next one.
        """
        other = Histogram(edges)
        other.count, other.total = self.count, self.total
        other.counts[-1] = self.counts[-1]
        for edge, count in zip(self.edges, self.counts, strict=False):
            other.counts[bisect_left(other.edges, edge)] += count
        for exemplar in sorted(self.exemplars.values(), key=lambda one: one.at):
            other.show(exemplar.value, exemplar.trace_id, exemplar.at)
        return other


def cumulative_at(edge: float, cumulative: Mapping[float, float]) -> float:
    """Observations known to lie at or below `edge`, of counts by edge that need not contain it."""
    return max((count for known, count in cumulative.items() if known <= edge), default=0.0)

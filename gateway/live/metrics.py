"""Every metric of the gateway. The hot path counts in plain numbers; a scrape renders them.

Labels are bounded by the tier table: service, tier, variant, outcome. All counters and histograms
can be summed across replicas.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from gateway.dataplane import Answer, Outcome
from tailq.tier import TierTable

REQUESTS: Final = (
    "tailq_requests",
    "Requests by how they ended; tier and variant are empty where it did not come that far.",
)
DURATION: Final = (
    "tailq_request_duration_seconds",
    "From the head of a request to its answer. Each deadline of the tier is a bucket's edge.",
)
UPSTREAM_DURATION: Final = (
    "tailq_upstream_duration_seconds",
    "What Triton took, abandoned requests included, until it really ended.",
)
OUTSTANDING: Final = (
    "tailq_outstanding",
    "Requests in flight at Triton, abandoned ones included: the load that decisions see.",
)
UPSTREAM_UP: Final = ("tailq_upstream_up", "1 if Triton answered last, 0 if it did not.")
PROMISE: Final = (
    "tailq_promise_ratio",
    "Promised share of requests answered right and in time, at the tier's own deadline.",
)
EXPECTED: Final = (
    "tailq_expected_quality_ratio",
    "The same share as it was measured for the profile.",
)
DEADLINE: Final = ("tailq_tier_deadline_seconds", "The tier's own deadline.")

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


class Metrics(Collector):
    """A dataplane.Recorder, and a collector for prometheus-client's registry.

    outstanding, upstream_up: read at scrape; None: not known yet.
    """

    def __init__(
        self,
        table: TierTable,
        outstanding: Callable[[], int],
        upstream_up: Callable[[], bool | None],
    ) -> None:
        self._table = table
        self._outstanding = outstanding
        self._upstream_up = upstream_up
        self._requests: dict[tuple[str, str, Outcome], int] = {}
        self._durations = {
            tier.name: Histogram((*EDGES, *(promise.deadline_s for promise in tier.promises)))
            for tier in table.tiers
        }
        self._upstream = {variant: Histogram(EDGES) for variant in sorted(table.variants)}
        for tier in table.tiers:  # present from the start, so that a first failure is an increase
            for variant in sorted(tier.variants):
                for outcome in ("on_time", "late", "failed"):
                    self._requests[tier.name, variant, outcome] = 0

    # dataplane.Recorder

    def answered(self, answer: Answer) -> None:
        """See dataplane.Recorder."""
        decision = answer.decision
        tier = decision.tier.name
        key = (tier, decision.plan.variants[0], answer.outcome)
        self._requests[key] = self._requests.get(key, 0) + 1
        self._durations[tier].observe(answer.total_s)

    def refused(self) -> None:
        """See dataplane.Recorder."""
        key: tuple[str, str, Outcome] = ("", "", "invalid")
        self._requests[key] = self._requests.get(key, 0) + 1

    def upstream_ended(self, variant: str, seconds: float) -> None:
        """See dataplane.Recorder."""
        self._upstream[variant].observe(seconds)

    # prometheus_client.registry.Collector

    def collect(self) -> Iterator[Metric]:
        """See prometheus_client: the present numbers."""
        service = self._table.service
        requests = CounterMetricFamily(*REQUESTS, labels=("service", "tier", "variant", "outcome"))
        for (tier, variant, outcome), count in self._requests.items():
            requests.add_metric((service, tier, variant, outcome), count)
        yield requests
        yield _histograms(DURATION, "tier", service, self._durations)
        yield _histograms(UPSTREAM_DURATION, "variant", service, self._upstream)
        yield GaugeMetricFamily(*OUTSTANDING, value=self._outstanding())
        up = self._upstream_up()
        if up is not None:
            yield GaugeMetricFamily(*UPSTREAM_UP, value=up)
        yield from self._promises()

    def _promises(self) -> Iterator[Metric]:
        families = [
            GaugeMetricFamily(*metric, labels=("service", "tier"))
            for metric in (PROMISE, EXPECTED, DEADLINE)
        ]
        for tier in self._table.tiers:
            promise = tier.promises[-1]
            values = (promise.quality, promise.expected_quality, promise.deadline_s)
            for family, value in zip(families, values, strict=True):
                family.add_metric((self._table.service, tier.name), value)
        yield from families


def _histograms(
    metric: tuple[str, str], label: str, service: str, histograms: dict[str, Histogram]
) -> Metric:
    family = HistogramMetricFamily(*metric, labels=("service", label))
    for name, histogram in histograms.items():
        family.add_metric((service, name), histogram.buckets(), sum_value=histogram.total)
    return family

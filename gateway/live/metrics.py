"""Every metric of the gateway. The hot path counts in plain numbers; a scrape renders them.

Labels are bounded by the tier table and the settings: service, tier, variant, outcome, endpoint,
client, and a few fixed words. Counters and histograms can be summed across processes and replicas;
what a sum over worker processes does with a gauge is said beside its name.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from gateway.dataplane import Answer, Outcome
from gateway.live.histogram import EDGES, Histogram
from tailq.tier import TierTable

Named = tuple[str, str]
# Series that are there from the start, so that a first one is an increase.
_FROM_THE_START: Final[tuple[Outcome, ...]] = ("on_time", "best_effort", "late", "shed", "failed")
# What becomes of a gauge that several processes have. sum: of what each holds. max, min: of what
# all see of the same thing.
Rule = Literal["sum", "max", "min"]
_Labels = TypeVar("_Labels", bound=tuple[str, ...])

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
ASKS: Final = ("tailq_asks", "Requests that Triton was asked for answers to.")
BEST_EFFORT: Final = (
    "tailq_best_effort",
    "Answers by the deadline that are held to no promise, by why.",
)
CLIENT_REQUESTS: Final = (
    "tailq_client_requests",
    "Requests that a client was allowed; none are counted for clients without key or bounds.",
)
SHED: Final = (
    "tailq_shed",
    "Requests that were not tried, by what kept the promise; load: waits and held bodies, too.",
)
REFUSALS: Final = (
    "tailq_client_refusals",
    "Requests that a client was not allowed, by why; client is empty where it is not known.",
)
RETRIES: Final = ("tailq_upstream_retries", "Requests that were asked at a second endpoint.")
EJECTIONS: Final = (
    "tailq_upstream_ejections",
    "How often an endpoint (variant is empty), or a variant at one, was left out for a while.",
)
RELOADS: Final = ("tailq_reloads", "Changed files that were taken (ok) or refused.")
RESTARTS: Final = ("tailq_worker_restarts", "Worker processes that ended unbidden.")
WORKERS: Final = ("tailq_workers", "Worker processes that serve.")
OUTSTANDING: Final = (
    "tailq_outstanding",
    "Requests at Triton now, abandoned ones included.",
)
OUTSTANDING_SECONDS: Final = (
    "tailq_outstanding_seconds",
    "Device-seconds that the requests at Triton now are worth.",
)
OTHERS: Final = (
    "tailq_others_outstanding",
    "Requests at Triton that are not this process's, as far as is seen: of sibling workers, and of "
    "other gateways where Triton's metrics are read.",
)
OTHERS_SECONDS: Final = (
    "tailq_others_outstanding_seconds",
    "Device-seconds that they are worth.",
)
DRAIN: Final = (
    "tailq_drain_ratio",
    "Device-seconds of work that end at Triton in a second while requests wait for a place.",
)
IN_FLIGHT: Final = ("tailq_in_flight", "Requests at Triton now, by variant.")
WAITING: Final = ("tailq_waiting", "Requests that wait for a place.")
LIMIT: Final = ("tailq_limit", "Requests that may be at Triton at once, by variant.")
CORRECTION: Final = (
    "tailq_latency_correction_ratio",
    "Latency as observed over latency as profiled, by which decisions are corrected.",
)
FINGERPRINT: Final = (
    "tailq_fingerprint_match",
    "Whether Triton serves what was profiled, as far as it tells.",
)
UPSTREAM_UP: Final = ("tailq_upstream_up", "Whether Triton answered when last asked.")
UPSTREAM_EJECTED: Final = (
    "tailq_upstream_ejected",
    "Whether an endpoint is left out for now: it is down, or its requests failed.",
)
PROMISE: Final = (
    "tailq_promise_ratio",
    "Quality at the tier's own deadline that is promised.",
)
EXPECTED: Final = (
    "tailq_expected_quality_ratio",
    "Quality at the tier's own deadline as it was measured by the profile.",
)
DEADLINE: Final = ("tailq_tier_deadline_seconds", "The tier's own deadline.")

GAUGES: Final[dict[str, Rule]] = {
    OUTSTANDING[0]: "sum",
    OUTSTANDING_SECONDS[0]: "sum",
    OTHERS[0]: "max",
    OTHERS_SECONDS[0]: "max",
    DRAIN[0]: "sum",
    IN_FLIGHT[0]: "sum",
    WAITING[0]: "sum",
    WORKERS[0]: "sum",
    LIMIT[0]: "min",
    CORRECTION[0]: "max",
    FINGERPRINT[0]: "min",
    UPSTREAM_UP[0]: "min",
    UPSTREAM_EJECTED[0]: "max",
    PROMISE[0]: "max",
    EXPECTED[0]: "max",
    DEADLINE[0]: "max",
    # Of prometheus-client's process collector.
    "process_virtual_memory_bytes": "sum",
    "process_resident_memory_bytes": "sum",
    "process_open_fds": "sum",
    "process_max_fds": "min",
    "process_start_time_seconds": "min",
}


def _none() -> dict[str, float]:
    return {}


def _none_by_two() -> dict[tuple[str, str], float]:
    return {}


@dataclass(frozen=True, slots=True)
class Views:
    """What other parts have to say at a scrape: by variant or by endpoint, absent: not known.

    in_flight, outstanding_s: at Triton now, requests and the device-seconds they are worth. others:
    both, of others. waiting: for a place. drain: device-seconds of work a second. limits: places.
    corrections: observed over profiled latency. matches: 1 as profiled, 0 not. up, ejected:
    endpoints, 1 or 0. ejections: so far, by endpoint and variant. retries: so far. admitted,
    refusals: requests of clients so far, by client, and by client and why.
    """

    in_flight: Callable[[], Mapping[str, float]] = _none
    outstanding_s: Callable[[], float] = float
    others: Callable[[], tuple[int, float]] = lambda: (0, 0.0)
    waiting: Callable[[], int] = int
    drain: Callable[[], float] = float
    limits: Callable[[], Mapping[str, float]] = _none
    corrections: Callable[[], Mapping[str, float]] = _none
    matches: Callable[[], Mapping[str, float]] = _none
    up: Callable[[], Mapping[str, float]] = _none
    ejected: Callable[[], Mapping[str, float]] = _none
    ejections: Callable[[], Mapping[tuple[str, str], float]] = _none_by_two
    retries: Callable[[], int] = int
    admitted: Callable[[], Mapping[str, float]] = _none
    refusals: Callable[[], Mapping[tuple[str, str], float]] = _none_by_two


class Metrics(Collector):
    """A dataplane.Recorder, and a collector for prometheus-client's registry."""

    def __init__(self, table: TierTable, views: Views) -> None:
        self._views = views
        self._requests: dict[tuple[str, str, Outcome], int] = {}
        self._durations: dict[str, Histogram] = {}
        self._upstream: dict[str, Histogram] = {}
        self._asks: dict[str, int] = {}
        self._best_effort: dict[tuple[str, str], int] = {}
        self._shed: dict[tuple[str, str], int] = {}
        self.reload(table)

    def reload(self, table: TierTable) -> None:
        """Other tiers from now on. What was counted stays; no counter falls."""
        self._table = table
        for tier in table.tiers:
            edges = (*EDGES, *(promise.deadline_s for promise in tier.promises))
            before = self._durations.get(tier.name, Histogram(()))
            self._durations[tier.name] = before.at(edges)
            for variant in sorted(tier.variants):
                for outcome in _FROM_THE_START:
                    self._requests.setdefault((tier.name, variant, outcome), 0)
        for variant in sorted(table.variants):
            self._upstream.setdefault(variant, Histogram(EDGES))
            self._asks.setdefault(variant, 0)

    # dataplane.Recorder

    def answered(self, answer: Answer) -> None:
        """See dataplane.Recorder."""
        tier = answer.decision.tier.name
        key = (tier, answer.variant, answer.outcome)
        self._requests[key] = self._requests.get(key, 0) + 1
        self._durations[tier].observe(answer.total_s)
        for variant in answer.asked:
            self._asks[variant] += 1
        if answer.outcome in ("best_effort", "shed"):
            counts = self._best_effort if answer.outcome == "best_effort" else self._shed
            why = (tier, answer.best_effort or "load")
            counts[why] = counts.get(why, 0) + 1

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
        yield _counters(REQUESTS, ("tier", "variant", "outcome"), service, self._requests)
        yield _histograms(DURATION, "tier", service, self._durations)
        yield _histograms(UPSTREAM_DURATION, "variant", service, self._upstream)
        yield _counters(ASKS, ("variant",), service, _by_one(self._asks))
        yield _counters(BEST_EFFORT, ("tier", "reason"), service, self._best_effort)
        yield _counters(SHED, ("tier", "reason"), service, self._shed)
        yield from self._seen()
        yield from self._promises()

    def _seen(self) -> Iterator[Metric]:
        """What the other parts say."""
        views, service = self._views, self._table.service
        in_flight = views.in_flight()
        yield GaugeMetricFamily(*OUTSTANDING, value=sum(in_flight.values()))
        yield GaugeMetricFamily(*OUTSTANDING_SECONDS, value=views.outstanding_s())
        others, others_s = views.others()
        yield GaugeMetricFamily(*OTHERS, value=others)
        yield GaugeMetricFamily(*OTHERS_SECONDS, value=others_s)
        yield GaugeMetricFamily(*WAITING, value=views.waiting())
        yield GaugeMetricFamily(*DRAIN, value=views.drain())
        yield CounterMetricFamily(*RETRIES, value=views.retries())
        yield _counters(EJECTIONS, ("endpoint", "variant"), service, views.ejections())
        yield _counters(CLIENT_REQUESTS, ("client",), service, _by_one(views.admitted()))
        yield _counters(REFUSALS, ("client", "reason"), service, views.refusals())
        for metric, label, values in (
            (IN_FLIGHT, "variant", in_flight),
            (LIMIT, "variant", views.limits()),
            (CORRECTION, "variant", views.corrections()),
            (FINGERPRINT, "variant", views.matches()),
            (UPSTREAM_UP, "endpoint", views.up()),
            (UPSTREAM_EJECTED, "endpoint", views.ejected()),
        ):
            family = GaugeMetricFamily(*metric, labels=("service", label))
            for name, value in values.items():
                family.add_metric((service, name), value)
            yield family

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


def _by_one(counts: Mapping[str, float]) -> Mapping[tuple[str], float]:
    return {(name,): count for name, count in counts.items()}


def _counters(
    metric: Named, labels: tuple[str, ...], service: str, counts: Mapping[_Labels, float]
) -> Metric:
    family = CounterMetricFamily(*metric, labels=("service", *labels))
    for values, count in counts.items():
        family.add_metric((service, *values), count)
    return family


def _histograms(
    metric: Named, label: str, service: str, histograms: Mapping[str, Histogram]
) -> Metric:
    family = HistogramMetricFamily(*metric, labels=("service", label))
    for name, histogram in histograms.items():
        family.add_metric((service, name), histogram.buckets(), sum_value=histogram.total)
    return family


def reloads(counts: Mapping[tuple[str, str], int]) -> Iterable[Metric]:
    """The metric of the files that were reloaded, by what they hold and what came of it."""
    family = CounterMetricFamily(*RELOADS, labels=("file", "result"))
    for labels, count in counts.items():
        family.add_metric(labels, count)
    return (family,)


def workers(serving: int, restarts: int) -> Iterable[Metric]:
    """The metrics of worker processes."""
    return (
        GaugeMetricFamily(*WORKERS, value=serving),
        CounterMetricFamily(*RESTARTS, value=restarts),
    )

"""What a scrape sees."""

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from gateway.dataplane import Answer, Outcome
from gateway.live.metrics import EDGES, Histogram, Metrics
from tailq.route import Ask, Load, Router
from tests.tables import promise, table, tier

TABLE = table(
    tier("gold", 0.0, promise("large", 0.2, 0.93), promise("large", 0.5, 0.94)),
    tier("fast", 0.1, promise("small", 0.03, 0.87)),
)


def samples(metrics: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    registry = CollectorRegistry()
    registry.register(metrics)
    text = generate_latest(registry).decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(metrics: Metrics, name: str, **labels: str) -> float:
    return samples(metrics)[name, frozenset(labels.items())]


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(TABLE, lambda: 3, lambda: True)


def answer(tier_name: str, outcome: Outcome, total_s: float) -> Answer:
    return Answer(outcome, Router(TABLE).decide(Ask(tier=tier_name), 0.0, Load()), None, total_s)


def test_requests_are_counted_by_how_they_ended(metrics: Metrics) -> None:
    """One counter with bounded labels; requests that never had a tier have empty ones."""
    metrics.answered(answer("fast", "on_time", 0.01))
    metrics.answered(answer("fast", "on_time", 0.01))
    metrics.answered(answer("fast", "late", 0.03))
    metrics.refused()
    fast = {"service": "fashion", "tier": "fast", "variant": "small"}
    assert value(metrics, "tailq_requests_total", outcome="on_time", **fast) == 2
    assert value(metrics, "tailq_requests_total", outcome="late", **fast) == 1
    none = {"service": "fashion", "tier": "", "variant": ""}
    assert value(metrics, "tailq_requests_total", outcome="invalid", **none) == 1


def test_series_exist_before_the_first_request(metrics: Metrics) -> None:
    """A first failure is an increase from zero, not a new series that rate() would miss."""
    gold = {"service": "fashion", "tier": "gold", "variant": "large"}
    for outcome in ("on_time", "late", "failed"):
        assert value(metrics, "tailq_requests_total", outcome=outcome, **gold) == 0


def test_every_deadline_is_a_buckets_edge(metrics: Metrics) -> None:
    """Answers by the deadline are below the edge, later ones above: no interpolation needed."""
    metrics.answered(answer("fast", "on_time", 0.03))
    metrics.answered(answer("fast", "late", 0.0301))
    bucket = "tailq_request_duration_seconds_bucket"
    assert value(metrics, bucket, service="fashion", tier="fast", le="0.03") == 1
    assert value(metrics, bucket, service="fashion", tier="fast", le="+Inf") == 2
    for edge in ("0.2", "0.5"):
        assert value(metrics, bucket, service="fashion", tier="gold", le=edge) == 0


def test_promises_are_exported_beside(metrics: Metrics) -> None:
    """Promise, expectation and deadline of each tier's own deadline; load and upstream's state."""
    gold = {"service": "fashion", "tier": "gold"}
    assert value(metrics, "tailq_promise_ratio", **gold) == 0.94
    assert value(metrics, "tailq_expected_quality_ratio", **gold) == pytest.approx(0.95)
    assert value(metrics, "tailq_tier_deadline_seconds", **gold) == 0.5
    assert value(metrics, "tailq_outstanding") == 3
    assert value(metrics, "tailq_upstream_up") == 1


def test_upstream_times_are_by_variant(metrics: Metrics) -> None:
    """What Triton took is the variant's, not the tier's."""
    metrics.upstream_ended("small", 0.004)
    name = "tailq_upstream_duration_seconds"
    assert value(metrics, f"{name}_count", service="fashion", variant="small") == 1
    assert value(metrics, f"{name}_sum", service="fashion", variant="small") == 0.004


def test_a_histogram_counts_every_observation_once() -> None:
    """Observations at an edge belong below it; the last bucket is everything."""
    histogram = Histogram(EDGES)
    for seconds in (0.0, *EDGES, 100.0):
        histogram.observe(seconds)
    assert [count for _, count in histogram.buckets()] == [2, *range(3, 15), 15]

"""What a scrape sees."""

from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.process_collector import ProcessCollector

from gateway.dataplane import Answer, Outcome
from gateway.live import families
from gateway.live.exposition import exposition
from gateway.live.histogram import EDGES, Histogram
from gateway.live.metrics import Metrics, Views, reloads, workers
from gateway.live.names import DURATION, JUDGED
from tailq.route import Ask, BestEffort, Load, Router
from tailq.tier import ConfidenceSpread, RoundQuality, Served
from tests.tables import promise, table, tier

TABLE = table(
    tier("gold", 0.0, promise("large", 0.2, 0.93), promise("large", 0.5, 0.94)),
    tier("fast", 0.1, promise("small", 0.03, 0.87)),
)


def samples(metrics: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    content, _ = exposition(families.of(metrics.points(), "fashion"))
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(content.decode())
        for sample in family.samples
    }


def value(metrics: Metrics, name: str, **labels: str) -> float:
    return samples(metrics)[name, frozenset(labels.items())]


@pytest.fixture
def metrics() -> Metrics:
    views = Views(
        in_flight=lambda: {"large": 1, "small": 2},
        outstanding_s=lambda: 0.25,
        waiting=lambda: 4,
        limits=lambda: {"small": 6},
        corrections=lambda: {"small": 1.5},
        matches=lambda: {"small": 0},
        absent=lambda: {"small": 1, "large": 0},
        up=lambda: {"triton:8000": 1},
        ejected=lambda: {"triton:8000": 0},
        others=lambda: (5, 0.5),
        drain=lambda: 1.25,
        ejections=lambda: {("triton:8000", "small"): 2},
        retries=lambda: 3,
        admitted=lambda: {"shop": 9},
        refusals=lambda: {("shop", "quota"): 7},
    )
    return Metrics(TABLE, views)


def answer(tier_name: str, outcome: Outcome, total_s: float) -> Answer:
    decision = Router(TABLE).decide(Ask(tier=tier_name), 0.0, Load())
    variant = decision.plan.variants[0]
    why: BestEffort | None = "load" if outcome == "best_effort" else None
    return Answer(
        outcome, decision, None, total_s, variant=variant, best_effort=why, asked=(variant,)
    )


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
    gold = {"service": "fashion", "tier": "gold"}
    for outcome in ("on_time", "rescued", "best_effort", "late", "shed", "failed"):
        name = "tailq_requests_total"
        assert value(metrics, name, outcome=outcome, variant="large", **gold) == 0
    for reason in ("deadline", "load", "fingerprint", "unavailable", "confidence"):
        for name in ("tailq_best_effort_total", "tailq_shed_total"):
            assert value(metrics, name, reason=reason, **gold) == 0


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
    """Promise, expectation and deadline of each tier's own deadline."""
    gold = {"service": "fashion", "tier": "gold"}
    assert value(metrics, "tailq_promise_ratio", **gold) == 0.94
    assert value(metrics, "tailq_expected_quality_ratio", **gold) == pytest.approx(0.95)
    assert value(metrics, "tailq_tier_deadline_seconds", **gold) == 0.5


def test_what_the_profile_foretells_is_exported_beside(metrics: Metrics) -> None:
    """Quantiles of rounds and the spread of confidences, where it has them; its id and its date."""
    rounds = RoundQuality(quality=(0.8, 0.85, 0.9, 0.92, 0.94, 0.97, 0.99))
    foretold = promise("small", 0.03, 0.87).model_copy(update={"rounds": rounds})
    spread = ConfidenceSpread(upper=(0.5, 1.0), share=(0.25, 0.75))
    metrics.reload(
        table(tier("fast", 0.1, foretold)).model_copy(
            update={"served": {"small": Served(service_s=0.01, spread=spread)}}
        )
    )
    fast, small = {"service": "fashion", "tier": "fast"}, {"service": "fashion", "variant": "small"}
    for level, quality in zip(("0.01", "0.05", "0.99"), (0.8, 0.85, 0.99), strict=True):
        name = "tailq_profiled_round_quality_ratio"
        assert value(metrics, name, level=level, **fast) == quality
    assert value(metrics, "tailq_confidence_profiled_ratio", bin="0", **small) == 0.25
    assert value(metrics, "tailq_confidence_profiled_ratio", bin="1", **small) == 0.75
    conditions = TABLE.conditions
    labels = {"service": "fashion", "profile": conditions.profile}
    measured = value(metrics, "tailq_profile_measured_timestamp_seconds", **labels)
    assert measured == conditions.measured.timestamp()


def test_parts_that_count_by_themselves_are_exported() -> None:
    """As of the scrape."""
    judged = [1.0]
    metrics = Metrics(TABLE, Views(), [lambda: [(JUDGED, ("gold", "probe"), judged[0])]])
    judged[0] = 2.0
    gold = {"service": "fashion", "tier": "gold", "source": "probe"}
    assert value(metrics, "tailq_quality_judged_total", **gold) == 2


def test_a_trace_is_shown_with_its_bucket(metrics: Metrics) -> None:
    """The last one, until another request of such a duration has one; a reload keeps it."""
    for trace, seconds in (("a", 0.02), ("b", 0.021), ("c", 0.3)):
        ended = answer("fast", "on_time", seconds)
        metrics.answered(ended)
        metrics.traced(ended, trace, 1.0 + seconds)
    metrics.reload(table(tier("fast", 0.1, promise("tiny", 0.02, 0.8))))
    shown = families.of(metrics.points(), "fashion")[DURATION.name].exemplars
    found = {dict(labels)["le"]: exemplar.trace_id for (_, labels), exemplar in shown.items()}
    assert found == {"0.025": "b", "0.5": "c"}


def test_what_other_parts_say_is_exported(metrics: Metrics) -> None:
    """Load, limits, corrections, fingerprints, endpoints and refusals, as of the scrape."""
    fashion = {"service": "fashion"}
    small = {**fashion, "variant": "small"}
    at = {**fashion, "endpoint": "triton:8000"}
    assert value(metrics, "tailq_outstanding") == 3
    assert value(metrics, "tailq_outstanding_seconds") == 0.25
    assert value(metrics, "tailq_in_flight", **small) == 2
    assert value(metrics, "tailq_waiting") == 4
    assert value(metrics, "tailq_limit", **small) == 6
    assert value(metrics, "tailq_latency_correction_ratio", **small) == 1.5
    assert value(metrics, "tailq_fingerprint_match", **small) == 0
    assert value(metrics, "tailq_variant_absent", **small) == 1
    assert value(metrics, "tailq_upstream_up", **at) == 1
    assert value(metrics, "tailq_upstream_ejected", **at) == 0
    assert value(metrics, "tailq_others_outstanding") == 5
    assert value(metrics, "tailq_others_outstanding_seconds") == 0.5
    assert value(metrics, "tailq_drain_ratio") == 1.25
    assert value(metrics, "tailq_upstream_retries_total") == 3
    assert value(metrics, "tailq_upstream_ejections_total", variant="small", **at) == 2
    shop = {**fashion, "client": "shop"}
    assert value(metrics, "tailq_client_requests_total", **shop) == 9
    assert value(metrics, "tailq_client_refusals_total", reason="quota", **shop) == 7


def test_asks_and_best_effort_are_counted(metrics: Metrics) -> None:
    """What was asked of each variant, and why an answer is held to no promise."""
    metrics.answered(answer("fast", "best_effort", 0.01))
    fast = {"service": "fashion", "tier": "fast"}
    assert value(metrics, "tailq_asks_total", service="fashion", variant="small") == 1
    assert value(metrics, "tailq_best_effort_total", reason="load", **fast) == 1


def test_operators_can_tell_why_requests_were_not_tried(metrics: Metrics) -> None:
    """That there is too much to do is told from variants that are missing."""
    unavailable = replace(answer("fast", "shed", 0.0), best_effort="unavailable")
    for each in (unavailable, replace(unavailable, best_effort=None), unavailable):
        metrics.answered(each)
    fast = {"service": "fashion", "tier": "fast"}
    assert value(metrics, "tailq_shed_total", reason="unavailable", **fast) == 2
    assert value(metrics, "tailq_shed_total", reason="load", **fast) == 1


def test_a_reload_keeps_what_was_counted(metrics: Metrics) -> None:
    """Other deadlines are edges from then on; counters stand; who goes promises nothing more."""
    metrics.answered(answer("fast", "on_time", 0.02))
    metrics.answered(answer("gold", "on_time", 0.02))
    metrics.reload(table(tier("fast", 0.1, promise("tiny", 0.04, 0.8))))
    metrics.answered(answer("gold", "on_time", 0.02))  # it was in flight
    bucket = "tailq_request_duration_seconds_bucket"
    for edge in ("0.025", "0.04", "+Inf"):
        assert value(metrics, bucket, service="fashion", tier="fast", le=edge) == 1
    count = "tailq_request_duration_seconds_count"
    assert value(metrics, count, service="fashion", tier="gold") == 2
    small = {"service": "fashion", "tier": "fast", "variant": "small"}
    assert value(metrics, "tailq_requests_total", outcome="on_time", **small) == 1
    tiny = {**small, "variant": "tiny"}
    assert value(metrics, "tailq_requests_total", outcome="late", **tiny) == 0
    promised = {labels for name, labels in samples(metrics) if name == "tailq_promise_ratio"}
    assert promised == {frozenset({"service": "fashion", "tier": "fast"}.items())}


def test_every_gauge_says_what_becomes_of_it_in_a_sum(metrics: Metrics) -> None:
    """Two processes with everything there is can be merged."""
    points = (*metrics.points(), *workers(2, 1), *reloads({("tiers", "ok"): 1}))
    own = families.of(points, "fashion")
    process = families.collected(ProcessCollector(registry=CollectorRegistry()).collect())
    merged = families.merge((own, process, own, process))
    assert merged["tailq_outstanding"].samples["tailq_outstanding", ()] == 6
    assert merged.keys() == own.keys() | process.keys()


def test_upstream_times_are_by_variant(metrics: Metrics) -> None:
    """What Triton took is the variant's, not the tier's."""
    metrics.upstream_ended("small", 0.004)
    name = "tailq_upstream_duration_seconds"
    assert value(metrics, f"{name}_count", service="fashion", variant="small") == 1
    total = value(metrics, f"{name}_sum", service="fashion", variant="small")
    assert total == pytest.approx(0.004, abs=1e-6)


def test_a_histogram_counts_every_observation_once() -> None:
    """Observations at an edge belong below it; the last bucket is everything."""
    histogram = Histogram(EDGES)
    for seconds in (0.0, *EDGES, 100.0):
        histogram.observe(seconds)
    assert [count for _, count in histogram.buckets()] == [2, *range(3, 15), 15]

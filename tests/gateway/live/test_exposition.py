"""What Prometheus reads, in both formats."""

from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.openmetrics import parser
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar

from gateway.live import families, names
from gateway.live.exposition import exposition
from gateway.live.families import Families, Family, Samples
from gateway.live.histogram import Histogram

# What Prometheus 2.42 asks for.
ACCEPT = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=6)
VALUES = st.floats(0, allow_infinity=True, allow_nan=False)


class Given(Collector):
    """The same for prometheus-client."""

    def __init__(self, told: Families) -> None:
        self._told = told

    def collect(self) -> list[Metric]:
        found = []
        for family in self._told.values():
            metric = Metric(family.name, family.text, family.kind)
            for (name, labels), value in family.samples.items():
                of_bucket = family.exemplars.get((name, labels))
                shown = of_bucket and Exemplar(
                    {"trace_id": of_bucket.trace_id}, of_bucket.value, of_bucket.at
                )
                metric.add_sample(name, dict(labels), value, exemplar=shown)
            found.append(metric)
        return found


@given(TEXTS, st.lists(st.tuples(TEXTS, VALUES)), VALUES)
def test_it_is_what_prometheus_client_writes(
    text: str, series: list[tuple[str, float]], value: float
) -> None:
    """Byte by byte, in both formats."""
    counted: Samples = {("n_total", (("z", name), ("a", "b"))): count for name, count in series}
    told = {
        "n": Family("n", "counter", text, counted),
        "g": Family("g", "gauge", "Now.", {("g", ()): value}),
        **traced(),
    }
    registry = CollectorRegistry()
    registry.register(Given(told))
    assert exposition(told) == (generate_latest(registry), CONTENT_TYPE_PLAIN_0_0_4)
    content, content_type = exposition(told, ACCEPT)
    write: Callable[[CollectorRegistry], bytes] = openmetrics.generate_latest
    assert content == write(registry)
    assert content_type.startswith(openmetrics.CONTENT_TYPE_LATEST)


def traced() -> Families:
    """Durations of which one bucket has a trace."""
    durations = Histogram((0.1, 1.0))
    durations.observe(0.25)
    durations.show(0.25, "4bf92f3577b34da6a3ce929d0e0e4736", 1_790_000_000.5)
    return families.of([(names.DURATION, ("gold",), durations)], "fashion")


def parsed(told: Families) -> Metric:
    """The one family, as a parser of OpenMetrics reads it."""
    parse: Callable[[str], Iterable[Metric]] = parser.text_string_to_metric_families
    (family,) = parse(exposition(told, ACCEPT)[0].decode())
    return family


def test_traces_are_shown_where_the_format_has_them() -> None:
    """An exemplar in OpenMetrics, nothing in the plain format."""
    told = traced()
    assert b"trace_id" not in exposition(told)[0]
    shown = {one.labels["le"]: one.exemplar for one in parsed(told).samples if one.exemplar}
    exemplar = shown.pop("1.0")
    assert not shown
    assert exemplar.labels == {"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"}
    assert exemplar.value == 0.25
    assert exemplar.timestamp is not None
    assert float(exemplar.timestamp) == 1_790_000_000.5


def test_rounds_that_are_only_expected_are_written_as_whole_numbers() -> None:
    """OpenMetrics knows no others, and its parsers refuse them; buckets stay in order."""
    rounds = Histogram((0.9, 0.95))
    for _ in range(3):
        rounds.observe_spread((0.3, 0.3, 0.4), 1, 0.93)
    told = families.of([(names.ROUND, ("gold", "expected"), rounds)], "fashion")
    family = parsed(told)
    buckets = [one.value for one in family.samples if one.name.endswith("_bucket")]
    assert buckets == [1, 2, 3]


@given(st.lists(st.sampled_from([0.1, 0.2, 0.5]), min_size=2, max_size=3))
def test_merged_histograms_are_written_series_by_series(edges: list[float]) -> None:
    """Also where processes had other edges: a parser of OpenMetrics reads each series at once."""
    members = []
    for edge in edges:
        durations = Histogram((edge,))
        durations.observe(0.15)
        points = [(names.DURATION, (tier,), durations) for tier in ("gold", "fast")]
        members.append(families.of(points, "fashion"))
    family = parsed(families.merge(members))
    counts = [one.value for one in family.samples if one.name.endswith("_count")]
    assert counts == [len(edges)] * 2


@pytest.mark.parametrize("accept", [None, "", "*/*", "text/plain", "application/json"])
def test_others_get_the_plain_format(accept: str | None) -> None:
    """Browsers and curl."""
    content, content_type = exposition(traced(), accept)
    assert content_type.startswith("text/plain")
    assert b"# EOF" not in content

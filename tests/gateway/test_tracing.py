"""Spans of requests and of what Triton was asked for them."""

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode, format_span_id, format_trace_id

from gateway import tracing
from gateway.dataplane import Execution
from gateway.live import families
from tests.gateway.client import Client, infer
from tests.gateway.running import Running
from tests.gateway.stub import Stub, response

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"traceparent: 00-{TRACE}-{PARENT}-01"


@pytest.fixture
def spans(gateway: Running) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    dataplane, traced = gateway.gateway.service.dataplane, gateway.gateway.metrics.traced
    tracing.install(dataplane, provider.get_tracer("test"), "fashion", traced)
    return exporter


def both(spans: InMemorySpanExporter) -> tuple[ReadableSpan, ReadableSpan]:
    """The server's and the client's."""
    by_kind = {span.kind: span for span in spans.get_finished_spans()}
    assert len(spans.get_finished_spans()) == 2
    return by_kind[SpanKind.SERVER], by_kind[SpanKind.CLIENT]


async def test_a_request_goes_on_the_clients_trace(
    spans: InMemorySpanExporter, client: Client, stub: Stub
) -> None:
    """Client's span, ours, the one of the call to Triton, and Triton is told of the last."""
    await client.ask(infer(TRACEPARENT, "tracestate: vendor=1"))
    server, ask = both(spans)
    assert server.context is not None
    assert ask.context is not None
    assert format_trace_id(server.context.trace_id) == TRACE
    assert server.parent is not None
    assert format_span_id(server.parent.span_id) == PARENT
    assert ask.parent is not None
    assert ask.parent.span_id == server.context.span_id
    told = stub.infers[0].headers
    assert told["traceparent"] == f"00-{TRACE}-{format_span_id(ask.context.span_id)}-01"
    assert told["tracestate"] == "vendor=1"


async def test_spans_say_what_came_of_the_request(
    spans: InMemorySpanExporter, client: Client
) -> None:
    """Tier, variant, outcome and times in their order."""
    await client.ask(infer())
    server, ask = both(spans)
    assert server.parent is None
    attributes = dict(server.attributes or {})
    assert attributes == {
        "tailq.service": "fashion",
        "tailq.tier": "fast",
        "tailq.plan": "small",
        "tailq.variant": "small",
        "tailq.outcome": "on_time",
        "tailq.deadline_ms": 10_000.0,
    }
    assert (ask.attributes or {})["tailq.variant"] == "small"
    times = (server.start_time, ask.start_time, ask.end_time, server.end_time)
    assert list(times) == sorted(time or 0 for time in times)
    assert server.status.status_code is StatusCode.UNSET


async def test_a_failed_request_is_an_error(
    spans: InMemorySpanExporter, client: Client, stub: Stub
) -> None:
    """With the reason at the call that failed."""

    async def broken(_: object) -> bytes:
        return response("500 No", b'{"error":"out of memory"}')

    stub.handler = broken
    await client.ask(infer())
    server, ask = both(spans)
    assert server.status.status_code is StatusCode.ERROR
    assert (server.attributes or {})["error.type"] == "failed"
    assert ask.status.description == "out of memory"


async def test_one_that_ends_before_its_body_is_one_span(
    spans: InMemorySpanExporter, client: Client
) -> None:
    """Late, while the rest of it is awaited: without a parent, since nothing was sent on."""
    request = infer("tailq-deadline-ms: 5", TRACEPARENT, body=b"{        }")
    await client.ask(request[:-4])
    (span,) = spans.get_finished_spans()
    assert (span.attributes or {})["tailq.outcome"] == "late"


async def test_the_histogram_of_durations_shows_the_trace(
    spans: InMemorySpanExporter, gateway: Running, client: Client
) -> None:
    """From a slow bucket to the trace of a request in it."""
    await client.ask(infer(TRACEPARENT))
    told = families.of(gateway.gateway.metrics.points(), "fashion")
    (exemplar,) = told["tailq_request_duration_seconds"].exemplars.values()
    server, _ = both(spans)
    assert exemplar.trace_id == TRACE
    assert 0 < exemplar.value < exemplar.at
    assert exemplar.at == pytest.approx((server.end_time or 0) / 1e9, abs=60)


async def test_what_is_not_sampled_is_not_shown(
    spans: InMemorySpanExporter, gateway: Running, client: Client
) -> None:
    """The client's trace says so: there would be nothing to look at."""
    await client.ask(infer(f"traceparent: 00-{TRACE}-{PARENT}-00"))
    assert not spans.get_finished_spans()
    told = families.of(gateway.gateway.metrics.points(), "fashion")
    assert not told["tailq_request_duration_seconds"].exemplars


@pytest.mark.parametrize(
    ("environment", "asked"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_the_standard_variables_decide(environment: dict[str, str], asked: bool) -> None:
    """As in any other program with OpenTelemetry."""
    assert tracing.asked_for(environment) is asked


async def test_without_them_nothing_is_in_the_way(
    gateway: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plain execution and the fleet itself."""
    for name in tracing._ENDPOINTS:
        monkeypatch.delenv(name, raising=False)
    dataplane = gateway.gateway.service.dataplane
    tracing.start(dataplane, "fashion", gateway.gateway.metrics.traced)
    assert dataplane.execution is Execution
    assert dataplane.upstream is gateway.gateway.upstreams.fleet

"""OpenTelemetry: a span for each request, and one for each time that Triton is asked for it.

Installed (extra `otel`) and asked for by the standard OTEL_ variables, or not there at all: then
the hot path has nothing of it. Work is done where spans are: by an Execution and an Upstream that
are put in the place of the plain ones, so protocols and plans know nothing of it either.
"""

import logging
import os
import re
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal

from gateway.dataplane import IN_TIME, Answer, Dataplane, Execution, Recorder
from gateway.upstream.base import Call, Listener, Payload, Reply, Result, Upstream
from tailq.route import Ask, Decision, Router

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span, Tracer

log = logging.getLogger("tailq.gateway.tracing")

_NS: Final = 1e9
_TRACE: Final = re.compile(rb"(traceparent|tracestate): ([^\r\n]*)\r\n")
_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

# (answer, trace id as hexadecimal digits, Unix time): a client is answered, and that is traced.
Traced = Callable[[Answer, str, float], None]


def asked_for(environment: Mapping[str, str]) -> bool:
    """Whether the standard variables want spans to be sent.

    https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
    """
    exporter = environment.get("OTEL_TRACES_EXPORTER", "")
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true" or exporter == "none":
        return False
    return exporter == "otlp" or any(environment.get(name) for name in _ENDPOINTS)


def start(dataplane: Dataplane, service: str, traced: Traced) -> Callable[[], object]:
    """Trace the requests of `dataplane` if that is asked for. What is to be called at the end.

    That sends what was not sent yet, and may take seconds. traced: see install.
    """
    if not asked_for(os.environ):
        return lambda: None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        log.warning("OTEL_ variables ask for traces, but OpenTelemetry is not installed: [otel]")
        return lambda: None
    named = {} if "OTEL_SERVICE_NAME" in os.environ else {"service.name": "tailq-gateway"}
    provider = TracerProvider(resource=Resource.create(named))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    install(dataplane, provider.get_tracer("tailq.gateway"), service, traced)
    return provider.shutdown


def install(dataplane: Dataplane, tracer: "Tracer", service: str, traced: Traced) -> None:
    """Let every request that `dataplane` opens from now on be a span of `tracer`.

    traced: is told of answers whose spans are recorded, probes' excepted.
    """
    dataplane.upstream = TracedUpstream(dataplane.upstream, tracer)
    dataplane.execution = partial(TracedExecution, tracer, service, traced)


class TracedExecution(Execution):
    """An Execution that is a server span, from its arrival to its answer.

    What the client said of its own span comes with the payload; a request that ends before that
    has come is a span without a parent.
    """

    __slots__ = ("_begun", "_service", "_span", "_told", "_traced", "_tracer")

    def __init__(
        self,
        tracer: "Tracer",
        service: str,
        traced: Traced,
        plane: Dataplane,
        router: Router,
        ask: Ask,
        decision: Decision,
        arrived: float,
        elapsed_s: float,
        answer: Callable[[Answer], None],
        request_id: bytes,
        recorder: Recorder,
    ) -> None:
        self._tracer = tracer
        self._service = service
        self._span: Span | None = None
        self._told = answer
        # A probe, which tells another recorder, is in no histogram of clients' requests.
        self._traced = traced if recorder is plane.recorder else None
        # The wall clock of the request's beginning: spans have no other.
        self._begun = time.time_ns()
        super().__init__(
            plane, router, ask, decision, arrived, elapsed_s, self._end, request_id, recorder
        )

    def send(self, payload: Payload) -> None:
        """See Execution."""
        context, headers = _taken(payload.headers)
        self._span = self._start(context)
        super().send(Payload(payload.body, headers + _lines(self._span)))

    def leave(self) -> None:
        """See Execution."""
        self._close("cancelled")
        super().leave()

    def fail(self, outcome: Literal["invalid", "shed"]) -> None:
        """See Execution."""
        self._close(outcome)
        super().fail(outcome)

    def _start(self, context: "Context | None") -> "Span":
        from opentelemetry.trace import SpanKind

        return self._tracer.start_span(
            f"infer {self._service}",
            context=context,
            kind=SpanKind.SERVER,
            start_time=self._begun,
            attributes={"tailq.service": self._service},
        )

    def _end(self, answer: Answer) -> None:
        decision = answer.decision
        attributes: dict[str, Any] = {
            "tailq.tier": decision.tier.name,
            "tailq.plan": str(decision.plan),
            "tailq.variant": answer.variant,
            "tailq.deadline_ms": decision.deadline_s * 1000,
        }
        if answer.best_effort is not None:
            attributes["tailq.best_effort"] = answer.best_effort
        span = self._close(answer.outcome, attributes)
        self._told(answer)
        context = span.get_span_context()
        if self._traced is not None and context.trace_flags.sampled:
            self._traced(answer, f"{context.trace_id:032x}", time.time())

    def _close(self, outcome: str, attributes: Mapping[str, Any] | None = None) -> "Span":
        from opentelemetry.trace import StatusCode

        span = self._span = self._span or self._start(None)
        if span.is_recording():
            span.set_attributes({"tailq.outcome": outcome, **(attributes or {})})
            if outcome not in IN_TIME:
                span.set_attribute("error.type", outcome)
            if outcome in ("late", "failed", "shed"):
                span.set_status(StatusCode.ERROR)
            span.end()
        return span


class TracedUpstream:
    """An upstream.base.Upstream that makes each call a client span, and tells Triton of it."""

    def __init__(self, upstream: Upstream, tracer: "Tracer") -> None:
        self._upstream = upstream
        self._tracer = tracer

    @property
    def endpoints(self) -> int:
        """See Upstream."""
        return self._upstream.endpoints

    @property
    def absent(self) -> frozenset[str]:
        """See Upstream."""
        return self._upstream.absent

    def infer(self, variant: str, payload: Payload, deadline: float, listener: Listener) -> Call:
        """See Upstream."""
        from opentelemetry.trace import SpanKind

        context, headers = _taken(payload.headers)
        span = self._tracer.start_span(
            "POST /v2/models/{model}/infer",
            context=context,
            kind=SpanKind.CLIENT,
            attributes={
                "http.request.method": "POST",
                "url.template": "/v2/models/{model}/infer",
                "tailq.variant": variant,
            },
        )
        told = Payload(payload.body, headers + _lines(span))
        return self._upstream.infer(variant, told, deadline, _Ending(listener, span))


class _Ending:
    """A Listener that ends a span."""

    __slots__ = ("_listener", "_span")

    def __init__(self, listener: Listener, span: "Span") -> None:
        self._listener = listener
        self._span = span

    def ended(self, result: Result) -> None:
        from opentelemetry.trace import StatusCode

        span = self._span
        if not isinstance(result, Reply):
            span.set_attribute("error.type", getattr(result, "kind", "refused"))
            span.set_status(StatusCode.ERROR, result.detail)
        span.end()
        self._listener.ended(result)


def _taken(headers: bytes) -> "tuple[Context, bytes]":
    """What header lines say of the span that they come from, and the other lines."""
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier = {name.decode(): value.decode("latin-1") for name, value in _TRACE.findall(headers)}
    return TraceContextTextMapPropagator().extract(carrier), _TRACE.sub(b"", headers)


def _lines(span: "Span") -> bytes:
    """Header lines that tell of a span."""
    from opentelemetry.trace import set_span_in_context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier, set_span_in_context(span))
    return "".join(f"{name}: {value}\r\n" for name, value in carrier.items()).encode("latin-1")

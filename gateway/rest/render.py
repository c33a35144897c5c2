"""From the dataplane's answer to an HTTP response: headers, parameters, problems."""

import json
from typing import Final

from gateway.dataplane import Answer
from gateway.rest import problem
from gateway.rest.response import Response
from gateway.rest.splice import splice
from gateway.upstream.base import Failure, Refusal, Reply
from tailq.route import Decision
from tailq.tier import TierTable

_JSON: Final = b"application/json"
_BINARY: Final = b"application/octet-stream"
# Decisions differ by the deadlines that clients ask for: keep as many rendered as fit, start anew.
_CACHED: Final = 1024
_SHORT: Final = 1024


class Renderer:
    """Renders answers of one service; what depends on the decision alone is rendered once."""

    def __init__(self, table: TierTable) -> None:
        self._service = json.dumps(table.service).encode()
        self._name = table.service
        self._table = table
        self._cache: dict[tuple[str, float, float, str | None], tuple[bytes, bytes]] = {}
        self._spliced: dict[tuple[bytes, bytes], bytes] = {}

    def response(self, answer: Answer, request_id: bytes) -> Response:
        """The response to a request that the dataplane has answered."""
        match answer.result:
            case Reply() as reply:
                return self._good(answer, reply, request_id)
            case Refusal(detail):
                return self._bad(answer, 400, self._own_name(detail, answer), request_id)
            case Failure(kind, detail):
                status = 502 if kind == "broken" else 503
                text = f"the model server gave no answer ({kind}: {detail}); try again"
                return self._bad(answer, status, self._own_name(text, answer), request_id)
            case None:
                return self._own(answer, request_id)

    def _good(self, answer: Answer, reply: Reply, request_id: bytes) -> Response:
        head, parameters = self._rendered(answer)
        body: tuple[bytes | memoryview, ...] = (reply.body,)
        json_length = reply.json_length
        kind, length = _JSON, b""
        size = len(reply.body)
        cut = size if json_length is None else min(json_length, size)
        if reply.encoding is None:
            spliced = self._splice(reply.body[:cut], parameters)
            if spliced is not None:
                # Large tensors stay where they are: two pieces instead of a copy of all.
                body = (spliced, memoryview(reply.body)[cut:]) if cut < size else (spliced,)
                size += len(spliced) - cut
                cut = len(spliced)
        if json_length is not None:
            kind, length = _BINARY, b"inference-header-content-length: %d\r\n" % cut
        if reply.encoding is not None:
            length += b"content-encoding: %s\r\n" % reply.encoding
        return Response(
            200,
            b"content-type: %s\r\ncontent-length: %d\r\n%s%stailq-request-id: %s\r\n%s"
            % (kind, size, length, head, request_id, _timing(answer)),
            body,
        )

    def _splice(self, head: bytes, parameters: bytes) -> bytes | None:
        """As splice(), but the short heads of binary answers, mostly the same, are remembered."""
        if len(head) > _SHORT:
            return splice(head, self._service, parameters)
        key = (head, parameters)
        spliced = self._spliced.get(key)
        if spliced is None:
            spliced = splice(head, self._service, parameters)
            if spliced is not None:
                if len(self._spliced) >= _CACHED:
                    self._spliced.clear()
                self._spliced[key] = spliced
        return spliced

    def _own(self, answer: Answer, request_id: bytes) -> Response:
        if answer.outcome == "late":
            ms = answer.decision.deadline_s * 1000
            return self._bad(answer, 504, f"no answer within the deadline of {ms:g} ms", request_id)
        return self._bad(answer, 503, "too many requests in flight; try again", request_id)

    def _bad(self, answer: Answer, status: int, detail: str, request_id: bytes) -> Response:
        head = known(answer.decision, answer.outcome)
        head += b"tailq-request-id: %s\r\n%s" % (request_id, _timing(answer))
        return problem.response(status, detail, head, outcome=answer.outcome)

    def _own_name(self, text: str, answer: Answer) -> str:
        return text.replace(f"'{answer.decision.plan.variants[0]}'", f"'{self._name}'")

    def _rendered(self, answer: Answer) -> tuple[bytes, bytes]:
        decision = answer.decision
        key = (
            decision.tier.name,
            decision.promise.deadline_s,
            decision.deadline_s,
            decision.best_effort,
        )
        found = self._cache.get(key)
        if found is None:
            if len(self._cache) >= _CACHED:
                self._cache.clear()
            found = (
                known(decision, answer.outcome) + self._guarantee(decision),
                _parameters(decision, answer.outcome),
            )
            self._cache[key] = found
        return found

    def _guarantee(self, decision: Decision) -> bytes:
        if decision.best_effort is not None:
            return f"tailq-guarantee: none; reason={decision.best_effort}\r\n".encode()
        return (
            f"tailq-expected-quality: {decision.promise.expected_quality:.6g}\r\n"
            f"tailq-guarantee: profile={_printable(self._table.conditions.profile)}; "
            f"quality={decision.promise.quality:.6g}; confidence={self._table.confidence:g}\r\n"
        ).encode()


def known(decision: Decision, outcome: str) -> bytes:
    """The header lines that good and bad answers share."""
    return (
        f"tailq-tier: {decision.tier.name}\r\n"
        f"tailq-variant: {_printable(decision.plan.variants[0])}\r\n"
        f"tailq-outcome: {outcome}\r\n"
        f"tailq-deadline-ms: {decision.deadline_s * 1000:.6g}\r\n"
    ).encode()


def _printable(text: str) -> str:
    """`text` with what may not stand in a header replaced: these names come from a file."""
    return "".join(sign if " " <= sign <= "~" else "?" for sign in text)


def _parameters(decision: Decision, outcome: str) -> bytes:
    values: dict[str, str | float] = {
        "tailq_tier": decision.tier.name,
        "tailq_variant": decision.plan.variants[0],
        "tailq_outcome": outcome,
        "tailq_deadline_ms": round(decision.deadline_s * 1000, 6),
    }
    if decision.best_effort is None:
        values["tailq_expected_quality"] = round(decision.promise.expected_quality, 6)
    return json.dumps(values, separators=(",", ":")).encode()[1:-1]


def _timing(answer: Answer) -> bytes:
    if answer.queue_s is None or answer.upstream_s is None:
        return b"server-timing: queue;dur=%.3f\r\n" % (answer.total_s * 1000)
    return b"server-timing: queue;dur=%.3f, upstream;dur=%.3f\r\n" % (
        answer.queue_s * 1000,
        answer.upstream_s * 1000,
    )

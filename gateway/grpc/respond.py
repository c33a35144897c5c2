"""How a call ends: a message with trailers, or a status with trailers."""

from dataclasses import dataclass
from typing import Final

import grpc

from gateway import said, wording
from gateway.clients import ratelimit
from gateway.dataplane import Answer
from gateway.errors import (
    Forbidden,
    QuotaExceeded,
    Unauthorized,
    UnknownModel,
)
from gateway.grpc import transcode, wire
from gateway.remembered import Remembered
from gateway.upstream.base import Failure, Refusal, Reply
from tailq.errors import BadRequest
from tailq.tier import TierTable

Trailers = tuple[tuple[str, str], ...]

_MISTAKES: Final[dict[type[BadRequest], grpc.StatusCode]] = {
    Unauthorized: grpc.StatusCode.UNAUTHENTICATED,
    Forbidden: grpc.StatusCode.PERMISSION_DENIED,
    UnknownModel: grpc.StatusCode.NOT_FOUND,
    QuotaExceeded: grpc.StatusCode.RESOURCE_EXHAUSTED,
}
# Bytes of status texts: they are metadata, of which clients take 8 KiB, and a byte may take three.
_LONGEST: Final = 1024
_SHORT: Final = 1024  # bytes of a head that is worth remembering


@dataclass(slots=True)
class Response:
    """code: None: a good one, with `message`. text: what a client is told otherwise."""

    code: grpc.StatusCode | None
    text: str
    message: bytes
    trailers: Trailers


def bad(code: grpc.StatusCode, text: str, trailers: Trailers = ()) -> Response:
    """No answer, and why."""
    # Bytes count, and a text of Triton's may hold half a character.
    sent = text.encode(errors="replace")[:_LONGEST].decode(errors="ignore")
    return Response(code, sent, b"", trailers)


def retry(seconds: int) -> Trailers:
    """When to try again: for people and proxies, and for the retries that gRPC does by itself."""
    return (("retry-after", str(seconds)), ("grpc-retry-pushback-ms", str(seconds * 1000)))


def refusal(error: BadRequest, trailers: Trailers = ()) -> Response:
    """A request's mistake."""
    code = _MISTAKES.get(type(error), grpc.StatusCode.INVALID_ARGUMENT)
    if isinstance(error, QuotaExceeded):
        trailers += retry(ratelimit.retry_after_s(error))
    return bad(code, str(error), trailers)


def full(trailers: Trailers) -> Response:
    """Not tried: too many bytes of requests are held."""
    return bad(
        grpc.StatusCode.UNAVAILABLE,
        "the gateway holds as many bytes of requests as it may; try again",
        (*trailers, ("tailq-outcome", "shed"), *retry(said.RETRY_AFTER_S)),
    )


class Responder:
    """Turns answers into responses; what many answers say alike is rendered once."""

    def __init__(self, table: TierTable) -> None:
        self._table = table
        self._said = Remembered[said.Key, Trailers]()
        self._read = Remembered[tuple[bytes, said.Key], transcode.Reading]()

    def response(self, answer: Answer, request_id: str) -> Response:
        """The response to a request that the dataplane has answered."""
        key = said.key(answer)
        if isinstance(answer.result, Reply):
            try:
                message = self._message(answer, answer.result, key)
            except (ValueError, RecursionError) as error:
                answer = said.unreadable(answer, str(error))
                key = said.key(answer)
            else:
                return Response(None, "", message, self._trailers(answer, key, request_id))
        code = _code(answer)
        trailers = self._trailers(answer, key, request_id)
        if code is grpc.StatusCode.UNAVAILABLE:
            trailers += retry(said.RETRY_AFTER_S)
        return bad(code, wording.why_not(answer, self._table.service), trailers)

    def _trailers(self, answer: Answer, key: said.Key, request_id: str) -> Trailers:
        trailers = self._said.find(key)
        if trailers is None:
            trailers = said.headers(answer, self._table)
            self._said.learn(key, trailers)
        timing = said.timing(answer).decode()
        return (*trailers, ("tailq-request-id", request_id), ("server-timing", timing))

    def _message(self, answer: Answer, reply: Reply, key: said.Key) -> bytes:
        """The ModelInferResponse. Raises ValueError, RecursionError for what is no answer."""
        body = reply.body
        cut = len(body) if reply.json_length is None else reply.json_length
        reading = self._reading(answer, body[:cut], key)
        tensors = transcode.cut(reading.tensors, memoryview(body)[cut:])
        return wire.join(reading.head, tensors)

    def _reading(self, answer: Answer, head: bytes, key: said.Key) -> transcode.Reading:
        if len(head) > _SHORT:
            return transcode.reading(head, self._table.service, said.parameters(answer))
        reading = self._read.find((head, key))
        if reading is None:
            reading = transcode.reading(head, self._table.service, said.parameters(answer))
            self._read.learn((head, key), reading)
        return reading


def _code(answer: Answer) -> grpc.StatusCode:
    match answer.result:
        case Refusal():
            return grpc.StatusCode.INVALID_ARGUMENT
        case Failure(kind="broken"):
            return grpc.StatusCode.INTERNAL
    if answer.outcome == "late":
        return grpc.StatusCode.DEADLINE_EXCEEDED
    return grpc.StatusCode.UNAVAILABLE

"""The head of an infer request: the headers that mean something to us, checked."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gateway import ask, forward
from gateway.clients import Client, Clients
from gateway.errors import LengthRequired, TooLarge
from tailq.errors import BadRequest
from tailq.route import Ask

_READ: Final = ask.WORDS | {
    b"content-length",
    b"transfer-encoding",
    b"inference-header-content-length",
    b"content-type",
    b"content-encoding",
    b"traceparent",
    b"tracestate",
}
_MOST_DIGITS: Final = 15


@dataclass(frozen=True, slots=True)
class Head:
    """What an infer request says before its body.

    client: who asks, None: nobody of whom an account is kept. length: of the body, None: it comes
    in chunks. json_length: of the body's JSON part, to be compared with the body's; None: not sent,
    or of a body that is compressed. passed: header lines for Triton, each ending in CRLF.
    """

    ask: Ask
    client: Client | None
    request_id: bytes | None
    length: int | None
    json_length: int | None
    passed: bytes


def read(
    headers: Iterable[tuple[bytes, bytes]], max_body: int, clients: Clients | None = None
) -> Head:
    """Check lower-cased `headers`. Raises BadRequest and what is below it.

    clients: None: everybody may have everything.
    """
    headers = tuple(headers)
    get = ask.words(headers, _READ, "header").get
    client = None if clients is None else clients.identify(get(b"authorization"))
    length = _length(get(b"content-length"), get(b"transfer-encoding"), max_body)
    json_length = _json_length(get(b"inference-header-content-length"))
    passed = _passed(headers, json_length)
    if get(b"content-encoding", b"identity").lower() != b"identity":
        json_length = None
    elif json_length is not None and length is not None:
        check_json_length(json_length, length)
    return Head(
        ask.parse(
            get(b"tailq-tier"), get(b"tolerance"), get(b"objective"), get(b"tailq-deadline-ms")
        ),
        None if client is None or client.free else client,
        ask.request_id(get(b"tailq-request-id")),
        length,
        json_length,
        passed,
    )


def _length(length: bytes | None, encoding: bytes | None, max_body: int) -> int | None:
    if length is None:
        if encoding is None:
            raise LengthRequired("send Content-Length or Transfer-Encoding: chunked")
        return None
    if not length.isdigit() or len(length) > _MOST_DIGITS:
        raise BadRequest(f"Content-Length must be a number of bytes, not {ask.shown(length)}")
    number = int(length)
    if number > max_body:
        raise too_large(max_body)
    return number


def too_large(max_body: int) -> TooLarge:
    """The error of a body over `max_body` bytes."""
    return TooLarge(f"the body is over the gateway's limit of {max_body} bytes")


def _json_length(value: bytes | None) -> int | None:
    if value is None:
        return None
    if not value.isdigit() or len(value) > _MOST_DIGITS:
        raise BadRequest(
            f"Inference-Header-Content-Length must be a number of bytes, not {ask.shown(value)}"
        )
    return int(value)


def check_json_length(json_length: int, length: int) -> None:
    """Raises BadRequest if the JSON part is longer than the whole body."""
    if json_length > length:
        raise BadRequest(
            f"Inference-Header-Content-Length is {json_length}, but the body has {length} bytes"
        )


def _passed(headers: Iterable[tuple[bytes, bytes]], json_length: int | None) -> bytes:
    passed = forward.lines(forward.forwarded(headers))
    if json_length is not None:
        passed += b"inference-header-content-length: %d\r\n" % json_length
    return passed

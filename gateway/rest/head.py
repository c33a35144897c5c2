"""The head of an infer request: the headers that mean something to us, checked."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gateway import ask, forward
from gateway.clients import Client, Clients
from gateway.errors import LengthRequired, TooLarge
from tailq.errors import BadRequest
from tailq.route import Ask

_READ: Final = frozenset(
    (
        b"tailq-tier",
        b"tolerance",
        b"objective",
        b"tailq-deadline-ms",
        b"tailq-request-id",
        b"authorization",
        b"content-length",
        b"transfer-encoding",
        b"inference-header-content-length",
        b"content-type",
        b"content-encoding",
        b"traceparent",
        b"tracestate",
    )
)
# Tokens of all sorts, which are often not for us.
_MAY_BE_LONG: Final = b"authorization"
_REQUEST_ID: Final = re.compile(rb"[\x21-\x7e]{1,128}")
_LONGEST_VALUE: Final = 1024
_MOST_DIGITS: Final = 15


@dataclass(frozen=True, slots=True)
class Head:
    """What an infer request says before its body.

    client: who asks, None: nobody of whom an account is kept. length: of the body, None: it comes
    in chunks. json_length: of the body's JSON part, None: all. passed: header lines for Triton,
    each ending in CRLF.
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
    seen = _seen(headers)
    get = seen.get
    client = None if clients is None else clients.identify(get(b"authorization"))
    length = _length(get(b"content-length"), get(b"transfer-encoding"), max_body)
    json_length = _json_length(get(b"inference-header-content-length"), length)
    return Head(
        ask.parse(
            get(b"tailq-tier"), get(b"tolerance"), get(b"objective"), get(b"tailq-deadline-ms")
        ),
        None if client is None or client.free else client,
        request_id(get(b"tailq-request-id")),
        length,
        json_length,
        _passed(headers, json_length),
    )


def _seen(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    seen: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in _READ:
            if len(value) > _LONGEST_VALUE and name != _MAY_BE_LONG:
                raise BadRequest(f"header {name.decode()} is over {_LONGEST_VALUE} bytes long")
            if seen.setdefault(name, value) != value:
                raise BadRequest(f"header {name.decode()} is sent twice with different values")
    return seen


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


def _json_length(value: bytes | None, length: int | None) -> int | None:
    if value is None:
        return None
    if not value.isdigit() or len(value) > _MOST_DIGITS:
        raise BadRequest(
            f"Inference-Header-Content-Length must be a number of bytes, not {ask.shown(value)}"
        )
    number = int(value)
    if length is not None:
        check_json_length(number, length)
    return number


def check_json_length(json_length: int, length: int) -> None:
    """Raises BadRequest if the JSON part is longer than the whole body."""
    if json_length > length:
        raise BadRequest(
            f"Inference-Header-Content-Length is {json_length}, but the body has {length} bytes"
        )


def request_id(value: bytes | None) -> bytes | None:
    """A `tailq-request-id` that can be echoed. Raises BadRequest."""
    if value is not None and not _REQUEST_ID.fullmatch(value):
        raise BadRequest("tailq-request-id must be 1 to 128 printable ASCII characters, no space")
    return value


def _passed(headers: Iterable[tuple[bytes, bytes]], json_length: int | None) -> bytes:
    passed = forward.lines(forward.forwarded(headers))
    if json_length is not None:
        passed += b"inference-header-content-length: %d\r\n" % json_length
    return passed

"""Errors as `application/problem+json` (RFC 9457), with the `error` that tritonclient reads."""

import json
from typing import Final

from gateway.errors import LengthRequired, TooLarge, UnknownModel
from gateway.rest.response import REASONS, Response
from tailq.errors import BadRequest

TYPE: Final = "application/problem+json"
# Seconds after which a shed or failed request may be tried again: load and restarts pass quickly.
RETRY_AFTER_S: Final = 1
_STATUS: Final[dict[type[BadRequest], int]] = {
    UnknownModel: 404,
    TooLarge: 413,
    LengthRequired: 411,
}


def content(status: int, detail: str, **members: str) -> dict[str, object]:
    """The members of a problem. `error` repeats the detail, for clients of the protocol."""
    return {
        "type": "about:blank",
        "title": REASONS[status],
        "status": status,
        "detail": detail,
        "error": detail,
        **members,
    }


def response(status: int, detail: str, head: bytes = b"", **members: str) -> Response:
    """A problem as a response; `head`: further header lines, each ending in CRLF."""
    body = json.dumps(content(status, detail, **members)).encode()
    retry = b"retry-after: %d\r\n" % RETRY_AFTER_S if status == 503 else b""
    lines = b"content-type: %s\r\ncontent-length: %d\r\n%s%s" % (
        TYPE.encode(),
        len(body),
        retry,
        head,
    )
    return Response(status, lines, (body,))


def status_of(error: BadRequest) -> int:
    """The status code of a request's mistake."""
    return _STATUS.get(type(error), 400)

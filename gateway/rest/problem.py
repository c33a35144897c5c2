"""Errors as `application/problem+json` (RFC 9457), with the `error` that tritonclient reads."""

import json
from typing import Final

from gateway import said
from gateway.clients import ratelimit
from gateway.errors import (
    Forbidden,
    LengthRequired,
    QuotaExceeded,
    TooLarge,
    Unauthorized,
    UnknownModel,
)
from gateway.rest.response import REASONS, Response
from tailq.errors import BadRequest

TYPE: Final = "application/problem+json"
_STATUS: Final[dict[type[BadRequest], int]] = {
    Unauthorized: 401,
    Forbidden: 403,
    UnknownModel: 404,
    LengthRequired: 411,
    TooLarge: 413,
    QuotaExceeded: 429,
}
# Of draft-ietf-httpapi-ratelimit-headers.
_OVER_QUOTA: Final = "https://iana.org/assignments/http-problem-types#quota-exceeded"


def content(status: int, detail: str, **members: object) -> dict[str, object]:
    """The members of a problem. `error` repeats the detail, for clients of the protocol."""
    return {
        "type": "about:blank",
        "title": REASONS[status],
        "status": status,
        "detail": detail,
        "error": detail,
        **members,
    }


def response(status: int, detail: str, head: bytes = b"", **members: object) -> Response:
    """A problem as a response; `head`: further header lines, each ending in CRLF."""
    body = json.dumps(content(status, detail, **members)).encode()
    retry = b"retry-after: %d\r\n" % said.RETRY_AFTER_S if status == 503 else b""
    lines = b"content-type: %s\r\ncontent-length: %d\r\n%s%s" % (
        TYPE.encode(),
        len(body),
        retry,
        head,
    )
    return Response(status, lines, (body,))


def of(error: BadRequest, head: bytes = b"") -> Response:
    """A request's mistake as a response; `head`: further header lines, each ending in CRLF."""
    status = _STATUS.get(type(error), 400)
    if isinstance(error, Unauthorized):
        return response(status, str(error), head + b"www-authenticate: Bearer\r\n")
    if isinstance(error, QuotaExceeded):
        head += b"retry-after: %d\r\n" % ratelimit.retry_after_s(error)
        members = {"type": _OVER_QUOTA, "violated-policies": [ratelimit.violated(error)]}
        return response(status, str(error), head, **members)
    return response(status, str(error), head)

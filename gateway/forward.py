"""Which headers of a client's request go on to Triton: all but those that end here.

Both protocols ask this: gRPC's metadata become headers of the request to Triton, too.
"""

import re
from collections.abc import Iterable
from typing import Final

_ENDS_HERE: Final = frozenset(
    (
        # between two neighbours (RFC 9110, section 7.6.1; RFC 9113, section 8.2.2)
        b"connection",
        b"expect",
        b"http2-settings",
        b"keep-alive",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        # set anew for Triton, or by what the gateway can read of an answer
        b"accept-encoding",
        b"content-length",
        b"host",
        b"inference-header-content-length",
        # credentials for the gateway, or for what is before it
        b"authorization",
        b"cookie",
        b"x-api-key",
        # ours
        b"objective",
        b"tolerance",
    )
)
_ENDS_HERE_TOO: Final = (b":", b"grpc-", b"proxy-", b"tailq-")
_breaks_out: Final = re.compile(rb"[\r\n\0]").search


def forwarded(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Those of `headers`, names in lower case, that are passed on, in their order.

    Left out, too: what a Connection header names, empty values, and values that would not stay
    within their line (gRPC's binary metadata may).
    """
    named: set[bytes] = set()
    passed = []
    for name, value in headers:
        if name == b"connection":
            named.update(token.strip() for token in value.lower().split(b","))
        elif (
            value
            and name not in _ENDS_HERE
            and not name.startswith(_ENDS_HERE_TOO)
            and not _breaks_out(value)
        ):
            passed.append((name, value))
    return [one for one in passed if one[0] not in named] if named else passed


def lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """As header lines, each ending in CRLF."""
    return b"".join([b"%s: %s\r\n" % header for header in headers])

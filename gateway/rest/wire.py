"""Responses as bytes on a connection."""

import asyncio
from collections.abc import Iterable

from gateway import pieces
from gateway.rest.response import STATUS_LINES, Response


def write(transport: asyncio.Transport, response: Response, lines: bytes, *, close: bool) -> None:
    """Write all of `response`. lines: the server's own; close: say that this is the last."""
    head = b"".join(
        (
            STATUS_LINES[response.status],
            response.head,
            lines,
            b"connection: close\r\n\r\n" if close else b"\r\n",
        )
    )
    pieces.write(transport, head, response.body)


def without_upgrade(method: bytes, url: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A request's head again, without its wish to upgrade to another protocol."""
    lines = [b"%s %s HTTP/1.1\r\n" % (method, url)]
    lines += [
        b"%s: %s\r\n" % header
        for header in headers
        if header[0] not in (b"upgrade", b"connection", b"http2-settings")
    ]
    return b"".join((*lines, b"\r\n"))

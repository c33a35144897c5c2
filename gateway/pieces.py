"""Writing a message of several pieces to a connection."""

import asyncio
from collections.abc import Sequence
from typing import Final

# Below so many bytes copying a body into one write costs less than a second write.
_JOIN: Final = 1 << 16
_TLS_ROOM: Final = 1 << 16


def at_once(transport: asyncio.Transport) -> None:
    """Have every write go out within its call, and be told as soon as one cannot.

    uvloop before 0.23 otherwise keeps it until all that the loop has to do in this turn is done;
    but what comes after a write, accounting mostly, can be done while the other side works already.
    Buffers then are used, and writing is paused, only when the other side does not take what is
    sent.

    Over TLS (see paced.py) the socket's buffer is out of reach, and that above it, which is emptied
    into it in the same call, must have some room: writing is paused when there is as much in it as
    the limit, so that with 0 every other write would pause an empty one.
    """
    secure = transport.get_extra_info("sslcontext") is not None
    transport.set_write_buffer_limits(high=_TLS_ROOM if secure else 0)


def write(transport: asyncio.Transport, head: bytes, body: Sequence[bytes | memoryview]) -> None:
    """Write `head` and the pieces of `body`: together if they are small, else without a copy."""
    if sum(map(len, body)) < _JOIN:
        transport.write(b"".join((head, *body)))
    else:
        transport.write(head)
        for piece in body:
            transport.write(piece)

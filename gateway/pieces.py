"""Writing a message of several pieces to a connection."""

import asyncio
from collections.abc import Sequence
from typing import Final

# Below so many bytes copying a body into one write costs less than a second write.
_JOIN: Final = 1 << 16


def write(transport: asyncio.Transport, head: bytes, body: Sequence[bytes | memoryview]) -> None:
    """Write `head` and the pieces of `body`: together if they are small, else without a copy."""
    if sum(map(len, body)) < _JOIN:
        transport.write(b"".join((head, *body)))
    else:
        transport.write(head)
        for piece in body:
            transport.write(piece)

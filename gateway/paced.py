"""Writing over TLS no faster than the other side takes it."""

import asyncio
from collections import deque
from typing import Any, Final, cast

SLICE: Final = 1 << 16


class Paced:
    """A transport over TLS that is given a slice at a time, while it does not say to pause.

    asyncio's and uvloop's encrypt whatever they are given at once, into a buffer that keeps its
    greatest size for as long as the connection lasts, and hand it on to the socket's, of which
    nobody hears. In the clear a body needs no copy, and the protocol is paused until it is taken.

    Its protocol has to tell of pause_writing and resume_writing.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._backlog: deque[memoryview] = deque()
        self._paused = False
        self._closing = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def pause(self) -> None:
        """The transport has enough."""
        self._paused = True

    def resume(self) -> bool:
        """It takes more. Whether it has taken all, so that its protocol may go on, too."""
        self._paused = False
        self._go_on()
        return not self._paused

    def write(self, data: bytes | memoryview) -> None:
        """See asyncio.WriteTransport."""
        if self._closing:
            return
        if len(data) <= SLICE and not self._paused:
            self._transport.write(data)
            return
        self._backlog.append(memoryview(data))
        self._go_on()

    def get_write_buffer_size(self) -> int:
        """See asyncio.WriteTransport."""
        return self._transport.get_write_buffer_size() + sum(map(len, self._backlog))

    def is_closing(self) -> bool:
        """See asyncio.BaseTransport."""
        return self._closing or self._transport.is_closing()

    def close(self) -> None:
        """See asyncio.BaseTransport: behind what was written."""
        self._closing = True
        if not self._backlog:
            self._transport.close()

    def abort(self) -> None:
        """See asyncio.WriteTransport."""
        self._closing = True
        self._backlog.clear()
        self._transport.abort()

    def _go_on(self) -> None:
        backlog = self._backlog
        while backlog and not self._paused:
            if self._transport.is_closing():  # what is lost need not be encrypted
                backlog.clear()
                return
            data = backlog.popleft()
            if len(data) > SLICE:
                backlog.appendleft(data[SLICE:])
            self._transport.write(data[:SLICE])
        if self._closing and not backlog:
            self._transport.close()


def paced(transport: asyncio.Transport) -> Paced | None:
    """In its place, if it speaks TLS."""
    return Paced(transport) if transport.get_extra_info("sslcontext") is not None else None


def either(transport: asyncio.Transport, instead: Paced | None) -> asyncio.Transport:
    """What a protocol is to write to."""
    return transport if instead is None else cast("asyncio.Transport", instead)

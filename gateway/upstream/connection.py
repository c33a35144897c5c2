"""One keep-alive HTTP/1.1 connection to Triton: one exchange at a time, callbacks, no tasks."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import httptools

from gateway import paced, pieces
from gateway.heads import Heads
from gateway.upstream.base import Failure
from gateway.upstream.tls import why

_HEADERS: Final = 100
_CLOSED: Final = Failure("lost", "connection closed")


@dataclass(slots=True)
class Message:
    """A complete HTTP response. json_length: of Inference-Header-Content-Length, None: not sent."""

    status: int
    body: bytes
    json_length: int | None
    encoding: bytes | None


class Receiver(Protocol):
    """Who waits for the response on a connection."""

    def received(self, message: Message) -> None:
        """The response is complete; the connection is free already."""

    def broke(self, failure: Failure, *, untouched: bool) -> None:
        """There will be none. untouched: not a byte of it has come."""


class Connection(asyncio.Protocol):
    """A connection that belongs to a pool.

    free: called when it can take the next exchange. gone: called when it is closed.
    max_reply: bytes of response body accepted. heads: of responses, shared by the pool.
    """

    def __init__(
        self,
        free: "Callable[[Connection], None]",
        gone: "Callable[[Connection], None]",
        max_reply: int,
        heads: Heads[tuple[int, int | None]],
    ) -> None:
        self.used = False
        self.closed = False
        self._free = free
        self._gone = gone
        self._max_reply = max_reply
        self._heads = heads
        self._whole = b""  # the data that a response began with
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._paced: paced.Paced | None = None  # over TLS
        self._receiver: Receiver | None = None
        self._broken = ""
        self._reset()

    def _reset(self) -> None:
        self._untouched = True
        self._pieces: list[bytes] = []
        self._size = 0
        self._json_length: int | None = None
        self._encoding: bytes | None = None
        self._headers = 0
        self._complete: Message | None = None
        self._keep_alive = False

    def start(self, head: bytes, body: Sequence[bytes | memoryview], receiver: Receiver) -> None:
        """Send a request; `receiver` hears of its response."""
        assert self._transport is not None
        assert self._receiver is None
        self._receiver = receiver
        if self.closed:  # in the very turn of the loop in which it was opened
            asyncio.get_running_loop().call_soon(self._fail, _CLOSED)
            return
        pieces.write(self._transport, head, body)

    def unsent(self) -> bool:
        """Whether part of the request is still on this side."""
        return self._transport is not None and self._transport.get_write_buffer_size() > 0

    def to_itself(self) -> bool:
        """Whether both ends are this one.

        The kernel may pick, for one who dials a port of its own range on which nobody listens,
        that very port; and then Triton could not listen on it again.
        """
        assert self._transport is not None
        own, peer = (self._transport.get_extra_info(end) for end in ("sockname", "peername"))
        return own is not None and own == peer

    def last(self) -> None:
        """Close when the exchange under way has ended: at once if there is none."""
        self._free = Connection.close
        if self._receiver is None:
            self.close()

    def close(self) -> None:
        """Close at once; its receiver, if any, hears nothing any more."""
        self._receiver = None
        self.closed = True
        if self._transport is not None:
            self._transport.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See asyncio.Protocol."""
        self._paced = paced.paced(transport)
        self._transport = paced.either(transport, self._paced)
        pieces.at_once(transport)
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def pause_writing(self) -> None:
        """See asyncio.Protocol."""
        if self._paced is not None:
            self._paced.pause()

    def resume_writing(self) -> None:
        """See asyncio.Protocol."""
        if self._paced is not None:
            self._paced.resume()

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        if self._receiver is None:
            self.close()  # bytes that nobody asked for
            return
        if self._untouched:
            found = self._heads.find(data)
            if found is not None:
                (status, json_length), body = found
                self._deliver(Message(status, body, json_length, None), keep_alive=True)
                return
            self._whole = data
        else:
            self._whole = b""
        self._untouched = False
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(Failure("broken", self._broken or f"not HTTP: {error}"))
            return
        if self._complete is not None:
            message, keep_alive = self._complete, self._keep_alive
            self._learn(message)
            self._reset()
            self._deliver(message, keep_alive=keep_alive)

    def _learn(self, message: Message) -> None:
        if self._whole and self._keep_alive and message.encoding is None:
            known = (message.status, message.json_length)
            self._heads.learn(self._whole, known, len(message.body))

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self.closed = True
        self._gone(self)
        self._fail(self._lost(exc))

    def _lost(self, error: Exception | None) -> Failure:
        """What ended the connection.

        In TLS 1.3 a server that refuses our certificate says so after the handshake is complete
        for us: what was sent meanwhile it has not looked at. Its reason may get lost on the way.
        """
        reason = _CLOSED.detail if error is None else why(error)
        if self.used or not self._untouched or not self._is_tls():
            return Failure("lost", reason)
        if isinstance(error, ssl.SSLError):
            return Failure("unreachable", f"TLS: {reason}", "untried")
        return Failure(
            "lost", f"{reason}, first thing over TLS: perhaps our certificate is not accepted"
        )

    def _is_tls(self) -> bool:
        transport = self._transport
        return transport is not None and transport.get_extra_info("sslcontext") is not None

    # httptools

    def on_message_begin(self) -> None:
        """See httptools."""
        if self._complete is not None:
            self._give_up("more than one answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        """See httptools."""
        self._headers += 1
        if self._headers > _HEADERS:
            self._give_up("too many headers")
        name = name.lower()
        if name == b"inference-header-content-length":
            if not value.isdigit() or len(value) > 12:
                self._give_up("bad Inference-Header-Content-Length")
            self._json_length = int(value)
        elif name == b"content-encoding":
            self._encoding = value

    def on_body(self, piece: bytes) -> None:
        """See httptools."""
        self._size += len(piece)
        if self._size > self._max_reply:
            self._give_up(f"answer over {self._max_reply} bytes")
        self._pieces.append(piece)

    def on_message_complete(self) -> None:
        """See httptools."""
        status = self._parser.get_status_code()
        if status >= 200:  # else an interim response, the real one follows
            body = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
            self._complete = Message(status, body, self._json_length, self._encoding)
            self._keep_alive = self._parser.should_keep_alive()

    def _deliver(self, message: Message, *, keep_alive: bool) -> None:
        receiver, self._receiver = self._receiver, None
        assert receiver is not None
        self.used = True
        if keep_alive and not self.unsent():
            self._free(self)
        else:
            self.close()
        receiver.received(message)

    def _give_up(self, why: str) -> None:
        self._broken = why
        raise ValueError(why)  # ends the parser, which reports to data_received

    def _fail(self, failure: Failure) -> None:
        receiver, untouched = self._receiver, self._untouched
        self.close()
        if receiver is not None:
            receiver.broke(failure, untouched=untouched)

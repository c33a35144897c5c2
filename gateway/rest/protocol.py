"""The server's side of a connection: answers infer requests itself, hands the rest to the app.

uvicorn's protocol class costs a task, a scope and an ASGI conversation a request. For the one
route that is hot none of that happens: the parser's callbacks feed an Exchange, and its response
is written in one piece. Both kinds share uvicorn's queue of pipelined requests, so the order of
responses is kept whatever is mixed on a connection.
"""

import asyncio
import logging
from typing import Any, Final

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from gateway import paced, pieces
from gateway.rest import problem, wire
from gateway.rest.cycle import Cycle
from gateway.rest.exchange import Exchange
from gateway.rest.patience import Patience
from gateway.rest.response import Response
from gateway.rest.shared import Rest
from gateway.service import VERSION

log = logging.getLogger("tailq.gateway.rest")

# What a client may send ahead of its turn before it is not read any more: requests, and bytes of
# their bodies. Up to there it is read on, and so seen to leave.
_AHEAD: Final = 8
_AHEAD_BYTES: Final = 1 << 16
_GOODBYE_S: Final = 1.0  # over TLS, when the gateway ends


class InferProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(
        self,
        rest: Rest,
        patience: Patience,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._rest = rest
        self._patience = patience
        self._now = rest.service.dataplane.clock.now
        path = f"/v2/models/{rest.service.name}"
        self._hot = (
            f"{path}/infer".encode(),
            f"{path}/versions/{VERSION}/infer".encode(),
        )
        self._since = self._now()
        self._in_head = False
        self._between = True  # requests: nothing has begun since the last one's end
        self._head_bytes = 0
        self._too_large = False
        self._closing = False
        self._ahead_bytes = 0
        self._begun = 0  # messages, in the piece of data that is being parsed
        self._feeding = False
        self._held: tuple[Cycle, Response] | None = None  # until all that was read is parsed
        self._paced: paced.Paced | None = None  # over TLS
        self._running: Any = None  # the cycle whose response is next: ours, or one of uvicorn's

    # What comes in

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self._unset_keepalive_if_required()
        if self._closing or (self._between and self._known(data)):
            return
        from_start = self._between  # of a message
        self._begun = 0
        self._feeding = True
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._decline_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserCallbackError as error:
            if not self._too_large:
                log.error("a request could not be handled", exc_info=error.__context__)
            self._reject(431 if self._too_large else 500)
        except httptools.HttpParserError as error:
            log.debug("not HTTP: %s", error)
            self._reject(400)
        else:
            # Of a head that began behind other messages it is not known how much of data it is.
            if self._in_head and self._begun == int(from_start):
                self._head_bytes += len(data)
                if self._head_bytes > self._patience.head_bytes:
                    self._reject(431)
        finally:
            self._feeding = False
        self._release()
        if from_start and self._between and self._begun == 1:
            self._learn(data)

    def _known(self, data: bytes) -> bool:
        """Take in `data` if it is one infer request with a head that came before."""
        last: Any = self.cycle
        found = self._rest.heads.find(data)
        if found is None or (last is not None and not last.response_complete):
            return False
        (head, keep_alive), body = found
        self._since = self._now()
        cycle = Cycle((), self._since, keep_alive=keep_alive, head=head)
        cycle.pieces.append(body)
        cycle.complete = True
        self.cycle = cycle  # type: ignore[assignment]
        self._start(cycle)
        return True

    def _learn(self, data: bytes) -> None:
        """`data` was one whole message: should it come again, know its head."""
        cycle: object = self.cycle
        if isinstance(cycle, Cycle) and cycle.complete and cycle.exchange is not None:
            head = cycle.exchange.head
            if head is not None and head.length is not None and not cycle.expects:
                self._rest.heads.learn(data, (head, cycle.keep_alive), head.length)

    def on_message_begin(self) -> None:
        """See httptools. uvicorn's scope is built when the app is to have the request."""
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._since = self._now()
        self._begun += 1
        self._in_head = True
        self._between = False
        self._head_bytes = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """See httptools."""
        self.headers.append((name.lower(), value))
        if len(self.headers) > self._patience.headers:
            self._refuse_head()

    def on_headers_complete(self) -> None:
        """See httptools."""
        self._in_head = False
        if self._closing or self.parser.should_upgrade():
            return
        size = len(self.url)
        for name, value in self.headers:
            size += len(name) + len(value)
            if name == b"expect" and value.lower() == b"100-continue":
                self.expect_100_continue = True
        if size > self._patience.head_bytes:
            self._refuse_head()
        if self.url in self._hot and self.parser.get_method() == b"POST":
            keep_alive = self.parser.should_keep_alive() and self.parser.get_http_version() != "1.0"
            self._queue(
                Cycle(
                    self.headers,
                    self._now(),
                    keep_alive=keep_alive,
                    expects=self.expect_100_continue,
                )
            )
        else:
            self._leave_to_app()

    def _refuse_head(self) -> None:
        self._too_large = True
        raise ValueError("head too large")  # ends the parser, which reports to data_received

    def _leave_to_app(self) -> None:
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url = url
        self.headers.extend(headers)  # the scope holds this very list
        self.expect_100_continue = expects
        try:
            super().on_headers_complete()
        except (httptools.HttpParserInvalidURLError, UnicodeDecodeError):
            self._reject(400)

    def on_body(self, body: bytes) -> None:
        """See httptools."""
        cycle: Any = self.cycle
        if self._closing or cycle is None or self.parser.should_upgrade():
            return
        if not isinstance(cycle, Cycle):
            super().on_body(body)
            return
        cycle.body(body)
        if cycle.exchange is None:
            self._ahead_bytes += len(body)
            self._pace()

    def on_message_complete(self) -> None:
        """See httptools."""
        cycle: Any = self.cycle
        if self._closing or cycle is None or self.parser.should_upgrade():
            return
        self._between = True
        self._since = self._now()
        if isinstance(cycle, Cycle):
            cycle.end()
            self._release()
        else:
            super().on_message_complete()

    # Order: one request at a time

    def _queue(self, cycle: Cycle) -> None:
        before: Any = self.cycle
        self.cycle = cycle  # type: ignore[assignment]
        if before is None or before.response_complete:
            self._start(cycle)
        else:
            self.pipeline.appendleft((cycle, self.app))  # type: ignore[arg-type]
            self._pace()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        """Called by uvicorn for the next one in its queue, ours or its own."""
        if isinstance(cycle, Cycle):
            self._start(cycle)
        else:
            self._running = cycle
            super()._start_asgi_task(cycle, app)

    def _start(self, cycle: Cycle) -> None:
        self._running = cycle
        if self._ahead_bytes:
            self._ahead_bytes -= sum(map(len, cycle.pieces))
        exchange = Exchange(self._rest, lambda response: self._respond(cycle, response))
        if cycle.begin(exchange) and not cycle.response_complete and self._held is None:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _next(self) -> None:
        if self.pipeline and not self.transport.is_closing():
            self._start_asgi_task(*self.pipeline.pop())
            self._pace()

    def _pace(self) -> None:
        if (
            self.flow.write_paused
            or len(self.pipeline) >= _AHEAD
            or self._ahead_bytes > _AHEAD_BYTES
        ):
            self.flow.pause_reading()
        else:
            self.flow.resume_reading()

    # What goes out

    def _respond(self, cycle: Cycle, response: Response) -> None:
        if self._feeding and not cycle.complete:
            # The rest of the body may be at hand: then the connection need not be closed.
            self._held = (cycle, response)
        else:
            self._send(cycle, response)

    def _release(self) -> None:
        if self._held is not None:
            held, self._held = self._held, None
            self._send(*held)

    def _send(self, cycle: Cycle, response: Response) -> None:
        cycle.response_complete = True
        if cycle.disconnected or self.transport.is_closing():
            return
        # A large body still on its way is not waited for: the connection is closed behind the
        # response.
        keep = cycle.keep_alive and (cycle.complete or cycle.spares_rest())
        close = self._rest.leaving or not keep
        self._write(response, close=close)
        self._since = self._now()
        self.server_state.total_requests += 1
        if close:
            self._close_softly(complete=cycle.complete)
        elif self.pipeline:
            # Not from here: a thousand pipelined mistakes would be a thousand calls deep.
            self.loop.call_soon(self._next)
        elif not self.flow.write_paused:
            self.flow.resume_reading()

    def _write(self, response: Response, *, close: bool) -> None:
        lines = self._rest.own_lines(self.server_state.default_headers)
        wire.write(self.transport, response, lines, close=close)

    def _close_softly(self, *, complete: bool) -> None:
        """Close, but not under a request on its way: unread bytes would destroy the response."""
        self._closing = True
        self.pipeline.clear()
        if complete:
            self.transport.close()
        else:
            self._since = self._now()
            self._between = False
            self.flow.resume_reading()
            if self.transport.can_write_eof():
                self.transport.write_eof()

    def _reject(self, status: int) -> None:
        """Answer what could not be understood; nothing more can be on this connection."""
        if self._closing or self.transport.is_closing():
            return
        running, self._closing = self._running, True
        self.pipeline.clear()
        if running is not None and not running.response_complete:
            if not isinstance(running, Cycle):
                self.transport.close()
                return
            if running.complete:  # its response is due first; then the connection is closed
                running.keep_alive = False
                return
            running.gone()
            self._held = None
        texts = {
            400: "this is not an HTTP/1.1 request",
            431: f"the head is over {self._patience.head_bytes} bytes or "
            f"{self._patience.headers} headers",
            500: "the request could not be handled",
        }
        self._write(problem.response(status, texts[status]), close=True)
        self._close_softly(complete=False)

    def _decline_upgrade(self, rest: bytes) -> None:
        """Go on in HTTP/1.1, as a server may: feed the head again, without the wish to upgrade.

        (Java's client wishes for h2c in every first request.) The parser skips the body of a
        request to upgrade, so it cannot simply be told to go on.
        """
        if self.parser.get_method() == b"CONNECT":
            self._reject(400)
            return
        head = wire.without_upgrade(self.parser.get_method(), self.url, self.headers)
        self.parser = httptools.HttpRequestParser(self)
        self.data_received(head + rest)

    # The connection itself

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See asyncio.Protocol."""
        self._paced = paced.paced(transport)
        super().connection_made(paced.either(transport, self._paced))
        pieces.at_once(transport)
        if len(self.connections) > self._patience.connections:
            self._write(problem.response(503, "too many connections; try again"), close=True)
            self._close_softly(complete=False)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        super().connection_lost(exc)
        if self._paced is not None:
            self._paced.abort()  # lets go of what was not sent
        self.pipeline.clear()
        running = self._running
        if isinstance(running, Cycle):
            running.gone()
        elif running is not None:
            running.disconnected = True
            running.message_event.set()

    def shutdown(self) -> None:
        """See uvicorn. The gateway ends: an idle connection is closed, another one once answered.

        Over TLS a client is waited for to say goodbye, too; who keeps a connection for later will
        not even notice.
        """
        super().shutdown()
        if self.scheme == "https" and self.transport.is_closing() and not self.flow.write_paused:
            self.loop.call_later(_GOODBYE_S, self.transport.abort)

    def pause_writing(self) -> None:
        """The client does not take its responses: take no more requests."""
        if self._paced is not None:
            self._paced.pause()
        if self.flow.write_paused:
            return
        super().pause_writing()
        self._since = self._now()
        self.flow.pause_reading()

    def resume_writing(self) -> None:
        """See asyncio.Protocol."""
        if self._paced is not None and not self._paced.resume():
            return
        super().resume_writing()
        if not self.pipeline:
            self.flow.resume_reading()

    def check(self, now: float) -> None:
        """Close the connection if it takes too long; to be called every second or so."""
        cycle: Any = self.cycle
        patience = self._patience
        waited = now - self._since
        if self.flow.write_paused:
            if waited > patience.write_s:
                self.transport.abort()
        elif cycle is not None and not cycle.response_complete:
            pass  # bounded by its own deadline
        elif waited > (patience.idle_s if self._between else patience.head_s):
            self.transport.abort() if self._closing else self.transport.close()

"""One infer request on a connection, as uvicorn's protocol expects of its own cycles."""

from collections.abc import Sequence
from typing import Final

from gateway.rest.exchange import Exchange
from gateway.rest.head import Head

# Bytes of a body that are sooner read and dropped than a connection is opened anew.
_SMALL: Final = 1 << 16


class _NullEvent:
    """uvicorn wakes its cycles by an event; an Exchange is called instead."""

    def set(self) -> None:
        pass


class Cycle:
    """State of the request on the wire; what it means is the Exchange's.

    headers: as they came; head: or what they mean, if they are known from before.
    arrived: when its head was complete. expects: it waits for 100 Continue. exchange: None until
    its turn has come. pieces: of the body, until then. complete: all of it has been received.
    begun: it has its exchange, which did not answer by the head alone.
    """

    __slots__ = (
        "arrived",
        "begun",
        "complete",
        "disconnected",
        "exchange",
        "expects",
        "head",
        "headers",
        "keep_alive",
        "pieces",
        "response_complete",
    )
    message_event: Final = _NullEvent()

    def __init__(
        self,
        headers: Sequence[tuple[bytes, bytes]],
        arrived: float,
        *,
        keep_alive: bool,
        expects: bool = False,
        head: Head | None = None,
    ) -> None:
        self.headers = headers
        self.arrived = arrived
        self.keep_alive = keep_alive
        self.expects = expects
        self.head = head
        self.exchange: Exchange | None = None
        self.pieces: list[bytes] = []
        self.complete = False
        self.begun = False
        self.response_complete = False
        self.disconnected = False

    def body(self, piece: bytes) -> None:
        """A piece of the body has come."""
        if self.exchange is None:
            self.pieces.append(piece)
        else:
            self.exchange.body(piece)

    def end(self) -> None:
        """The body is complete."""
        self.complete = True
        if self.exchange is not None:
            self.exchange.end()

    def begin(self, exchange: Exchange) -> bool:
        """Its turn has come. True: the client now waits for 100 Continue."""
        self.exchange = exchange
        if self.head is None:
            exchange.start(self.headers, self.arrived)
        else:
            exchange.open(self.head, self.arrived)
        self.begun = not exchange.answered
        for piece in self.pieces:
            exchange.body(piece)
        self.pieces = []
        if self.complete:
            exchange.end()
        return self.expects and not self.complete

    def spares_rest(self) -> bool:
        """Whether the rest of the body is little and on its way, to be dropped when it comes.

        So is that of a request which was answered by its head alone (shed, refused), since bodies
        often follow in a packet of their own. It is not of a client that was slow with it, nor of
        one that waits to be told to send it.
        """
        head = None if self.exchange is None else self.exchange.head
        if self.begun or self.expects or head is None or head.length is None:
            return False
        return head.length <= _SMALL

    def gone(self) -> None:
        """The client has left, or what it sends cannot be understood."""
        if self.exchange is not None:
            self.exchange.gone()
        self.response_complete = True

"""One request to Triton over connections that do as told: what is sent, and what it ends in."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway.upstream.base import Failure
from gateway.upstream.connection import Message
from gateway.upstream.transfer import Transfer
from tests.gateway.virtual import VirtualClock

LOST = Failure("lost", "connection closed")
CANCELLED = Failure("cancelled", "given up")
BODY = (b"body",)


@dataclass
class Line:
    """A connection. left: whether part of what was sent is still on this side."""

    used: bool = True
    left: bool = False
    closed: bool = False
    sent: list[tuple[Any, ...]] = field(default_factory=list)

    def start(self, *said: Any) -> None:
        """See Connection."""
        self.sent.append(said)

    def unsent(self) -> bool:
        """See Connection."""
        return self.left

    def close(self) -> None:
        """See Connection."""
        self.closed = True


@dataclass
class Lines:
    """A pool with these idle connections."""

    idle: list[Line]
    diallers: list[Any] = field(default_factory=list)

    def take(self) -> Line | None:
        """See Pool."""
        return self.idle.pop() if self.idle else None

    def give(self, line: Line) -> None:
        """See Pool."""
        self.idle.append(line)

    def dial(self, dialler: Any) -> None:
        """See Pool."""
        self.diallers.append(dialler)


class Sent:
    """A transfer with a deadline at 1 s, and what it ended in."""

    def __init__(self, *idle: Line) -> None:
        self.clock = VirtualClock()
        self.pool = Lines(list(idle))
        pool: Any = self.pool
        self.ends: list[object] = []
        self.transfer = Transfer[bytes](
            pool,
            self.clock,
            b"head",
            BODY,
            1.0,
            self.ends.append,
            lambda message: message.body,
        )


@pytest.mark.parametrize("how", ["abandon", "cancel"])
def test_what_is_left_before_there_is_a_connection_is_never_sent(how: str) -> None:
    """It ends at once, once; the connection that comes is for others."""
    sent, line = Sent(), Line(used=False)
    getattr(sent.transfer, how)()
    assert sent.ends == [CANCELLED]
    sent.transfer.cancel()
    sent.transfer.dialled(line)  # type: ignore[arg-type]
    assert (sent.pool.idle, line.sent, line.closed) == ([line], [], False)
    assert sent.ends == [CANCELLED]


@pytest.mark.parametrize("left", [False, True])
def test_what_is_abandoned_goes_on_if_triton_has_all_of_it(left: bool) -> None:
    """Otherwise its connection is closed: nobody waits for what was not even sent."""
    line = Line(left=left)
    sent = Sent(line)
    sent.transfer.abandon()
    assert (line.closed, sent.ends) == (left, [CANCELLED] if left else [])
    if not left:
        sent.transfer.received(Message(200, b"answer", None, None))
        assert sent.ends == [b"answer"]


def test_what_is_cancelled_closes_its_connection() -> None:
    """Triton takes that for a cancellation; once it has ended there is nothing to cancel."""
    line = Line()
    sent = Sent(line)
    sent.transfer.cancel()
    assert (line.closed, sent.ends) == (True, [CANCELLED])
    ended = Line()
    sent = Sent(ended)
    sent.transfer.received(Message(200, b"answer", None, None))
    sent.transfer.cancel()
    assert (ended.closed, sent.ends) == (False, [b"answer"])


@pytest.mark.parametrize(
    ("used", "untouched", "abandoned", "now", "again"),
    [
        (True, True, False, 0.0, True),
        (False, True, False, 0.0, False),  # Triton takes requests and drops them
        (True, False, False, 0.0, False),  # it had begun to answer
        (True, True, True, 0.0, False),  # nobody waits
        (True, True, False, 1.0, False),  # too late
    ],
)
def test_it_is_sent_once_more_if_the_connection_was_stale(
    used: bool, untouched: bool, abandoned: bool, now: float, again: bool
) -> None:
    """Kept from an exchange before, and closed without a byte: then once, over a new one."""
    sent, new = Sent(Line(used=used)), Line(used=False)
    if abandoned:
        sent.transfer.abandon()
    sent.clock.run_until(now)
    sent.transfer.broke(LOST, untouched=untouched)
    assert (sent.pool.diallers, sent.ends) == (([sent.transfer], []) if again else ([], [LOST]))
    if again:
        sent.transfer.dialled(new)  # type: ignore[arg-type]
        assert new.sent == [(b"head", BODY, sent.transfer)]
        sent.transfer.broke(LOST, untouched=True)
        assert sent.ends == [LOST]


def test_what_is_left_while_a_second_connection_is_opened_ends_at_once() -> None:
    """The first one is gone, and not to be closed again."""
    sent = Sent(Line())
    sent.transfer.broke(LOST, untouched=True)
    sent.transfer.abandon()
    assert sent.ends == [CANCELLED]
    sent.transfer.undialled("connection refused")
    assert sent.ends == [CANCELLED]


def test_a_new_connection_is_opened_where_none_is_idle() -> None:
    """What comes of it is the request's: it is sent over it, and closed with it."""
    sent, line = Sent(), Line(used=False)
    assert sent.pool.diallers == [sent.transfer]
    sent.transfer.dialled(line)  # type: ignore[arg-type]
    assert line.sent == [(b"head", BODY, sent.transfer)]
    sent.transfer.cancel()
    assert (line.closed, sent.ends) == (True, [CANCELLED])


def test_an_idle_connection_is_used() -> None:
    """At once; no other is opened."""
    line = Line()
    sent = Sent(line)
    assert (line.sent, sent.pool.diallers) == ([(b"head", BODY, sent.transfer)], [])


def test_where_no_connection_can_be_had_it_was_not_tried() -> None:
    """So it may be asked elsewhere."""
    sent = Sent()
    sent.transfer.undialled("connection refused")
    assert sent.ends == [Failure("unreachable", "connection refused", "untried")]

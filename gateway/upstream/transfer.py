"""One request to Triton: over an idle connection, a new one, or, once, both in turn."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from gateway.clock import Clock
from gateway.upstream.base import Failure
from gateway.upstream.connection import Connection, Message
from gateway.upstream.pool import Pool

Meaning = TypeVar("Meaning")


class Transfer(Generic[Meaning]):
    """A call (upstream.base.Call) that ends in what a message of Triton's means, or in a failure.

    done: called once, never within the constructor. deadline: on `clock`, for the second try.
    """

    __slots__ = ("_body", "_clock", "_connection", "_deadline", "_done", "_head", "_judge", "_pool")

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        head: bytes,
        body: Sequence[bytes | memoryview],
        deadline: float,
        done: Callable[[Meaning | Failure], None],
        judge: Callable[[Message], Meaning],
    ) -> None:
        self._judge = judge
        self._pool = pool
        self._clock = clock
        self._head = head
        self._body: Sequence[bytes | memoryview] | None = body  # None: will not be sent (again)
        self._deadline = deadline
        self._done: Callable[[Meaning | Failure], None] | None = done  # None: has ended
        self._connection = pool.take()
        if self._connection is None:
            pool.dial(self)
        else:
            self._connection.start(head, body, self)

    # upstream.base.Call

    def abandon(self) -> None:
        """See upstream.base.Call."""
        self._body = None
        if self._connection is None or self._connection.unsent():
            self.cancel()

    def cancel(self) -> None:
        """Close the connection: Triton takes that for a cancellation."""
        if self._done is None:
            return
        if self._connection is not None:
            self._connection.close()
        self._end(Failure("cancelled", "given up"))

    # pool.Dialler

    def dialled(self, connection: Connection) -> None:
        """See pool.Dialler."""
        if self._body is None:
            self._pool.give(connection)
            return
        self._connection = connection
        connection.start(self._head, self._body, self)

    def undialled(self, why: str) -> None:
        """See pool.Dialler."""
        self._end(Failure("unreachable", why, "untried"))

    # connection.Receiver

    def received(self, message: Message) -> None:
        """See connection.Receiver."""
        self._end(self._judge(message))

    def broke(self, failure: Failure, *, untouched: bool) -> None:
        """See connection.Receiver.

        A kept-alive connection may have been closed by Triton just when the request was sent:
        then, and only then, it is sent once more, over a new connection.
        """
        stale = untouched and self._connection is not None and self._connection.used
        self._connection = None
        if stale and self._body is not None and self._clock.now() < self._deadline:
            self._pool.dial(self)
        else:
            self._end(failure)

    def _end(self, outcome: Meaning | Failure) -> None:
        done, self._done = self._done, None
        self._connection = self._body = None
        if done is not None:
            done(outcome)

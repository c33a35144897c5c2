"""The connections to one endpoint: reused last in first out, dialled when none is idle."""

import asyncio
from typing import Protocol

from gateway.heads import Heads
from gateway.upstream.connection import Connection
from gateway.upstream.endpoint import Endpoint as Endpoint
from gateway.upstream.tls import why


class Dialler(Protocol):
    """Who waits for a new connection."""

    def dialled(self, connection: Connection) -> None:
        """Here it is."""

    def undialled(self, why: str) -> None:
        """There is none."""


class Pool:
    """How many connections there are is bounded by who asks: one for each request in flight."""

    def __init__(self, endpoint: Endpoint, *, connect_s: float, max_reply: int) -> None:
        self.endpoint = endpoint
        self._connect_s = connect_s
        self._max_reply = max_reply
        self._heads = Heads[tuple[int, int | None]]()
        self._idle: list[Connection] = []
        self._all: set[Connection] = set()
        self._dialling: set[asyncio.Task[None]] = set()
        self._retired = False

    @property
    def empty(self) -> bool:
        """Whether there is no connection, nor one that is being opened."""
        return not self._all and not self._dialling

    def take(self) -> Connection | None:
        """The idle connection that was used last, None if there is none."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.closed:
                return connection
        return None

    def give(self, connection: Connection) -> None:
        """Back to the idle ones."""
        if not connection.closed:
            self._idle.append(connection)

    def dial(self, dialler: Dialler) -> None:
        """Open a connection for `dialler`, which hears later."""
        task = asyncio.get_running_loop().create_task(self._dial(dialler))
        self._dialling.add(task)
        task.add_done_callback(self._dialling.discard)

    def drop_idle(self) -> None:
        """Close those that nothing is asked over: what they led to is gone, or does not answer."""
        for connection in tuple(self._idle):
            connection.close()
        self._idle.clear()

    def retire(self) -> None:
        """Close each connection when its exchange has ended; later ones are for one exchange.

        Connections are told, so that those in use elsewhere need not ask after each exchange.
        """
        self._retired = True
        self._idle.clear()
        for connection in tuple(self._all):
            connection.last()

    def close(self) -> None:
        """Close every connection, and dial no more."""
        for task in self._dialling:
            task.cancel()
        for connection in tuple(self._all):
            connection.close()

    async def _dial(self, dialler: Dialler) -> None:
        endpoint = self.endpoint
        secure = endpoint.tls is not None
        try:
            async with asyncio.timeout(self._connect_s):
                _, connection = await asyncio.get_running_loop().create_connection(
                    lambda: Connection(self.give, self._gone, self._max_reply, self._heads),
                    endpoint.host,
                    endpoint.port,
                    ssl=endpoint.tls,
                    server_hostname=(endpoint.server_name or endpoint.host) if secure else None,
                )
        except TimeoutError:
            dialler.undialled(f"no connection within {self._connect_s:g} s")
        except OSError as error:  # TLS errors are such
            dialler.undialled(why(error))
        else:
            if connection.to_itself():
                connection.close()
                dialler.undialled("nobody listens")
                return
            if not connection.closed:
                self._all.add(connection)
            dialler.dialled(connection)
            if self._retired:
                connection.last()

    def _gone(self, connection: Connection) -> None:
        self._all.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)

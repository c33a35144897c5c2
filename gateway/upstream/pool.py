"""The connections to one endpoint: reused last in first out, dialled when none is idle."""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from gateway.heads import Heads
from gateway.upstream.connection import Connection
from gateway.upstream.health import Health


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where Triton's HTTP service listens."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class Dialler(Protocol):
    """Who waits for a new connection."""

    def dialled(self, connection: Connection) -> None:
        """Here it is."""

    def undialled(self, why: str) -> None:
        """There is none."""


class Pool:
    """How many connections there are is bounded by who asks: one for each request in flight."""

    def __init__(
        self, endpoint: Endpoint, health: Health, *, connect_s: float, max_reply: int
    ) -> None:
        self.endpoint = endpoint
        self._health = health
        self._connect_s = connect_s
        self._max_reply = max_reply
        self._heads = Heads[tuple[int, int | None]]()
        self._idle: list[Connection] = []
        self._all: set[Connection] = set()
        self._dialling: set[asyncio.Task[None]] = set()

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

    def close(self) -> None:
        """Close every connection, and dial no more."""
        for task in self._dialling:
            task.cancel()
        for connection in tuple(self._all):
            connection.close()

    async def _dial(self, dialler: Dialler) -> None:
        try:
            async with asyncio.timeout(self._connect_s):
                _, connection = await asyncio.get_running_loop().create_connection(
                    lambda: Connection(self.give, self._gone, self._max_reply, self._heads),
                    self.endpoint.host,
                    self.endpoint.port,
                )
        except TimeoutError:
            why = f"no connection within {self._connect_s:g} s"
        except OSError as error:
            why = error.strerror or str(error)
        else:
            if not connection.to_itself():
                if not connection.closed:
                    self._all.add(connection)
                dialler.dialled(connection)
                return
            connection.close()
            why = "nobody listens"
        self._health.down(why)
        dialler.undialled(why)

    def _gone(self, connection: Connection) -> None:
        self._all.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)

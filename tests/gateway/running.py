"""A gateway in the test's own loop, listening on a real socket."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from gateway.app import Gateway, Server, assemble, bind, configuration
from gateway.clock import LoopClock
from gateway.settings import Settings
from gateway.upstream.pool import Endpoint
from tailq.tier import TierTable
from tests.gateway.client import Client
from tests.gateway.stub import Stub
from tests.tables import promise, table, tier

TABLE = table(
    tier("gold", 0.0, promise("large", 5.0)),
    tier("fast", 0.1, promise("small", 5.0), promise("small", 10.0)),
    tier("tight", 0.2, promise("small", 0.05)),
)


@dataclass
class Running:
    """A running gateway."""

    gateway: Gateway
    server: Server
    port: int
    task: "asyncio.Task[None]"
    clients: list[Client] = field(default_factory=list)

    async def client(self) -> Client:
        """A new connection to it."""
        self.clients.append(await Client.connect(self.port))
        return self.clients[-1]

    def outcomes(self) -> dict[str, float]:
        """How many requests ended in which way, from the metrics."""
        counts: dict[str, float] = {}
        for family in self.gateway.metrics.collect():
            if family.name == "tailq_requests":
                for sample in family.samples:
                    outcome = sample.labels["outcome"]
                    counts[outcome] = counts.get(outcome, 0) + sample.value
        return {outcome: count for outcome, count in counts.items() if count}


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until `condition` holds."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  (what it waits for sets no event)
            await asyncio.sleep(0)


@asynccontextmanager
async def running(stub_port: int, tiers: TierTable, **settings: Any) -> AsyncIterator[Running]:
    """A gateway in front of a stub, stopped in the end."""
    listener = bind("127.0.0.1", 0)
    port = listener.getsockname()[1]
    gateway = assemble(
        tiers,
        Settings(Endpoint("127.0.0.1", stub_port), **settings),
        LoopClock(asyncio.get_running_loop()),
    )
    ready = asyncio.Event()
    server = Server(configuration(gateway), ready.set)
    task = asyncio.create_task(server.serve([listener]))
    try:
        await ready.wait()
        running = Running(gateway, server, port, task)
        yield running
        for client in running.clients:
            client.close()
            await client.at_end()
    finally:
        for connection in tuple(server.server_state.connections):
            connection.transport.abort()
        server.should_exit = True
        await task
        gateway.triton.close()


MakeRunning = Callable[..., AbstractAsyncContextManager[Running]]


def before(stub: Stub) -> MakeRunning:
    """A maker of gateways in front of `stub`."""

    def make(tiers: TierTable = TABLE, **settings: Any) -> AbstractAsyncContextManager[Running]:
        return running(stub.port, tiers, **settings)

    return make

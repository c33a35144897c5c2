"""A gateway in the test's own loop, listening on a real socket."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.app import Gateway, assemble
from gateway.clock import LoopClock
from gateway.live import families, names
from gateway.serving import server
from gateway.serving.server import Server
from gateway.settings import Settings
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
        told = families.of(self.gateway.metrics.points(), self.gateway.service.name)
        for (_, labels), count in told[names.REQUESTS.name].samples.items():
            outcome = dict(labels)["outcome"]
            counts[outcome] = counts.get(outcome, 0) + count
        return {outcome: count for outcome, count in counts.items() if count}


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until `condition` holds."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  (what it waits for sets no event)
            await asyncio.sleep(0)


def settings(stub_port: int, **given: Any) -> Settings:
    """Settings in front of a stub.

    given: sections (`limits={...}`), or keys of [limits] and `max_reply`, or Limits and Patience
    as `limits` and `patience`, all of whose values are then keys of [limits].
    """
    upstream: dict[str, Any] = {"endpoints": [f"127.0.0.1:{stub_port}"]}
    tree: dict[str, Any] = {"tiers": Path("tiers.json"), "upstream": upstream, "limits": {}}
    for name, value in given.items():
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            tree["limits"] |= dataclasses.asdict(value)
        elif name in Settings.model_fields:
            tree[name] = {**tree.get(name, {}), **value} if isinstance(value, dict) else value
        elif name == "max_reply":
            upstream[name] = value
        else:
            tree["limits"][name] = value
    return Settings.model_validate(tree)


@asynccontextmanager
async def running(stub_port: int, tiers: TierTable, **given: Any) -> AsyncIterator[Running]:
    """A gateway in front of a stub, stopped in the end. given: see settings()."""
    listener = server.bind("127.0.0.1", 0)
    port = server.port_of(listener)
    gateway = assemble(tiers, settings(stub_port, **given), LoopClock(asyncio.get_running_loop()))
    patience = gateway.settings.limits.patience
    serving = Server(server.data(gateway.application, gateway.rest, patience))
    task = asyncio.create_task(serving.serve([listener]))
    try:
        await serving.listening.wait()
        running = Running(gateway, serving, port, task)
        yield running
        for client in running.clients:
            client.close()
            await client.at_end()
    finally:
        for connection in tuple(serving.server_state.connections):
            connection.transport.abort()
        serving.should_exit = True
        await task
        gateway.close()


MakeRunning = Callable[..., AbstractAsyncContextManager[Running]]


def before(stub: Stub) -> MakeRunning:
    """A maker of gateways in front of `stub`."""

    def make(tiers: TierTable = TABLE, **given: Any) -> AbstractAsyncContextManager[Running]:
        return running(stub.port, tiers, **given)

    return make

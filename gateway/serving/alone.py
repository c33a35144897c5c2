"""The gateway as one process: data and admin listeners in one loop."""

import asyncio
import logging
import time
from typing import Any

from gateway.admin.listener import AdminListener
from gateway.admin.state import overview
from gateway.app import assemble
from gateway.clock import LoopClock
from gateway.live import families, metrics
from gateway.live.families import Families
from gateway.live.glance import glance, lately
from gateway.live.history import STEP_S, History
from gateway.live.view import LiveView
from gateway.reload.parts import Served
from gateway.reload.reloader import Reloader, Verdict
from gateway.reload.source import Source
from gateway.serving import background, server, signals
from gateway.serving.addresses import Addresses, Ready
from gateway.serving.node import Node
from gateway.settings import Settings

log = logging.getLogger("tailq.gateway.serving")


class Alone:
    """An admin.app.Operated."""

    def __init__(self, node: Node, reloader: Reloader, settings: Settings) -> None:
        self._node = node
        self._reloader = reloader
        self._settings = settings
        self._history = History()

    async def watch(self) -> None:
        """Keep the history; for ever."""
        while True:
            self._history.add(lately(await self.families()))
            await asyncio.sleep(STEP_S)

    async def families(self) -> Families:
        """See Operated."""
        points = (*metrics.workers(1, 0), *metrics.reloads(self._reloader.counts))
        own = families.of(points, self._node.gateway.service.name)
        return families.merge((self._node.families(), own))

    async def live(self) -> LiveView:
        """See Operated."""
        table = self._node.gateway.table
        return glance(await self.families(), self._history, table, time.time())

    async def state(self) -> dict[str, Any]:
        """See Operated."""
        table = self._node.gateway.table
        return overview(self._settings, table, self._reloader, [self._node.state()])

    async def reload(self) -> list[Verdict]:
        """See Operated."""
        return await self._reloader.reload()

    def unwell(self) -> str | None:
        """See Operated."""
        return None


async def serve(source: Source, settings: Settings, served: Served, ready: Ready) -> None:
    """Serve until told to end, then answer what is in flight and return. Raises TailqError."""
    listen = settings.listen
    node = Node(assemble(served.table, settings, LoopClock(asyncio.get_running_loop())))

    async def apply(changed: Served) -> None:
        node.put(changed)

    reloader = source.reloader(settings, served, apply)
    # gRPC's library would not tell why its port cannot be had, and write lines of its own.
    server.bind(listen.host, listen.grpc).close()
    operators = server.bind(listen.admin_host, listen.admin)
    alone = Alone(node, reloader, settings)
    admin = AdminListener(alone, operators)
    ports = await node.start(server.bind(listen.host, listen.http_port), listen.grpc)
    await admin.start()
    told = signals.listen(reloader.soon)
    tasks = [
        background.start("reload", reloader.watch()),
        background.start("history", alone.watch()),
    ]
    ready(
        Addresses(
            server.address(listen.host, ports.http),
            server.address(listen.host, ports.grpc),
            server.address(listen.admin_host, admin.port),
        )
    )
    await told.wait()
    log.info("told to end; requests in flight are answered first")
    for task in tasks:
        task.cancel()
    await node.drain()
    await admin.stop()

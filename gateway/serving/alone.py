"""The gateway as one process: data and admin listeners in one loop."""

import asyncio
import logging
from typing import Any

from gateway.admin.listener import AdminListener
from gateway.admin.state import overview
from gateway.app import assemble
from gateway.clock import LoopClock
from gateway.live import families, metrics
from gateway.live.families import Families
from gateway.reload.parts import Served
from gateway.reload.reloader import Reloader, Verdict
from gateway.reload.source import Source
from gateway.serving import background, server, signals
from gateway.serving.addresses import Addresses, Ready
from gateway.serving.node import Node
from gateway.settings import Settings
from tailq.tier import TierTable

log = logging.getLogger("tailq.gateway.serving")


class Alone:
    """An admin.operated.Operated."""

    def __init__(self, node: Node, reloader: Reloader, settings: Settings) -> None:
        self._node = node
        self._reloader = reloader
        self._settings = settings

    @property
    def table(self) -> TierTable:
        """See Operated."""
        return self._node.gateway.table

    async def families(self) -> Families:
        """See Operated."""
        points = (*metrics.workers(1, 0), *metrics.reloads(self._reloader.counts))
        own = families.of(points, self._node.gateway.service.name)
        return families.merge((self._node.families(), own))

    async def state(self) -> dict[str, Any]:
        """See Operated."""
        return overview(self._settings, self.table, self._reloader, [self._node.state()])

    async def reload(self) -> list[Verdict]:
        """See Operated."""
        return await self._reloader.reload()

    def unwell(self) -> str | None:
        """See Operated."""
        return None


async def serve(source: Source, settings: Settings, served: Served, ready: Ready) -> None:
    """Serve until told to end, then answer what is in flight and return. Raises TailqError."""
    listen = settings.listen
    clock = LoopClock(asyncio.get_running_loop())
    gateway = assemble(served.table, settings, clock, upstream_pem=served.upstream_pem)
    node = Node(gateway, served.pem)
    reloader = source.reloader(settings, served, node.put)
    # gRPC's library would not tell why its port cannot be had, and write lines of its own.
    server.bind(listen.host, listen.grpc).close()
    operators = server.bind(listen.admin_host, listen.admin)
    admin = AdminListener(Alone(node, reloader, settings), operators)
    ports = await node.start(server.bind(listen.host, listen.http_port), listen.grpc)
    await admin.start()
    told = signals.listen(reloader.soon)
    watching = background.start("reload", reloader.watch())
    ready(
        Addresses(
            server.address(listen.host, ports.http),
            server.address(listen.host, ports.grpc),
            server.address(listen.admin_host, admin.port),
        )
    )
    await told.wait()
    log.info("told to end; requests in flight are answered first")
    watching.cancel()
    await node.drain()
    await admin.stop()

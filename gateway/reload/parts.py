"""The files that may change while the gateway serves, and what is made of them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from gateway.clients.settings import ClientsSettings
from gateway.probes import samples
from gateway.reload import reloader
from gateway.settings import Settings
from tailq.tier import TierTable

log = logging.getLogger("tailq.gateway.reload")


@dataclass(slots=True)
class Served:
    """What is served at present. tiers: the content of the file that `table` was read from."""

    table: TierTable
    tiers: bytes
    clients: ClientsSettings


Apply = Callable[[Served], Awaitable[None]]


class TiersPart:
    """The tier table: a reloader.Part. apply: puts what is served into effect; may raise."""

    name = "tiers"

    def __init__(self, path: Path, served: Served, apply: Apply) -> None:
        self.path = path
        self._served = served
        self._apply = apply

    async def take(self, content: bytes) -> None:
        """See reloader.Part."""
        served = self._served
        table = reloader.table(content, self.path, served.table)
        served.clients.check([tier.name for tier in table.tiers])
        await self._apply(Served(table, content, served.clients))
        served.table, served.tiers = table, content


class ClientsPart:
    """The clients in the settings file: a reloader.Part. All else in it needs a restart.

    load: the settings that such a file content makes; raises TailqError. running: those in use.
    """

    name = "clients"

    def __init__(
        self,
        path: Path,
        load: Callable[[bytes], Settings],
        running: Settings,
        served: Served,
        apply: Apply,
    ) -> None:
        self.path = path
        self._load = load
        self._running = running
        self._served = served
        self._apply = apply

    async def take(self, content: bytes) -> None:
        """See reloader.Part."""
        served = self._served
        settings = self._load(content)
        clients = settings.clients
        clients.check([tier.name for tier in served.table.tiers])
        await self._apply(Served(served.table, served.tiers, clients))
        served.clients = clients
        other = [name for name, value in settings if value != getattr(self._running, name)]
        if waiting := ", ".join(name for name in other if name != self.name):
            log.warning("%s: other settings need a restart: %s", self.path, waiting)


class ProbesPart:
    """The labelled samples to probe with: a reloader.Part. Read anew by each process."""

    name = "probes"

    def __init__(self, path: Path, served: Served, apply: Apply) -> None:
        self.path = path
        self._served = served
        self._apply = apply

    async def take(self, _content: bytes) -> None:
        """See reloader.Part."""
        await asyncio.to_thread(samples.read, self.path, self._served.table)
        await self._apply(self._served)


class CertificatePart:
    """The gateway's own certificate for Triton: a reloader.Part. Read anew by each process."""

    name = "certificate"

    def __init__(self, path: Path, served: Served, apply: Apply) -> None:
        self.path = path
        self._served = served
        self._apply = apply

    async def take(self, _content: bytes) -> None:
        """See reloader.Part."""
        await self._apply(self._served)

"""The files that may change while the gateway serves, and what is made of them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import BaseModel

from gateway import tls
from gateway.clients.settings import ClientsSettings
from gateway.pem import Pem
from gateway.probes import samples
from gateway.reload import reloader
from gateway.settings import Settings
from gateway.settings.model import ListenTlsSettings
from gateway.upstream import tls as upstream_tls
from gateway.upstream.settings import TlsSettings, UpstreamSettings
from tailq.errors import TailqError
from tailq.tier import TierTable

log = logging.getLogger("tailq.gateway.reload")


@dataclass(slots=True)
class Served:
    """What is served at present.

    tiers: the content of the file that `table` was read from. pem: of TLS of the data listeners.
    upstream_pem: of TLS to Triton.
    """

    table: TierTable
    tiers: bytes
    clients: ClientsSettings
    upstream: UpstreamSettings
    pem: Pem | None = None
    upstream_pem: Pem | None = None


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
        await self._apply(replace(served, table=table, tiers=content))
        served.table, served.tiers = table, content


class SettingsPart:
    """The clients and the Tritons in the settings file: a reloader.Part. All else needs a restart.

    load: the settings that such a file content makes; raises TailqError. running: those at start.
    tritons_by: the flag or variable that names the Tritons, and so wins over the file; or None.
    """

    name = "settings"

    def __init__(
        self,
        path: Path,
        load: Callable[[bytes], Settings],
        running: Settings,
        tritons_by: str | None,
        served: Served,
        apply: Apply,
    ) -> None:
        self.path = path
        self._load = load
        self._running = running
        self._tritons_by = tritons_by
        self._served = served
        self._apply = apply

    async def take(self, content: bytes) -> None:
        """See reloader.Part."""
        served = self._served
        settings = self._load(content)
        clients, bounds = settings.clients, self._running.upstream
        clients.check([tier.name for tier in served.table.tiers])
        upstream = settings.upstream.model_copy(
            update={"connect_s": bounds.connect_s, "max_reply": bounds.max_reply}
        )
        pem = served.upstream_pem
        if upstream.tls != served.upstream.tls:  # else a renewal, half-way, would hold this up
            pem = await asyncio.to_thread(_read, upstream.tls)
        await self._apply(replace(served, clients=clients, upstream=upstream, upstream_pem=pem))
        served.clients, served.upstream, served.upstream_pem = clients, upstream, pem
        self._tell(settings)

    def _tell(self, settings: Settings) -> None:
        """What of these settings is not in use."""
        running, served = self._running, self._served
        if self._tritons_by is not None:
            log.info("%s: the Tritons stay those of %s", self.path, self._tritons_by)
        if set(files(served.upstream.tls)) - set(files(running.upstream.tls)):
            what = "files of upstream.tls are in use, but looked at for changes after a restart"
            log.warning("%s: %s", self.path, what)
        now = running.model_copy(update={"clients": served.clients, "upstream": served.upstream})
        if waiting := ", ".join(_differing(settings, now)):
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


class UpstreamTlsPart:
    """A file of TLS to Triton: a reloader.Part. All of them are read: they are one."""

    def __init__(self, name: str, path: Path, served: Served, apply: Apply) -> None:
        self.name = name
        self.path = path
        self._served = served
        self._apply = apply

    async def take(self, _content: bytes) -> None:
        """See reloader.Part."""
        served = self._served
        pem = await asyncio.to_thread(_read, served.upstream.tls)
        await self._apply(replace(served, upstream_pem=pem))
        served.upstream_pem = pem


class ListenTlsPart:
    """A file of the data listeners' TLS: a reloader.Part. All of them are read: they are one."""

    def __init__(
        self, name: str, path: Path, settings: ListenTlsSettings, served: Served, apply: Apply
    ) -> None:
        self.name = name
        self.path = path
        self._settings = settings
        self._served = served
        self._apply = apply

    async def take(self, _content: bytes) -> None:
        """See reloader.Part."""
        pem = await asyncio.to_thread(self._read)
        await self._apply(replace(self._served, pem=pem))
        self._served.pem = pem

    def _read(self) -> Pem:
        pem = tls.read(self._settings)
        if said := tls.flaw(pem, self._settings):
            raise TailqError(said)
        return pem


def files(secure: BaseModel | None) -> Iterator[tuple[str, Path]]:
    """Those that settings of TLS name, with the key."""
    for key, value in secure or ():
        if isinstance(value, Path):
            yield key, value


def _read(settings: TlsSettings | None) -> Pem | None:
    return None if settings is None else upstream_tls.read(settings)


def _differing(one: Settings, other: Settings) -> Iterator[str]:
    """The keys that have another value."""
    for name, value in one:
        before = getattr(other, name)
        if isinstance(value, BaseModel):
            yield from (f"{name}.{key}" for key, each in value if each != getattr(before, key))
        elif value != before:
            yield name

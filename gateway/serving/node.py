"""One process that serves: its parts, its listeners, its end."""

import asyncio
import gc
import os
import socket
import ssl
from dataclasses import dataclass
from typing import Any, Final

from prometheus_client import CollectorRegistry
from prometheus_client.process_collector import ProcessCollector

from gateway import tls, tracing
from gateway.app import Gateway, version
from gateway.grpc.server import GrpcServer
from gateway.live import families
from gateway.live.families import Families
from gateway.pem import Pem, renewable
from gateway.reload.parts import Served
from gateway.serving import background, server
from tailq.errors import TailqError
from tailq.tier import TierTable

_LOOK_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the data listeners are."""

    http: int
    grpc: int


class Node:
    """start(), then drain() once. pem: what its data listeners show over TLS, if they do."""

    def __init__(self, gateway: Gateway, pem: Pem | None = None) -> None:
        self.gateway = gateway
        self._pem = pem
        self._tls = None if pem is None else renewable(self._context(pem))
        self._tasks: list[asyncio.Task[Any]] = []
        self._longest_s = _longest_s(gateway.table)
        self._http: server.Server | None = None
        self._grpc: GrpcServer | None = None
        service = gateway.service
        self._tracing = tracing.start(service.dataplane, service.name, gateway.metrics.traced)
        self._process = CollectorRegistry()
        ProcessCollector(registry=self._process)

    async def start(
        self, listener: socket.socket, grpc_port: int, *, shared: bool = False
    ) -> Ports:
        """Listen. Raises TailqError if that cannot be.

        shared: other processes listen at the same ports; `listener` is bound accordingly.
        """
        gateway = self.gateway
        self._grpc = GrpcServer(
            gateway.service,
            gateway.readiness,
            host=gateway.settings.listen.host,
            port=grpc_port,
            reuse_port=shared,
            version=version(),
            pem=self._pem,
            handshake_s=gateway.settings.limits.head_s,
        )
        bound = await self._grpc.start()
        patience = gateway.settings.limits.patience
        config = server.data(gateway.application, gateway.rest, patience)
        secure = None if self._tls is None else server.Tls(self._tls, patience)
        self._http = server.Server(config, secure)
        port = server.port_of(listener)
        serving = asyncio.create_task(self._http.serve([listener]))
        await _either(serving, self._http.listening)
        self._tasks = [
            serving,
            background.start("probes", gateway.upstreams.probes.run()),
            background.start("others' load", gateway.upstreams.others.run()),
            background.start("fingerprints", gateway.fingerprints.run()),
            background.start("upkeep", self._look()),
        ]
        if gateway.prober is not None:
            gateway.prober.start()
        # What was loaded by now stays; without this, every full collection walks it all, and that
        # is a pause of tens of milliseconds in the middle of somebody's deadline.
        gc.collect()
        gc.freeze()
        return Ports(port, bound)

    async def drain(self) -> None:
        """Say "not ready", take nothing new, answer what is in flight, let go of the rest."""
        self.gateway.readiness.leaving = self.gateway.rest.leaving = True
        if self.gateway.prober is not None:
            self.gateway.prober.stop()
        await asyncio.sleep(self.gateway.settings.listen.lame_duck_s)
        serving, *others = self._tasks
        if self._http is not None and self._grpc is not None:
            patience_s = self._longest_s + server.DRAIN_S
            self._http.config.timeout_graceful_shutdown = round(patience_s)
            self._http.should_exit = True
            await asyncio.gather(serving, self._grpc.stop(patience_s))
        for task in others:
            task.cancel()
        self.gateway.service.requests.flush()
        self.gateway.close()
        await asyncio.to_thread(self._tracing)

    async def put(self, served: Served) -> None:
        """Serve this from now on; requests in flight end as was decided for them."""
        gateway = self.gateway
        samples = await asyncio.to_thread(gateway.read_samples, served.table)
        gateway.upstreams.change(served.upstream, served.upstream_pem)
        if served.pem is not None:
            self._show(served.pem)
        if served.table != gateway.table:
            gateway.retable(served.table)
            self._longest_s = max(self._longest_s, _longest_s(served.table))
        gateway.reprobe(samples)
        gateway.reclient(served.clients)
        if self._grpc is not None:
            self._grpc.reload()

    def _context(self, pem: Pem) -> ssl.SSLContext:
        settings = self.gateway.settings.listen.tls
        assert settings is not None
        return tls.context(pem, settings)

    def _show(self, pem: Pem) -> None:
        """Show this over TLS to whoever connects from now on."""
        if self._tls is not None and self._grpc is not None and pem != self._pem:
            self._tls.present = self._context(pem)
            self._grpc.renew(pem)
            self._pem = pem

    def families(self) -> Families:
        """The present numbers."""
        gateway = self.gateway
        own = families.of(gateway.metrics.points(), gateway.service.name)
        return own | families.collected(self._process.collect())

    def state(self) -> dict[str, Any]:
        """How things stand, for people and scripts."""
        gateway = self.gateway
        return {
            "pid": os.getpid(),
            "leaving": gateway.readiness.leaving,
            "in_flight": dict(gateway.account.in_flight),
            "in_flight_s": gateway.account.own_s,
            "waiting": gateway.admission.waiting,
            "limits": dict(gateway.admission.limits),
            "foreign": dict(gateway.fingerprints.why),
            "absent": sorted(gateway.upstreams.fleet.absent),
            "endpoints": [
                {
                    "endpoint": one.name,
                    "up": one.is_up,
                    "admits": one.admits,
                    "leaving": one.leaving,
                    "why": one.why,
                }
                for one in gateway.upstreams.fleet.members
            ],
        }

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            self.gateway.look()
            self.gateway.service.requests.flush()


def _longest_s(table: TierTable) -> float:
    """Seconds from a request to its answer, at most."""
    return max((tier.deadline_s for tier in table.tiers), default=0.0)


async def _either(task: "asyncio.Task[Any]", event: asyncio.Event) -> None:
    """Wait for the event; if the task ends before it, so does this, with its error."""
    waiting = asyncio.create_task(event.wait())
    await asyncio.wait((task, waiting), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if task.done():
        await task
        raise TailqError("the HTTP listener ended before it listened")

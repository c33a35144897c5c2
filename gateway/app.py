"""The parts of one gateway process, put together, started, and drained."""

import asyncio
import contextlib
import gc
import signal
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from typing import Any, Final, cast

import uvicorn
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from prometheus_client.process_collector import ProcessCollector

from gateway.clock import Clock, LoopClock
from gateway.dataplane import Dataplane
from gateway.live.metrics import Metrics
from gateway.rest import app as rest_app
from gateway.rest.protocol import InferProtocol
from gateway.rest.shared import Rest
from gateway.service import Service
from gateway.settings import Settings
from gateway.upstream.readiness import Readiness
from gateway.upstream.triton import TritonHttp
from tailq.errors import TailqError
from tailq.route import Router
from tailq.tier import TierTable

# Beyond the longest deadline in flight: for responses to be written.
_DRAIN_S: Final = 5.0
_TICKS_A_CHECK: Final = 10  # uvicorn ticks ten times a second


class Server(uvicorn.Server):
    """uvicorn's, told when it listens, looking after slow clients, and leaving with a return."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn."""
        await super().startup(sockets)
        self._on_ready()

    async def on_tick(self, counter: int) -> bool:
        """See uvicorn."""
        if counter % _TICKS_A_CHECK == 0:
            now = time.monotonic()
            for connection in tuple(self.server_state.connections):
                if isinstance(connection, InferProtocol):
                    connection.check(now)
        return await super().on_tick(counter)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn's, but a drained server has done as told: no signal is raised again."""
        before = {
            number: signal.signal(number, self.handle_exit)
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises TailqError if that cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise TailqError(f"cannot listen at {host}:{port}: {error.strerror}") from None
    return listener


@dataclass(frozen=True, slots=True)
class Gateway:
    """The parts of one gateway that others look at."""

    settings: Settings
    service: Service
    rest: Rest
    triton: TritonHttp
    readiness: Readiness
    metrics: Metrics
    application: FastAPI


def assemble(table: TierTable, settings: Settings, clock: Clock) -> Gateway:
    """Put the parts together; nothing runs and no connection is opened yet."""
    triton = TritonHttp(
        settings.triton,
        table.variants,
        clock,
        connect_s=settings.connect_s,
        max_reply=settings.max_reply,
    )
    metrics = Metrics(table, lambda: dataplane.outstanding, lambda: triton.health.is_up)
    dataplane = Dataplane(Router(table), triton, clock, metrics, settings.limits)
    service = Service(dataplane, max_body=settings.max_body, max_buffered=settings.max_buffered)
    readiness = Readiness(triton, table.variants, table.reference.variant)
    registry = CollectorRegistry()
    registry.register(metrics)
    ProcessCollector(registry=registry)
    rest = Rest(service)
    application = rest_app.build(rest, readiness, registry, version())
    return Gateway(settings, service, rest, triton, readiness, metrics, application)


def configuration(gateway: Gateway) -> uvicorn.Config:
    """How uvicorn is to serve `gateway`."""
    patience = gateway.settings.patience
    longest_s = max((tier.deadline_s for tier in gateway.service.table.tiers), default=0.0)
    return uvicorn.Config(
        cast("Any", gateway.application),
        http=cast("Any", partial(InferProtocol, gateway.rest, patience)),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=round(patience.idle_s),
        timeout_graceful_shutdown=round(longest_s + _DRAIN_S),
    )


async def serve(
    table: TierTable, settings: Settings, listener: socket.socket, on_ready: Callable[[], None]
) -> None:
    """Serve until SIGTERM or SIGINT, then answer what is in flight and return."""
    gateway = assemble(table, settings, LoopClock(asyncio.get_running_loop()))
    probing = asyncio.create_task(gateway.readiness.probe())
    # What was loaded by now stays; without this, every full collection walks it all, and that is
    # a pause of tens of milliseconds in the middle of somebody's deadline.
    gc.collect()
    gc.freeze()
    try:
        await Server(configuration(gateway), on_ready).serve([listener])
    finally:
        probing.cancel()
        gateway.triton.close()


def version() -> str:
    """Of the installed distribution."""
    try:
        return installed_version("tailq")
    except PackageNotFoundError:
        return "0"

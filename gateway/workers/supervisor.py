"""The process above several workers: starts them, restarts them, speaks for all of them."""

import asyncio
import logging
import random
import signal
from typing import Any, Final

from prometheus_client import CollectorRegistry
from prometheus_client.process_collector import ProcessCollector

from gateway import pem
from gateway.admin.listener import AdminListener
from gateway.admin.state import overview
from gateway.clients.settings import ANONYMOUS
from gateway.live import families, metrics
from gateway.live.families import Families
from gateway.reload.parts import Served
from gateway.reload.reloader import Reloader, Verdict
from gateway.reload.source import Source
from gateway.serving import background, server, signals
from gateway.serving.addresses import Addresses, Ready
from gateway.settings import Settings
from gateway.upstream.backoff import Backoff
from gateway.workers.board import CELLS, Board
from gateway.workers.channel import Content, Gone
from gateway.workers.child import Child
from gateway.workers.feedback import ask_siblings
from tailq.errors import TailqError
from tailq.tier import TierTable

log = logging.getLogger("tailq.gateway.workers")

_POLL_S: Final = 1.0
_ANSWER_S: Final = 1.0  # a worker's, to a question for numbers
_PUT_S: Final = 10.0  # to take other tiers
_BACKOFF_S: Final = (0.1, 10.0)
_WELL_S: Final = 10.0  # of a worker that lived so long, the next one is started at once


class Supervisor:
    """An admin.operated.Operated. start(), then drain() once."""

    def __init__(
        self, source: Source, settings: Settings, served: Served, ports: tuple[int, int]
    ) -> None:
        self._settings = settings
        self._served = served
        self._ports = ports
        self._cells: dict[str, int] = {}
        self._number_cells(served)
        self._board = Board.create(settings.listen.workers)
        self._children: dict[int, Child] = {}
        self._keepers: list[asyncio.Task[None]] = []
        self._ending = False
        self._restarts = 0
        self._retired: Families = {}  # what workers that ended have counted
        self._process = CollectorRegistry()
        ProcessCollector(registry=self._process)
        self.reloader: Reloader = source.reloader(settings, served, self._apply)

    async def start(self) -> None:
        """Start all workers. Raises TailqError if one cannot."""
        numbers = range(self._settings.listen.workers)
        spawning = (self._spawn(number) for number in numbers)
        for result in await asyncio.gather(*spawning, return_exceptions=True):
            if isinstance(result, BaseException):
                self.kill()
                raise result
        self._keepers = [
            background.start(f"keeper of worker {number}", self._keep(number)) for number in numbers
        ]

    async def poll(self) -> None:
        """Know every worker's numbers, should it crash; for ever."""
        while True:
            await self._look()
            await asyncio.sleep(_POLL_S)

    async def drain(self) -> None:
        """Let every worker end as told, and wait for it."""
        self._ending = True
        for child in self._children.values():
            child.signal(signal.SIGTERM)
        await asyncio.gather(*self._keepers)

    def kill(self) -> None:
        """End every worker at once."""
        self._ending = True
        for child in self._children.values():
            child.signal(signal.SIGKILL)

    # admin.operated.Operated

    @property
    def table(self) -> TierTable:
        """See Operated."""
        return self._served.table

    async def families(self) -> Families:
        """See Operated. Exact, but for workers that do not answer: as they last said."""
        await self._look()
        points = (
            *metrics.workers(len(self._children), self._restarts),
            *metrics.reloads(self.reloader.counts),
        )
        own = families.of(points, self.table.service)
        process = families.collected(self._process.collect())
        last = (child.last for child in self._children.values())
        return families.merge((own, process, *last, self._retired))

    async def state(self) -> dict[str, Any]:
        """See Operated."""
        states = await asyncio.gather(
            *(self._state(number, child) for number, child in sorted(self._children.items()))
        )
        return overview(self._settings, self.table, self.reloader, states)

    async def reload(self) -> list[Verdict]:
        """See Operated."""
        return await self.reloader.reload()

    def unwell(self) -> str | None:
        """See Operated."""
        missing = set(range(self._settings.listen.workers)) - self._children.keys()
        if missing:
            return f"workers that do not run: {', '.join(map(str, sorted(missing)))}"
        silent = [number for number, child in self._children.items() if child.silent]
        return f"workers that do not answer: {', '.join(map(str, silent))}" if silent else None

    # workers

    async def _look(self) -> None:
        """Ask all of them how they stand."""
        await asyncio.gather(*(child.look(_ANSWER_S) for child in self._children.values()))

    async def _spawn(self, number: int) -> None:
        child = await Child.start(self._board.descriptor, self._elsewhere)
        self._children[number] = child
        if self._ending:
            child.signal(signal.SIGTERM)
        http_port, grpc_port = self._ports
        try:
            answer = await child.channel.ask(
                "start",
                number=number,
                settings=self._settings.model_dump(mode="json"),
                served=self._content(self._served),
                http_port=http_port,
                grpc_port=grpc_port,
            )
        except Gone:
            answer = {"error": f"worker {number} ended before it served; see the log"}
        if "error" in answer:
            child.signal(signal.SIGKILL)
            await self._bury(number, child)
            raise TailqError(answer["error"])

    async def _elsewhere(self, asking: Child, content: Content) -> Content:
        """What becomes of feedback on requests that a worker does not know."""
        siblings = [child for child in self._children.values() if child is not asking]
        return await ask_siblings(siblings, content)

    async def _keep(self, number: int) -> None:
        """Wait for the end of a worker, and start another one, until all are to end."""
        backoff = Backoff(*_BACKOFF_S, random.random)
        now = asyncio.get_running_loop().time
        while True:
            started = now()
            child = self._children.get(number)
            if child is not None:
                status = await self._bury(number, child)
                if self._ending:
                    return
                self._restarts += 1
                log.error("worker %d ended with status %d; it is restarted", number, status)
            if now() - started > _WELL_S:
                backoff.reset()
            await asyncio.sleep(backoff.next_s())
            if self._ending:
                return
            try:
                await self._spawn(number)
            except TailqError as error:
                log.error("worker %d cannot start: %s", number, error)

    async def _bury(self, number: int, child: Child) -> int:
        """Wait for its end. What it counted stays, what it had in flight does not."""
        status = await child.wait()
        del self._children[number]
        self._board.clear(number)
        self._retired = families.merge((self._retired, families.lasting(child.last)))
        return status

    # what is served

    async def _apply(self, changed: Served) -> None:
        before, self._served = self._served, changed
        try:
            self._number_cells(changed)
            await self._put(changed)
        except TailqError:
            self._served = before
            await self._put(before)
            raise

    async def _put(self, served: Served) -> None:
        content = self._content(served)
        answers = await asyncio.gather(
            *(child.ask("put", _PUT_S, **content) for child in self._children.values())
        )
        for answer in answers:
            if answer is not None and "error" in answer:
                raise TailqError(answer["error"])

    def _content(self, served: Served) -> Content:
        return {
            "tiers": served.tiers.decode(),
            "clients": served.clients.model_dump(mode="json"),
            "upstream": served.upstream.model_dump(mode="json"),
            "cells": self._cells,
            "pem": pem.encode(served.pem),
            "upstream_pem": pem.encode(served.upstream_pem),
        }

    def _number_cells(self, served: Served) -> None:
        for name in (ANONYMOUS, *served.clients.named):
            if name not in self._cells:
                if len(self._cells) == CELLS:
                    raise TailqError(
                        f"more than {CELLS} clients since the start; restart the gateway"
                    )
                self._cells[name] = len(self._cells)

    @staticmethod
    async def _state(number: int, child: Child) -> dict[str, Any]:
        answer = await child.ask("state", _ANSWER_S)
        return (
            {"worker": number, "silent": True} if answer is None else {"worker": number, **answer}
        )


async def serve(source: Source, settings: Settings, served: Served, ready: Ready) -> None:
    """Serve until told to end, then answer what is in flight and return. Raises TailqError."""
    listen = settings.listen
    with (
        server.reserve(listen.host, listen.http_port) as http,
        server.reserve(listen.host, listen.grpc) as grpc,
    ):
        ports = server.port_of(http), server.port_of(grpc)
        supervisor = Supervisor(source, settings, served, ports)
        admin = AdminListener(supervisor, server.bind(listen.admin_host, listen.admin))
        told = signals.listen(supervisor.reloader.soon, supervisor.kill)
        await supervisor.start()
        await admin.start()
        tasks = [
            background.start("polling of workers", supervisor.poll()),
            background.start("reload", supervisor.reloader.watch()),
        ]
        ready(
            Addresses(
                server.address(listen.host, ports[0]),
                server.address(listen.host, ports[1]),
                server.address(listen.admin_host, admin.port),
            )
        )
        await told.wait()
        log.info("told to end; requests in flight are answered first")
        for task in tasks:
            task.cancel()
        await supervisor.drain()
        await admin.stop()

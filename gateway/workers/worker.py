"""A worker process: serves, and answers its supervisor. Started by supervisor.py only."""

import asyncio
import socket
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gateway import logs, pem
from gateway.app import Shared, assemble
from gateway.clients.settings import ClientsSettings
from gateway.clock import LoopClock
from gateway.live import families
from gateway.reload import reloader
from gateway.reload.parts import Served
from gateway.serving import server, signals
from gateway.serving.node import Node
from gateway.serving.process import allow_files, loop_factory
from gateway.settings import Settings
from gateway.upstream.settings import UpstreamSettings
from gateway.workers import feedback
from gateway.workers.board import Board, SharedAccount
from gateway.workers.channel import Channel, Content, Gone
from tailq.errors import TailqError


class Worker:
    """What a supervisor may ask of a worker. node: None until it was told to start."""

    def __init__(self, board: int, channel: Channel) -> None:
        self.node: Node | None = None
        self._board = board
        self._channel = channel
        self._cells: dict[str, int] = {}

    async def handle(self, do: str, content: Content) -> Content:
        """Answer a question. An error of the operator's is an answer: its text."""
        try:
            if do == "start":
                return await self._start(**content)
            if self.node is None:  # it could not start, and is about to be ended for that
                return {}
            if do == "put":
                self._cells.update(content["cells"])
                await self.node.put(_served(content))
                return {}
            if do == "state":
                return self.node.state()
            if do == "feedback":
                return await feedback.told_here(self.node.gateway.service, content)
            return {"families": families.encode(self.node.families())}
        except (TailqError, ValidationError) as error:  # a file may have gone since it was checked
            return {"error": str(error)}

    async def _start(
        self,
        number: int,
        settings: Any,
        served: Content,
        http_port: int,
        grpc_port: int,
    ) -> Content:
        chosen = Settings.model_validate(settings)
        logs.configure(chosen.log.level, chosen.log.format, number)
        allow_files(chosen)
        self._cells.update(served["cells"])
        board = Board(self._board, chosen.listen.workers)
        shared = Shared(SharedAccount(board, number), partial(self._cell, board))
        now = _served(served)
        chosen = chosen.model_copy(update={"clients": now.clients, "upstream": now.upstream})
        clock = LoopClock(asyncio.get_running_loop())
        node = Node(assemble(now.table, chosen, clock, shared, now.upstream_pem), now.pem)
        feedback.share(node.gateway.service, self._channel)
        listener = server.bind(chosen.listen.host, http_port, shared=True)
        await node.start(listener, grpc_port, shared=True)
        self.node = node
        return {}

    def _cell(self, board: Board, name: str) -> "memoryview[float]":
        return board.cell(self._cells[name])


def _served(content: Content) -> Served:
    tiers = content["tiers"].encode()
    clients = ClientsSettings.model_validate(content["clients"])
    upstream = UpstreamSettings.model_validate(content["upstream"])
    table = reloader.table(tiers, Path("tiers"))
    shown, to_triton = pem.decode(content["pem"]), pem.decode(content["upstream_pem"])
    return Served(table, tiers, clients, upstream, shown, to_triton)


async def _work(end: socket.socket, board: int) -> None:
    channel = await Channel.over(end)
    worker = Worker(board, channel)
    told = signals.listen(lambda: None)
    serving = asyncio.create_task(channel.serve(worker.handle))
    waiting = asyncio.create_task(told.wait())
    # Without its supervisor a worker is of no use: it ends as if told.
    await asyncio.wait((serving, waiting), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if worker.node is not None:
        await worker.node.drain()
        with suppress(Gone):
            await channel.ask("final", families=families.encode(worker.node.families()))
    serving.cancel()


def main() -> None:
    """Entry point: the descriptors of the channel and of the board."""
    end, board = map(int, sys.argv[1:])
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_work(socket.socket(fileno=end), board))


if __name__ == "__main__":
    main()

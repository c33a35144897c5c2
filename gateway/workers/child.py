"""A worker process as its supervisor sees it."""

import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from gateway.live import families
from gateway.live.families import Families
from gateway.workers.channel import Channel, Content, Gone


class Child:
    """last: the numbers it last told. silent: it did not answer when last asked.

    asked: answers what it asks: what its siblings know of feedback.
    """

    def __init__(
        self, process: asyncio.subprocess.Process, channel: Channel, asked: "Asked"
    ) -> None:
        self.channel = channel
        self._asked = asked
        self.last: Families = {}
        self.silent = False
        self._process = process
        self._serving = asyncio.create_task(channel.serve(self._handle))

    @classmethod
    async def start(cls, board: int, asked: "Asked") -> "Child":
        """A fresh interpreter, in a session of its own: signals come from the supervisor only."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",  # or a folder called "gateway" where the operator stands would be run instead
                *("-m", "gateway.workers.worker", str(theirs.fileno()), str(board)),
                pass_fds=(theirs.fileno(), board),
                stdin=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )
        return cls(process, await Channel.over(ours), asked)

    def signal(self, number: int) -> None:
        """Send it a signal, if it still runs."""
        if self._process.returncode is None:
            self._process.send_signal(number)

    async def wait(self) -> int:
        """Its exit status, once all that it told has been heard."""
        status = await self._process.wait()
        await self._serving
        return status

    async def ask(self, do: str, within_s: float, **content: Any) -> Content | None:
        """What it answers in time; None: nothing."""
        try:
            async with asyncio.timeout(within_s):
                answer = await self.channel.ask(do, **content)
        except TimeoutError:
            self.silent = True
            return None
        except Gone:
            return None
        self.silent = False
        return answer

    async def look(self, within_s: float) -> None:
        """Ask for its numbers."""
        answer = await self.ask("families", within_s)
        if answer is not None and "families" in answer:
            self._learn(answer["families"])

    async def _handle(self, do: str, content: Content) -> Content:
        """A question of its, or its last words."""
        if do == "final":
            self._learn(content["families"])
            return {}
        return await self._asked(self, content)

    def _learn(self, told: list[Any]) -> None:
        self.last = families.decode(told)


# (who asks, what) -> the answer
Asked = Callable[[Child, Content], Awaitable[Content]]

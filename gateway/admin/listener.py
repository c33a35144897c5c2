"""The admin listener as a part of a process."""

import asyncio
import socket
from ipaddress import ip_address

from gateway.admin.app import build
from gateway.admin.operated import Operated
from gateway.admin.watch import Watch
from gateway.serving import background, server


class AdminListener:
    """start(), then stop() once."""

    def __init__(self, operated: Operated, listener: socket.socket) -> None:
        self.port = server.port_of(listener)
        self._listener = listener
        loopback = ip_address(listener.getsockname()[0]).is_loopback
        self._watch = Watch(operated)
        self._server = server.Server(server.admin(build(operated, self._watch, loopback)))
        self._serving: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen, and watch."""
        self._watching = background.start("watching numbers", self._watch.keep())
        self._serving = asyncio.create_task(self._server.serve([self._listener]))
        await self._server.listening.wait()

    async def stop(self) -> None:
        """Answer what was asked, and end."""
        self._server.should_exit = True
        if self._watching is not None:
            self._watching.cancel()
        if self._serving is not None:
            await self._serving

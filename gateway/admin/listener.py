"""The admin listener as a part of a process."""

import asyncio
import socket
from ipaddress import ip_address

from gateway.admin.app import Operated, build
from gateway.serving import server


class AdminListener:
    """start(), then stop() once."""

    def __init__(self, operated: Operated, listener: socket.socket) -> None:
        self.port = server.port_of(listener)
        self._listener = listener
        loopback = ip_address(listener.getsockname()[0]).is_loopback
        self._server = server.Server(server.admin(build(operated, loopback)))
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen."""
        self._task = asyncio.create_task(self._server.serve([self._listener]))
        await self._server.listening.wait()

    async def stop(self) -> None:
        """Answer what was asked, and end."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task

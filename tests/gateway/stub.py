"""A small HTTP server in Triton's place, for what the real one cannot be made to do."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

Handler = Callable[["Received"], Awaitable[bytes | None]]


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came. number: counts from 1 on its connection."""

    line: str
    headers: dict[str, str]
    body: bytes
    number: int

    @property
    def path(self) -> str:
        """The request's path."""
        return self.line.split(" ")[1]


def ok(body: bytes, *headers: str) -> bytes:
    """A good response."""
    return response("200 OK", body, *headers)


def response(status: str, body: bytes, *headers: str) -> bytes:
    """A response with a length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


REPLY = b'{"model_name":"small","model_version":"1","outputs":[]}'


async def answer(request: Received) -> bytes | None:
    """What a healthy Triton would say."""
    if request.path.endswith("/infer"):
        return ok(REPLY, "Content-Type: application/json")
    if request.path.endswith("/ready"):
        return ok(b"")
    name = request.path.split("/")[3]
    return ok(b'{"name":"%s","versions":["7"],"platform":"stub"}' % name.encode())


@dataclass
class Stub:
    """A server that answers by `handler`; None from it closes the connection without a word.

    tls: it speaks TLS, and nothing else.
    """

    handler: Handler = answer
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    release: asyncio.Event = field(default_factory=asyncio.Event)
    tls: ssl.SSLContext | None = None
    _server: asyncio.Server | None = None
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _tasks: "set[asyncio.Task[None]]" = field(default_factory=set)

    async def start(self) -> None:
        """Listen, at the same port as before if there was one."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def hold(self, request: Received) -> bytes | None:
        """A handler that answers only once `release` is set."""
        await self.release.wait()
        return await answer(request)

    async def stop(self) -> None:
        """Close everything."""
        self.release.set()
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.close()
        await self._server.wait_closed()
        if self._tasks:
            await asyncio.wait(self._tasks)

    @property
    def infers(self) -> list[Received]:
        """The inference requests among those received."""
        return [request for request in self.received if request.path.endswith("/infer")]

    @property
    def open(self) -> int:
        """How many connections there are now."""
        return len(self._writers)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        number = 0
        try:
            while True:
                number += 1
                request = await _read(reader, number)
                self.received.append(request)
                content = await self.handler(request)
                if content is None:
                    return
                writer.write(content)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()


async def _read(reader: asyncio.StreamReader, number: int) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *rest = head.rstrip("\r\n").split("\r\n")
    fields = (one.partition(":") for one in rest)
    headers = {name.lower(): value.strip() for name, _, value in fields}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Received(line, headers, body, number)

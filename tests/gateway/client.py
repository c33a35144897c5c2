"""A raw HTTP client: sends bytes as told, reads whole responses."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Got:
    """One response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def problem(self) -> str:
        """The detail of a problem+json body, checked for being one."""
        assert self.headers["content-type"] == "application/problem+json"
        content = self.json
        assert content["status"] == self.status
        assert content["error"] == content["detail"]
        assert content["type"]
        assert content["title"]
        return str(content["detail"])


class Client:
    """One connection to the gateway."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, port: int) -> Self:
        """A connection to a port of this machine."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def send(self, content: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(content)
        await self.writer.drain()

    async def read(self) -> Got:
        """The next response."""
        async with asyncio.timeout(20):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
            line, *rest = head.rstrip("\r\n").split("\r\n")
            headers = {k.lower(): v for k, v in (one.split(": ", 1) for one in rest)}
            body = await self.reader.readexactly(int(headers.get("content-length", 0)))
            return Got(int(line.split(" ")[1]), headers, body)

    async def ask(self, content: bytes) -> Got:
        """Send, and read one response."""
        await self.send(content)
        return await self.read()

    async def at_end(self) -> bool:
        """Whether the gateway closes the connection, saying nothing more."""
        async with asyncio.timeout(20):
            try:
                return await self.reader.read(1) == b""
            except ConnectionError:
                return True

    def close(self) -> None:
        """Leave."""
        self.writer.transport.abort()


def infer(
    *headers: str,
    body: bytes = b"{}",
    path: str = "/v2/models/fashion/infer",
    tier: str | None = "fast",
    version: str = "1.1",
) -> bytes:
    """An infer request with a length."""
    lines = [f"POST {path} HTTP/{version}", "Host: gateway", f"Content-Length: {len(body)}"]
    lines += [f"tailq-tier: {tier}"] if tier is not None else []
    return "\r\n".join([*lines, *headers]).encode() + b"\r\n\r\n" + body


def get(path: str) -> bytes:
    """A GET request."""
    return f"GET {path} HTTP/1.1\r\nHost: gateway\r\n\r\n".encode()

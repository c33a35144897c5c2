"""Everything an operator can set, with the defaults."""

from dataclasses import dataclass, field

from gateway.dataplane import Limits
from gateway.rest.protocol import Patience
from gateway.upstream.pool import Endpoint
from tailq.errors import TailqError


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of one gateway process.

    triton: its HTTP endpoint. port: 0 is a free one. max_body, max_buffered, max_reply: bytes of
    one request's body, of all bodies held at once, of one answer.
    """

    triton: Endpoint
    host: str = "127.0.0.1"
    port: int = 8080
    max_body: int = 64 << 20
    max_buffered: int = 512 << 20
    max_reply: int = 64 << 20
    connect_s: float = 2.0
    limits: Limits = field(default_factory=Limits)
    patience: Patience = field(default_factory=Patience)


def endpoint(text: str) -> Endpoint:
    """HOST:PORT, [IPv6]:PORT; an `http://` before it is tolerated. Raises TailqError."""
    host, _, port = text.removeprefix("http://").rstrip("/").rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdigit() or not 0 < int(port) < 1 << 16 or set(host) & set(" /@"):
        raise TailqError(f"{text!r} is no HOST:PORT, such as 127.0.0.1:8000")
    return Endpoint(host, int(port))

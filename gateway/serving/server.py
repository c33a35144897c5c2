"""HTTP listeners: sockets, and uvicorn made to serve one without taking over the process."""

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from typing import Any, Final, cast

import uvicorn

from gateway.errors import CannotListen
from gateway.rest.patience import Patience
from gateway.rest.protocol import InferProtocol
from gateway.rest.shared import Rest

# Beyond the longest deadline in flight: for responses to be written.
DRAIN_S: Final = 5.0
_TICKS_A_CHECK: Final = 10  # uvicorn ticks ten times a second


class Server(uvicorn.Server):
    """uvicorn's, as a part: no signals, no exit, and looking after slow clients.

    `listening` is set when it listens, then or never: `serve` may end before, with an error.
    tls: None: it speaks in the clear.
    """

    def __init__(self, config: uvicorn.Config, tls: "Tls | None" = None) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()
        self._tls: dict[str, Any] = {} if tls is None else tls.options

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn, which would give a TLS handshake a minute."""
        await super().startup([])
        connection = partial(
            cast("Any", self.config.http_protocol_class),
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )
        loop = asyncio.get_running_loop()
        self.servers = [
            await loop.create_server(
                connection, sock=listener, backlog=self.config.backlog, **self._tls
            )
            for listener in sockets or ()
        ]
        self.listening.set()

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
        """Signals are the process's, not a listener's."""
        yield


@dataclass(frozen=True, slots=True)
class Tls:
    """How a listener speaks TLS. patience: with a handshake, as with a head, and at the end."""

    context: ssl.SSLContext
    patience: Patience

    @property
    def options(self) -> dict[str, Any]:
        """For asyncio's create_server."""
        return {
            "ssl": self.context,
            "ssl_handshake_timeout": self.patience.head_s,
            # For the client to take what was written, and to say goodbye.
            "ssl_shutdown_timeout": self.patience.write_s,
        }


def data(application: object, rest: Rest, patience: Patience) -> uvicorn.Config:
    """How the data listener is served."""
    return uvicorn.Config(
        cast("Any", application),
        http=cast("Any", partial(InferProtocol, rest, patience)),
        timeout_keep_alive=round(patience.idle_s),
        **_PLAIN,
    )


def admin(application: object) -> uvicorn.Config:
    """How the admin listener is served."""
    return uvicorn.Config(
        cast("Any", application),
        http="httptools",
        limit_concurrency=64,
        timeout_graceful_shutdown=1,
        **_PLAIN,
    )


_PLAIN: Final[dict[str, Any]] = {
    "ws": "none",
    "lifespan": "off",
    "log_config": None,
    "access_log": False,
    "server_header": False,
    "proxy_headers": False,
}


def bind(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A socket to listen with. Raises CannotListen if that cannot be had.

    shared: together with other processes, each with a socket of its own (SO_REUSEPORT).
    """
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if shared:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            listener.bind(place)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise CannotListen(address(host, port), str(error.strerror)) from None
    return listener


def reserve(host: str, port: int) -> socket.socket:
    """A bound socket that does not listen: the port is ours, for sockets bound to it as shared.

    Raises CannotListen if somebody has it, be it as shared.
    """
    with bind(host, port) as alone:
        port = port_of(alone)
    return bind(host, port, shared=True)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what is bound to `host`."""
    try:
        place = socket.getaddrinfo(host, None, flags=socket.AI_PASSIVE)[0][4]
    except OSError:  # told of when it is to be bound
        return False
    return ip_address(place[0]).is_loopback


def port_of(listener: socket.socket) -> int:
    """The port it is bound to."""
    return int(listener.getsockname()[1])


def address(host: str, port: int) -> str:
    """HOST:PORT, an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

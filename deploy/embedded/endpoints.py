"""Where a Triton listens, and free TCP ports of the loopback interface."""

import errno
import random
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

LOOPBACK = "127.0.0.1"
_FIRST_UNPRIVILEGED = 10_000
_RANGE_FILE = Path("/proc/sys/net/ipv4/ip_local_port_range")


@dataclass(frozen=True)
class Endpoints:
    """Where one Triton listens; each is "HOST:PORT"."""

    http: str
    grpc: str
    metrics: str

    @classmethod
    def free(cls) -> Self:
        """Three loopback ports that nobody listens on at this moment."""
        return cls.on_ports(*free_ports(3))

    @classmethod
    def on_ports(cls, http: int, grpc: int, metrics: int) -> Self:
        """Those ports of the loopback interface."""
        return cls(*(f"{LOOPBACK}:{port}" for port in (http, grpc, metrics)))

    def split(self) -> Iterator[tuple[str, str, int]]:
        """Name, host and port of each endpoint, in the order of the fields."""
        for name in ("http", "grpc", "metrics"):
            host, _, port = str(getattr(self, name)).rpartition(":")
            yield name, host, int(port)


def free_ports(count: int) -> list[int]:
    """`count` different ports that nobody listens on at this moment.

    They lie below the range from which the kernel takes the local ports of outgoing
    connections, where there is room. A client that keeps dialling a killed server could
    otherwise be given that very port as its own, connect to itself, and keep the server
    from coming back.
    """
    first_ephemeral = int(_RANGE_FILE.read_text().split()[0]) if _RANGE_FILE.exists() else 32_768
    candidates = range(_FIRST_UNPRIVILEGED, first_ephemeral)
    found: list[int] = []
    if len(candidates) > 1_000:
        for port in random.sample(candidates, k=200):
            if len(found) == count:
                break
            if not in_use(port):
                found.append(port)
    return found if len(found) == count else _kernel_choice(count)


def in_use(port: int, host: str = LOOPBACK) -> bool:
    """Whether a listener holds `host:port` (closed connections that linger do not count)."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return True
            raise
    return False


def _kernel_choice(count: int) -> list[int]:
    sockets = [socket.create_server((LOOPBACK, 0)) for _ in range(count)]
    try:
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()

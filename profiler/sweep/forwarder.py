"""A slower network: a TCP forwarder that holds what clients send for a while.

It stands between the client and Triton and needs no root. Bytes towards the server are delivered
`delay_s` + a draw from an exponential distribution of mean `jitter_s` after they came, each chunk
as it was read and all in their order: a chunk never overtakes an earlier one, so every protocol
over TCP passes unharmed. Answers go back at once: to the time of a round trip only the sum of both
ways matters. Reading goes on while chunks are held, so what is added is latency, not a limit of
throughput.

Threads with blocking sockets: they wake within a tenth of a millisecond, an event loop's timers
within one.
"""

import queue
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from tailq.errors import BadRequest

_CHUNK = 1 << 16
_CONNECT_S = 10.0
# Chunks held in one connection; beyond, its sender has to wait, as on a real network.
_MOST_HELD = 1024


class Forwarder:
    """Forwards connections to `address` ("HOST:PORT") until it is closed."""

    def __init__(self, address: str) -> None:
        """Begin to listen on a free loopback port, with no delay."""
        host, _, port = address.rpartition(":")
        if not port.isdigit():
            raise BadRequest(
                f"the delay of a network can only be added to HOST:PORT, not {address}"
            )
        self._target = host.strip("[]"), int(port)
        self._delay = _Delay()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._connections: list[_Connection] = []
        self._accepting = threading.Thread(target=self._accept, name="forward", daemon=True)
        self._accepting.start()

    @property
    def address(self) -> str:
        """Where clients connect instead: "HOST:PORT"."""
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def slow(self, delay_s: float, jitter_s: float, seed: list[int]) -> None:
        """From now on delay by so much; what is held keeps its time. seed: of the draws."""
        self._delay.set(delay_s, jitter_s, seed)

    def close(self) -> None:
        """Close all connections; what is held is lost."""
        _end(self._listener)
        self._accepting.join()
        self._listener.close()
        for connection in self._connections:
            connection.close()

    def _accept(self) -> None:
        with suppress(OSError):  # of the closed listener
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection(self._target, timeout=_CONNECT_S)
                except OSError:
                    client.close()  # to the client as if the server had refused it
                    continue
                self._connections.append(_Connection(client, server, self._delay))


@dataclass
class _Delay:
    """How long the next chunk is held, seconds; the draws of all connections come in one row."""

    delay_s: float = 0.0
    jitter_s: float = 0.0
    random: np.random.Generator = field(default_factory=np.random.default_rng)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def set(self, delay_s: float, jitter_s: float, seed: list[int]) -> None:
        with self.lock:
            self.delay_s, self.jitter_s = delay_s, jitter_s
            self.random = np.random.default_rng(seed)

    def draw_s(self) -> float:
        with self.lock:
            jitter_s = float(self.random.exponential(self.jitter_s)) if self.jitter_s else 0.0
            return self.delay_s + jitter_s


class _Connection:
    """One connection of a client and the one to the server behind it, and three threads.

    It ends when the server ends it. A client that has said all may still receive.
    """

    def __init__(self, client: socket.socket, server: socket.socket, delay: _Delay) -> None:
        self._client, self._server, self._delay = client, server, delay
        self._held: queue.Queue[tuple[float, bytes]] = queue.Queue(_MOST_HELD)
        for each in (client, server):
            each.settimeout(None)
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._threads = [
            threading.Thread(target=work, name="forward", daemon=True)
            for work in (self._hold, self._release, self._return)
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End it, and wait for its threads."""
        self._end()
        for thread in self._threads:
            thread.join()
        self._client.close()
        self._server.close()

    def _end(self) -> None:
        _end(self._client)
        _end(self._server)

    def _hold(self) -> None:
        """Read what the client sends and note when each chunk is due."""
        due, chunk = 0.0, b"something"
        while chunk:  # the empty one is the end and has its turn like the others
            chunk = _receive(self._client)
            due = max(due, time.perf_counter() + self._delay.draw_s())
            self._held.put((due, chunk))

    def _release(self) -> None:
        """Give each chunk to the server when it is due."""
        while True:
            due, chunk = self._held.get()
            if (left_s := due - time.perf_counter()) > 0:
                time.sleep(left_s)
            try:
                if not chunk:
                    self._server.shutdown(socket.SHUT_WR)
                    return
                self._server.sendall(chunk)
            except OSError:
                self._end()  # and go on until the end, so that _hold never waits for room
                if not chunk:
                    return

    def _return(self) -> None:
        """Give what the server sends to the client, at once."""
        with suppress(OSError):
            while chunk := _receive(self._server):
                self._client.sendall(chunk)
        self._end()


def _receive(connection: socket.socket) -> bytes:
    """The next bytes; none at the end, however it came."""
    try:
        return connection.recv(_CHUNK)
    except OSError:
        return b""


def _end(connection: socket.socket) -> None:
    """Wake whoever waits for it; unlike close(), that is safe while another thread uses it."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)

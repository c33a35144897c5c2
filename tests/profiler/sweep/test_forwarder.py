"""The slower network: everything arrives, in order, and not before its time."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress

import numpy as np
import pytest

from profiler.sweep.forwarder import Forwarder
from tailq.errors import BadRequest

PATIENCE_S = 30.0


class Echo:
    """A server that sends back what it receives, and ends a connection when its client has."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        try:
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()
        except OSError:  # closed
            return

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            while received := connection.recv(1 << 16):
                connection.sendall(received)


@pytest.fixture
def forwarder() -> Iterator[Forwarder]:
    """A forwarder to a server that echoes."""
    with closing(Echo()) as echo, closing(Forwarder(echo.address)) as forwarder:
        yield forwarder


def connect(forwarder: Forwarder) -> socket.socket:
    host, _, port = forwarder.address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=PATIENCE_S)


def receive(connection: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size and (part := connection.recv(size - len(received))):
        received += part
    return received


def round_trip_s(connection: socket.socket) -> float:
    began = time.perf_counter()
    connection.sendall(b"ping")
    assert receive(connection, 4) == b"ping"
    return time.perf_counter() - began


@pytest.mark.parametrize(("delay_s", "jitter_s"), [(0.0, 0.0), (0.002, 0.0), (0.0, 0.002)])
def test_everything_arrives_in_order(forwarder: Forwarder, delay_s: float, jitter_s: float) -> None:
    """Ten megabytes in pieces of all sizes, while answers come back: not a byte differs."""
    random = np.random.default_rng(3)
    content = random.bytes(10_000_000)
    forwarder.slow(delay_s, jitter_s, [1])
    with connect(forwarder) as client:

        def send() -> None:
            at = 0
            while at < len(content):
                size = int(random.integers(1, 100_000))
                client.sendall(content[at : at + size])
                at += size
            client.shutdown(socket.SHUT_WR)

        sending = threading.Thread(target=send)
        sending.start()
        assert receive(client, len(content)) == content
        assert client.recv(1) == b""  # the end arrives too
        sending.join()


def test_a_round_trip_takes_the_delay_longer(forwarder: Forwarder) -> None:
    """Never less than it; and as soon as it is taken away, less again."""
    with connect(forwarder) as client:
        forwarder.slow(0.02, 0.0, [1])
        slow = [round_trip_s(client) for _ in range(10)]
        forwarder.slow(0.0, 0.0, [1])
        fast = [round_trip_s(client) for _ in range(10)]
    assert min(slow) >= 0.02
    assert np.median(fast) < min(slow)


def test_jitter_is_drawn_from_the_seed(forwarder: Forwarder) -> None:
    """Each round trip takes at least its draw from the exponential distribution."""
    with connect(forwarder) as client:
        forwarder.slow(0.001, 0.004, [7, 3])
        taken = [round_trip_s(client) for _ in range(50)]
    drawn = 0.001 + np.random.default_rng([7, 3]).exponential(0.004, 50)
    assert (np.array(taken) >= drawn).all()
    assert np.corrcoef(taken, drawn)[0, 1] > 0.5  # the rest is the machine's


def test_connections_do_not_wait_for_each_other(forwarder: Forwarder) -> None:
    """Twenty at once take about as long as one, not twenty times."""
    forwarder.slow(0.05, 0.0, [1])
    clients = [connect(forwarder) for _ in range(20)]
    began = time.perf_counter()
    for client in clients:
        client.sendall(b"ping")
    for client in clients:
        assert receive(client, 4) == b"ping"
        client.close()
    assert time.perf_counter() - began < 20 * 0.05


def test_what_is_sent_without_waiting_is_delayed_once(forwarder: Forwarder) -> None:
    """Pipelined requests are each as late as one, whatever goes before them: it is latency."""
    forwarder.slow(0.05, 0.0, [1])
    with connect(forwarder) as client:
        began = time.perf_counter()
        for _ in range(20):
            client.sendall(b"ping")
        assert receive(client, 80) == b"ping" * 20
        assert 0.05 <= time.perf_counter() - began < 20 * 0.05


def test_a_server_that_refuses_ends_the_connection(nobody: str) -> None:
    """The client sees an end, not a silence."""
    with closing(Forwarder(nobody)) as forwarder, connect(forwarder) as client:
        assert client.recv(1) == b""


def test_closing_ends_connections_under_way() -> None:
    """Also those with bytes still held; the client sees an end."""
    with closing(Echo()) as echo:
        forwarder = Forwarder(echo.address)
        forwarder.slow(0.2, 0.0, [1])
        with connect(forwarder) as client:
            client.sendall(b"ping")
            assert threading.active_count() > 1
            forwarder.close()
            assert not [t for t in threading.enumerate() if t.name == "forward"]
            with suppress(ConnectionResetError):
                assert client.recv(4) in (b"", b"ping")


def test_only_host_and_port_can_be_forwarded() -> None:
    """Another kind of gRPC target is refused with what it should be."""
    with pytest.raises(BadRequest, match="HOST:PORT, not unix:/tmp/triton"):
        Forwarder("unix:/tmp/triton")

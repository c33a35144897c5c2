"""Any bytes at all: clean refusals, no 500, no traceback, nothing left behind."""

import asyncio
import random
import re
import socket
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.clients import Clients
from gateway.clients.settings import Bounds, ClientsSettings
from tests.gateway.client import get, infer
from tests.gateway.running import Running, until

# 500 is not among them: it would be a mistake of ours.
DECLARED = {100, 200, 400, 401, 403, 404, 405, 411, 413, 429, 431, 502, 503, 504}
# How long a silence is taken for the end of what a connection has to say, seconds.
SILENCE_S = 0.02

CHUNKED = (
    infer().partition(b"Content-Length")[0]
    + b"tailq-tier: fast\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
)
SEEDS = (
    infer("Inference-Header-Content-Length: 2", "traceparent: 00-1-2-03", body=b"{}\0\1"),
    infer("tolerance: 0.1", "objective: cost", "tailq-deadline-ms: 40", tier=None),
    infer("Authorization: Bearer tailq_no", "Connection: close"),
    infer("Expect: 100-continue", "Connection: Upgrade", "Upgrade: h2c"),
    infer(path="/v2/models/fash%69on/infer?x=1"),
    infer() * 3 + get("/v1/tiers") + infer(tier="nothing"),
    CHUNKED,
    get("/v2/models/fashion/versions/1/config"),
    get("/openapi.json"),
    b"GET /\xff HTTP/1.1\r\n\r\n",
)
TOKENS = (
    *(b"\r\n", b"\r\n\r\n", b"\0", b":", b" ", b"\xff", b"%", b"%00", b"0", b"-1", b"9" * 30),
    *(b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"HTTP/1.0", b"HTTP/9.9"),
    *(b"tailq-tier: gold\r\n", b"tailq-deadline-ms: nan\r\n", b"a: b\r\n" * 120, b"x" * 40_000),
    *(
        b"GET / HTTP/1.1\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01",
        b"PRI * HTTP/2.0",
    ),
)


@st.composite
def mutated(draw: st.DrawFn) -> list[bytes]:
    """A request or several, with some of it cut, replaced or doubled; in pieces."""
    data = bytearray(b"".join(draw(st.lists(st.sampled_from(SEEDS), min_size=1, max_size=3))))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 40)))
        new = draw(
            st.sampled_from(TOKENS) | st.binary(max_size=8) | st.just(bytes(data[start:end]) * 2)
        )
        data[start:end] = new
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=4)))
    return [bytes(data[a:b]) for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def exchange(port: int, pieces: list[bytes], *, leave: bool) -> bytes:
    """Send the pieces; what comes back until the gateway closes, or is silent."""
    got = b""
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for piece in pieces:
                connection.sendall(piece)
            if leave:
                return got
            connection.settimeout(SILENCE_S)
            while data := connection.recv(1 << 16):
                got += data
        except (TimeoutError, ConnectionError):
            pass
    return got


def statuses(got: bytes) -> Iterator[int]:
    """Of whole responses, one after the other; fails on anything else but a cut last one."""
    while got:
        head, end, rest = got.partition(b"\r\n\r\n")
        found = re.match(rb"HTTP/1\.1 (\d{3}) [A-Za-z -]+(\r\n|$)", head)
        assert found, got[:200]
        if not end:
            return
        length = re.search(rb"\r\ncontent-length: (\d+)", head.lower())
        yield int(found[1])
        got = rest[int(length[1]) if length else 0 :]


@pytest.fixture
async def bounded(gateway: Running) -> Running:
    """A gateway that keeps an account of its clients."""
    clients = ClientsSettings(anonymous=Bounds(max_in_flight=1000))
    gateway.gateway.service.clients = Clients(clients)
    gateway.gateway.rest.reload()
    return gateway


def own_tasks() -> int:
    """How many there are, but for those that serve the gateway's kept connections to the stub."""
    coroutines = (getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks())
    return sum(name != "Stub._serve" for name in coroutines)


async def nothing_left(gateway: Running, tasks: int) -> None:
    """See that it still serves, wait until all has ended, then look for what remains."""
    parts = gateway.gateway
    clients = parts.service.clients
    assert clients is not None
    # Connections are accepted in order: behind this one no other is still to come.
    last = await gateway.client()
    assert (await last.ask(infer())).status == 200
    last.close()
    await until(lambda: not gateway.server.server_state.connections)
    await until(lambda: not gateway.server.server_state.tasks)
    await until(lambda: parts.service.dataplane.outstanding == 0)
    await until(lambda: own_tasks() <= tasks)
    assert parts.service.buffered == 0
    assert [one.standing.in_flight for one in clients] == [0]
    assert len(parts.rest.heads) <= 256
    assert len(parts.rest.heads._known._seen) <= 4096


async def test_mutated_requests_are_refused_cleanly(
    bounded: Running, caplog: pytest.LogCaptureFixture
) -> None:
    """However they are cut, doubled, split or left: a declared status, whole, and no log."""
    tasks = own_tasks()

    @settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
    @given(mutated(), st.booleans())
    def attack(pieces: list[bytes], leave: bool) -> None:
        got = exchange(bounded.port, pieces, leave=leave)
        assert set(statuses(got)) <= DECLARED

    await asyncio.to_thread(attack)
    await nothing_left(bounded, tasks)
    assert not [record for record in caplog.records if record.levelname != "DEBUG"]


async def test_thousands_of_requests_leave_nothing_behind(
    bounded: Running, caplog: pytest.LogCaptureFixture
) -> None:
    """Each with a head of its own, some wrong, on few connections: no growth."""
    tasks = own_tasks()
    chance = random.Random(4)

    def one(number: int) -> bytes:
        kind = chance.randrange(5)
        if kind == 0:
            return infer(f"tailq-deadline-ms: {6000 + number / 10}")
        if kind == 1:
            return infer(tier=f"made-up-{number}")
        return infer(f"x-request-id: {number}")

    def attack() -> None:
        for round_ in range(20):
            requests = [one(round_ * 200 + number) for number in range(200)]
            with socket.create_connection(("127.0.0.1", bounded.port), 20) as connection:
                connection.sendall(
                    b"".join(requests) + get("/v2")[:-2] + b"connection: close\r\n\r\n"
                )
                got = b"".join(iter(lambda: connection.recv(1 << 16), b""))
            assert len(found := list(statuses(got))) == 201
            assert set(found) == {200, 400}

    await asyncio.to_thread(attack)
    await nothing_left(bounded, tasks)
    assert not [record for record in caplog.records if record.levelname != "DEBUG"]
    assert sum(bounded.outcomes().values()) == 4001

"""HTTP itself: bounds, order, slow and rude clients."""

import time

import pytest

from gateway.rest.patience import Patience
from gateway.rest.protocol import InferProtocol
from tests.gateway.client import Client, get, infer
from tests.gateway.running import MakeRunning, Running, until
from tests.gateway.stub import REPLY, Received, Stub, ok

BAD = infer(tier="nothing")


async def test_pipelined_requests_are_answered_in_order(stub: Stub, client: Client) -> None:
    """Fast and slow routes may be mixed on a connection; responses keep the requests' order."""
    wanted = [b"one", b"two", b"three"]
    await client.send(
        infer(body=wanted[0])
        + get("/v2/health/live")
        + infer(body=wanted[1])
        + BAD
        + get("/nothing")
        + infer(body=wanted[2])
    )
    got = [await client.read() for _ in range(6)]
    assert [one.status for one in got] == [200, 200, 200, 400, 404, 200]
    assert [request.body for request in stub.infers] == wanted


async def test_a_thousand_pipelined_mistakes_are_answered(client: Client) -> None:
    """However deep the queue, it is worked off one by one."""
    await client.send(BAD * 1000)
    got = [await client.read() for _ in range(1000)]
    assert {one.status for one in got} == {400}


async def test_a_pipelined_request_waits_on_its_own_time(stub: Stub, client: Client) -> None:
    """The clock of a request runs while it waits for the one before it."""
    stub.handler = stub.hold
    await client.send(infer(tier="tight") + infer(tier="tight"))
    assert [(await client.read()).status for _ in range(2)] == [504, 504]
    stub.release.set()


async def test_expect_100_continue_is_answered_first(stub: Stub, client: Client) -> None:
    """A client that asks before it sends its body is told to go on."""
    head, _, body = infer("Expect: 100-continue", body=b"abc").partition(b"\r\n\r\n")
    await client.send(head + b"\r\n\r\n")
    assert (await client.read()).status == 100
    assert (await client.ask(body)).status == 200
    assert stub.received[0].body == b"abc"


async def test_expect_100_continue_is_not_answered_to_a_mistake(client: Client) -> None:
    """Who asks for the impossible is told so before the body is sent."""
    head, _, _ = infer("Expect: 100-continue", tier="nothing").partition(b"\r\n\r\n")
    assert (await client.ask(head + b"\r\n\r\n")).status == 400


async def test_a_declared_body_over_the_limit_is_refused_up_front(
    make_running: MakeRunning, stub: Stub
) -> None:
    """413 leaves before the body has come, and the connection is closed."""
    async with make_running(max_body=1000) as gateway:
        client = await gateway.client()
        got = await client.ask(infer(body=b"x" * 1001)[:-1001])
        assert got.status == 413
        assert "1000" in got.problem
        assert got.headers["connection"] == "close"
        assert await client.at_end()
    assert not stub.received


async def test_the_413_arrives_though_the_client_keeps_sending(make_running: MakeRunning) -> None:
    """The rest of a refused body is read and dropped, so that the answer is not lost in a reset."""
    async with make_running(max_body=1000) as gateway:
        client = await gateway.client()
        assert (await client.ask(infer(body=b"x" * (8 << 20)))).status == 413


async def test_a_chunked_body_over_the_limit_is_refused(
    make_running: MakeRunning, stub: Stub
) -> None:
    """Without a length the limit holds as well, counted as the chunks come."""
    async with make_running(max_body=1000) as gateway:
        client = await gateway.client()
        head = infer().partition(b"Content-Length")[0]
        await client.send(head + b"tailq-tier: fast\r\nTransfer-Encoding: chunked\r\n\r\n")
        got = await client.ask(b"258\r\n" + b"x" * 600 + b"\r\n258\r\n" + b"x" * 600 + b"\r\n")
        assert got.status == 413
        assert gateway.outcomes() == {"invalid": 1}
    assert not stub.received


async def test_all_bodies_together_are_bounded(make_running: MakeRunning) -> None:
    """Many half-sent bodies cannot fill the memory: beyond the bound they are shed."""
    async with make_running(max_body=1000, max_buffered=1000) as gateway:
        first, second = await gateway.client(), await gateway.client()
        await first.send(infer(body=b"x" * 900)[:-100])
        await until(lambda: gateway.gateway.service.buffered > 0)
        got = await second.ask(infer(body=b"x" * 900))
        assert got.status == 503
        assert got.headers["retry-after"] == "1"
        assert (await first.ask(b"x" * 100)).status == 200
        assert gateway.gateway.service.buffered == 0


async def test_a_body_of_unknown_length_is_refused(client: Client) -> None:
    """Neither Content-Length nor chunks: 411."""
    got = await client.ask(b"POST /v2/models/fashion/infer HTTP/1.1\r\ntailq-tier: fast\r\n\r\n")
    assert got.status == 411
    assert "Content-Length" in got.problem


async def test_a_slow_body_meets_its_deadline(stub: Stub, client: Client) -> None:
    """A client that takes its time with the body is answered at the deadline, then closed."""
    got = await client.ask(infer(body=b"abc", tier="tight")[:-1])
    assert got.status == 504
    assert got.headers["connection"] == "close"
    assert await client.at_end()
    assert not stub.received


async def test_a_client_that_leaves_amid_its_body_is_forgotten(
    stub: Stub, gateway: Running, client: Client
) -> None:
    """Half a request and a closed connection: cancelled, and nothing sent on."""
    await client.send(infer(body=b"abc")[:-1])
    await until(lambda: gateway.gateway.service.buffered == 2)
    client.close()
    await until(lambda: gateway.outcomes() == {"cancelled": 1})
    assert gateway.gateway.service.buffered == 0
    assert not stub.received


async def test_a_client_that_leaves_amid_its_answer_is_cancelled(
    stub: Stub, gateway: Running, client: Client
) -> None:
    """Triton's work for a client that left counts as load until it ends."""
    stub.handler = stub.hold
    await client.send(infer())
    await until(lambda: len(stub.infers) == 1)
    client.close()
    await until(lambda: gateway.outcomes() == {"cancelled": 1})
    assert gateway.gateway.service.dataplane.outstanding == 1
    stub.release.set()
    await until(lambda: gateway.gateway.service.dataplane.outstanding == 0)
    assert len(stub.infers) == 1


async def test_a_client_that_pipelines_is_seen_to_leave(
    stub: Stub, gateway: Running, client: Client
) -> None:
    """What it sends ahead is read on, so that its end is seen; what waits is not tried."""
    stub.handler = stub.hold
    await client.send(infer(body=b"abc") * 5)
    await until(lambda: len(stub.infers) == 1)
    client.close()
    await until(lambda: gateway.outcomes() == {"cancelled": 1})
    stub.release.set()
    await until(lambda: gateway.gateway.service.dataplane.outstanding == 0)
    assert len(stub.infers) == 1


@pytest.mark.parametrize("ahead", [infer(body=b"x") * 20, infer(body=b"x" * 300_000) * 3])
async def test_what_is_sent_ahead_is_bounded(
    stub: Stub, gateway: Running, client: Client, ahead: bytes
) -> None:
    """So many requests, so many bytes: then reading stops until it is their turn."""
    stub.handler = stub.hold
    await client.send(infer(body=b"first"))
    await until(lambda: len(stub.infers) == 1)
    client.writer.write(ahead)
    (connection,) = gateway.server.server_state.connections
    assert isinstance(connection, InferProtocol)
    await until(lambda: connection.flow.read_paused)
    stub.release.set()
    count = 1 + ahead.count(b"POST")
    assert {(await client.read()).status for _ in range(count)} == {200}
    assert connection._ahead_bytes == 0
    assert len(stub.infers) == count


async def test_a_known_head_does_not_jump_the_queue(stub: Stub, client: Client) -> None:
    """A request that is understood faster waits for those before it all the same."""
    for _ in range(3):
        await client.ask(infer(body=b"known"))
    stub.handler = stub.hold
    unknown = infer("x-unknown: yes", body=b"other")
    await client.send(infer(body=b"known"))
    await until(lambda: len(stub.infers) == 4)
    await client.send(unknown)
    await client.send(infer(body=b"again"))
    stub.release.set()
    assert [(await client.read()).status for _ in range(3)] == [200] * 3
    assert [one.body for one in stub.infers[3:]] == [b"known", b"other", b"again"]


async def test_an_answer_by_the_head_alone_keeps_the_connection(stub: Stub, client: Client) -> None:
    """A small body that follows in a packet of its own is dropped, and the next request served."""
    for _ in range(3):
        head, end, body = infer(tier="nothing", body=b"abc").partition(b"\r\n\r\n")
        got = await client.ask(head + end)
        assert got.status == 400
        assert "connection" not in got.headers
        await client.send(body)
        assert (await client.ask(infer())).status == 200
    assert [one.body for one in stub.infers] == [b"{}"] * 3


async def test_an_answer_by_the_head_alone_does_not_wait_for_a_large_body(client: Client) -> None:
    """Rather than read it all, the connection is closed behind the answer."""
    got = await client.ask(infer(tier="nothing", body=b"x" * 70_000)[:-70_000])
    assert got.status == 400
    assert got.headers["connection"] == "close"


async def test_a_client_may_leave_the_application_too(
    stub: Stub, gateway: Running, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """The route that other servers use ends as quietly."""
    stub.handler = stub.hold
    await client.send(infer(path="/v2/models/fash%69on/infer"))
    await until(lambda: len(stub.infers) == 1)
    client.close()
    await until(lambda: gateway.outcomes() == {"cancelled": 1})
    await until(lambda: not gateway.server.server_state.tasks)
    assert not caplog.records


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
        b"nonsense\r\n\r\n",
        b"POST /v2/models/fashion/infer HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /v2/models/fashion/infer HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /v2/models/fashion/infer HTTP/1.1\r\nContent-Length: 1\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n",
        b"POST /v2/models/fashion/infer HTTP/1.1\r\ntailq-tier: a\x00b\r\n\r\n",
        b"CONNECT elsewhere:443 HTTP/1.1\r\nHost: elsewhere\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\n\r\n",
    ],
)
async def test_what_is_not_http_is_refused(client: Client, sent: bytes) -> None:
    """A clean 400, and the end of the connection."""
    got = await client.ask(sent)
    assert got.status == 400
    assert got.problem
    assert await client.at_end()


async def test_a_broken_chunk_is_refused(stub: Stub, gateway: Running, client: Client) -> None:
    """A body that stops making sense half-way ends its request."""
    head = infer().partition(b"Content-Length")[0]
    await client.send(head + b"tailq-tier: fast\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
    got = await client.ask(b"nonsense\r\n")
    assert got.status == 400
    assert await client.at_end()
    assert gateway.outcomes() == {"cancelled": 1}
    assert not stub.received


async def test_nonsense_behind_a_request_does_not_cost_its_answer(client: Client) -> None:
    """What was asked properly is answered before the connection is closed."""
    got = await client.ask(infer() + b"nonsense\r\n\r\n")
    assert got.status == 200
    assert await client.at_end()


@pytest.mark.parametrize(
    "sent",
    [
        infer(f"a: {'b' * 40_000}"),
        infer(*["a: b"] * 101),
        infer("a: " + "b" * 200_000)[:150_000],  # a header that does not end
        b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\n\r\n",
    ],
)
async def test_heads_are_bounded(client: Client, sent: bytes) -> None:
    """Too many or too large headers: 431, also when they never end."""
    got = await client.ask(sent)
    assert got.status == 431
    assert got.problem
    assert await client.at_end()


async def test_a_full_pipe_is_not_a_large_head(client: Client) -> None:
    """The limit of a head is not one of what may be sent before it."""
    count = 40
    requests = infer(body=b"x" * 1000) * count
    await client.send(requests[:-1020])  # cut in the last head
    got = [await client.read() for _ in range(count - 1)]
    got.append(await client.ask(requests[-1020:]))
    assert {one.status for one in got} == {200}


async def test_a_wish_to_upgrade_is_ignored(stub: Stub, client: Client) -> None:
    """Java's client wishes for HTTP/2 in its first request; it is served in HTTP/1.1."""
    upgrade = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")
    assert (await client.ask(infer(*upgrade, body=b"abc"))).status == 200
    assert (await client.ask(infer(body=b"defg"))).status == 200
    assert [request.body for request in stub.infers] == [b"abc", b"defg"]


@pytest.mark.parametrize("how", [{"version": "1.0"}, {"close": True}])
async def test_a_connection_ends_when_the_client_wants_it_so(
    client: Client, how: dict[str, object]
) -> None:
    """HTTP/1.0, or Connection: close."""
    headers = ["Connection: close"] if "close" in how else []
    got = await client.ask(infer(*headers, version=str(how.get("version", "1.1"))))
    assert got.status == 200
    assert got.headers["connection"] == "close"
    assert await client.at_end()


async def test_connections_are_bounded(make_running: MakeRunning) -> None:
    """One connection too many is turned away with a 503."""
    async with make_running(patience=Patience(connections=1)) as gateway:
        first = await gateway.client()
        assert (await first.ask(infer())).status == 200
        second = await gateway.client()
        assert (await second.read()).status == 503
        assert await second.at_end()
        assert (await first.ask(infer())).status == 200


@pytest.mark.parametrize(
    ("sent", "after_s"),
    [
        (b"", 80),  # idle since it was opened
        (infer()[:30], 11),  # a head that does not go on
        (get("/v2/health/live"), 80),  # idle since its last response
    ],
)
async def test_slow_clients_are_closed(
    gateway: Running, client: Client, sent: bytes, after_s: float
) -> None:
    """A connection may not be idle, nor a head unfinished, for as long as a client likes."""
    await client.send(sent)
    (connection,) = gateway.server.server_state.connections
    assert isinstance(connection, InferProtocol)
    if sent.endswith(b"\r\n\r\n"):
        await client.read()
    else:
        await until(lambda: not sent or connection._in_head)
    connection.check(time.monotonic() + after_s - 6)
    assert not connection.transport.is_closing()
    connection.check(time.monotonic() + after_s)
    assert await client.at_end()


async def test_a_client_that_does_not_read_is_not_read_either(
    stub: Stub, gateway: Running, client: Client
) -> None:
    """Who takes no answers gets no more of them computed, and in the end is closed."""

    async def large(request: Received) -> bytes:
        return ok(REPLY[:-2] + b" " * (8 << 20) + b"]}")

    stub.handler = large
    client.writer.write(infer() * 50)
    (connection,) = gateway.server.server_state.connections
    assert isinstance(connection, InferProtocol)
    await until(lambda: connection.flow.write_paused)
    done = len(stub.infers)
    assert done < 50
    connection.check(time.monotonic() + 31)
    await until(lambda: not gateway.server.server_state.connections)
    client.close()


async def test_a_drain_answers_what_is_in_flight(
    stub: Stub, gateway: Running, client: Client
) -> None:
    """Told to stop, the gateway answers first, then closes and returns."""
    stub.handler = stub.hold
    idle = await gateway.client()
    assert (await idle.ask(get("/v2/health/live"))).status == 200
    await client.send(infer())
    await until(lambda: len(stub.infers) == 1)
    gateway.server.should_exit = True
    assert await idle.at_end()
    stub.release.set()
    got = await client.read()
    assert got.status == 200
    assert got.headers["connection"] == "close"
    await gateway.task

"""TLS to Triton, against a real TLS server."""

import asyncio
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from gateway.clock import LoopClock
from gateway.upstream import tls
from gateway.upstream.base import Failure, Payload, Reply
from gateway.upstream.connect import Upstreams
from gateway.upstream.endpoint import Endpoint
from gateway.upstream.settings import EndpointSettings, TlsSettings, UpstreamSettings
from gateway.upstream.triton import TritonHttp
from tests.gateway.running import until
from tests.gateway.stub import Stub
from tests.gateway.upstream.certificates import Authority, Pair
from tests.gateway.upstream.conftest import MakeStub
from tests.gateway.upstream.tritons import Asker


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The authority that the gateway trusts."""
    return Authority(tmp_path_factory.mktemp("ours"), "ours")


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Another one."""
    return Authority(tmp_path_factory.mktemp("theirs"), "theirs")


def server(pair: Pair, clients: Path | None = None) -> Stub:
    """A stub that speaks TLS; clients: the authority that a client's certificate must be of."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=clients)
    context.load_cert_chain(pair.certificate, pair.key)
    if clients is not None:
        context.verify_mode = ssl.CERT_REQUIRED
    return Stub(tls=context)


async def infer(
    stub: Stub, settings: TlsSettings, clock: LoopClock, connect_s: float = 20.0
) -> Reply | Failure:
    """What an inference request at the stub comes to, twice, over one connection."""
    context = tls.context(tls.read(settings), settings)
    endpoint = Endpoint("127.0.0.1", stub.port, context, settings.server_name)
    triton = TritonHttp(endpoint, clock, connect_s=connect_s)
    try:
        for _ in range(2):
            asker = Asker()
            triton.infer("small", Payload((b"x" * 100_000,)), clock.now() + 20, asker)
            await until(lambda asker=asker: bool(asker.results))  # type: ignore[misc]
    finally:
        triton.close()
    assert isinstance(asker.result, Reply | Failure)
    return asker.result


async def test_a_trusted_server_is_asked_over_one_connection(
    ours: Authority, make_stub: MakeStub, clock: LoopClock
) -> None:
    """Kept alive as without TLS."""
    stub = await make_stub(server(ours.sign("127.0.0.1")))
    result = await infer(stub, TlsSettings(ca=ours.file), clock)
    assert isinstance(result, Reply)
    assert stub.connections == 1
    assert [len(one.body) for one in stub.infers] == [100_000] * 2


async def test_what_is_left_of_a_large_request_is_seen(ours: Authority, clock: LoopClock) -> None:
    """Given up while part of it is still here, it is cancelled: it would hold up the endpoint."""
    release = asyncio.Event()

    async def hold(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.transport.abort()

    busy = await asyncio.start_server(
        hold, "127.0.0.1", 0, ssl=server(ours.sign("127.0.0.1")).tls, limit=1024
    )
    settings = TlsSettings(ca=ours.file)
    context = tls.context(tls.read(settings), settings)
    port = busy.sockets[0].getsockname()[1]
    triton = TritonHttp(Endpoint("127.0.0.1", port, context), clock, connect_s=20)
    asker = Asker()
    call = triton.infer("small", Payload((bytes(32 << 20),)), clock.now() + 20, asker)
    (dialling,) = triton.pool._dialling  # what it opens begins with the request
    await dialling
    call.abandon()
    assert asker.results == [Failure("cancelled", "given up")]
    triton.close()
    release.set()
    busy.close()
    await busy.wait_closed()


async def test_the_servers_name_may_be_another_than_the_host(
    ours: Authority, make_stub: MakeStub, clock: LoopClock
) -> None:
    """For Tritons that are reached by an address."""
    stub = await make_stub(server(ours.sign("triton.example")))
    settings = TlsSettings(ca=ours.file, server_name="triton.example")
    assert isinstance(await infer(stub, settings, clock), Reply)


async def test_the_gateway_shows_its_own_certificate(
    ours: Authority, make_stub: MakeStub, clock: LoopClock
) -> None:
    """Mutual TLS; key and certificate may be one file."""
    stub = await make_stub(server(ours.sign("127.0.0.1"), ours.file))
    pair = ours.sign("gateway")
    both = pair.certificate.with_suffix(".both")
    both.write_bytes(pair.certificate.read_bytes() + pair.key.read_bytes())
    for certificate, key in ((pair.certificate, pair.key), (both, None)):
        settings = TlsSettings(ca=ours.file, certificate=certificate, key=key)
        assert isinstance(await infer(stub, settings, clock), Reply)


async def test_renewed_files_are_gone_by_without_a_restart(
    ours: Authority, theirs: Authority, make_stub: MakeStub, clock: LoopClock, tmp_path: Path
) -> None:
    """New connections show the new certificate, and trust the new authorities and no others.

    The endpoint stays what it is, with the connections that it has.
    """
    stub = await make_stub(server(ours.sign("127.0.0.1"), ours.file))
    mine, ca = Pair(tmp_path / "tls.crt", tmp_path / "tls.key"), tmp_path / "ca.pem"
    chosen = TlsSettings(ca=ca, certificate=_put(theirs.sign("old"), mine), key=mine.key)
    settings = UpstreamSettings(
        endpoints=(EndpointSettings(http=f"https://127.0.0.1:{stub.port}"),), tls=chosen
    )
    ca.write_bytes(ours.file.read_bytes())
    upstreams = Upstreams(settings, {"small": 0.0}, clock, lambda: 0.5, pem=tls.read(chosen))
    (member,) = upstreams.fleet.members

    async def asked() -> Failure | None:
        answer = await member.triton.ask("/v2/health/ready", 20)
        return answer if isinstance(answer, Failure) else None

    assert await asked() is not None
    _put(ours.sign("new"), mine)
    upstreams.change(settings, tls.read(chosen))
    assert await asked() is None
    connections = stub.connections
    ca.write_bytes(theirs.file.read_bytes())
    upstreams.change(settings, tls.read(chosen))
    assert await asked() is None
    assert stub.connections == connections
    member.triton.drop_idle()
    failure = await asked()
    assert failure is not None
    assert "its certificate is not accepted" in failure.detail
    assert upstreams.fleet.members == (member,)
    upstreams.close()


def _put(pair: Pair, place: Pair) -> Path:
    place.certificate.write_bytes(pair.certificate.read_bytes())
    place.key.write_bytes(pair.key.read_bytes())
    return place.certificate


@pytest.mark.parametrize(
    ("signed_by_us", "name", "days", "says"),
    [
        (False, "127.0.0.1", 1, "unable to get local issuer certificate"),
        (True, "127.0.0.2", 1, "IP address mismatch, certificate is not valid for '127.0.0.1'"),
        (True, "127.0.0.1", -1, "certificate has expired"),
    ],
)
async def test_a_server_that_is_not_trusted_gets_nothing(
    ours: Authority,
    theirs: Authority,
    make_stub: MakeStub,
    clock: LoopClock,
    signed_by_us: bool,
    name: str,
    days: int,
    says: str,
) -> None:
    """Another authority, another name, expired: unreachable, and why; no byte of a request."""
    stub = await make_stub(server((ours if signed_by_us else theirs).sign(name, days=days)))
    result = await infer(stub, TlsSettings(ca=ours.file), clock)
    assert isinstance(result, Failure)
    assert result.kind == "unreachable"
    assert result.detail.startswith("its certificate is not accepted: ")
    assert says in result.detail
    assert stub.received == []


@contextmanager
def refusing(context: ssl.SSLContext) -> Iterator[int]:
    """A server that shakes hands and hangs up, with an alert if it does not like what it sees.

    The port. In TLS 1.3 a client hears that only after its own side of the handshake is complete;
    asyncio's server would hang up without a word.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                _refuse(context.wrap_socket(connection, True, do_handshake_on_connect=False))

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _refuse(connection: ssl.SSLSocket) -> None:
    """Read what comes all the same: a reset would overtake the alert."""
    with connection:
        with suppress(OSError):
            connection.do_handshake()
        with suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(4096):
                pass


async def test_a_server_that_does_not_trust_us_is_unreachable(
    ours: Authority, theirs: Authority, clock: LoopClock
) -> None:
    """No certificate, or one of another authority: nothing was asked, so another may be."""
    foreign = theirs.sign("gateway")
    required = server(ours.sign("127.0.0.1"), ours.file).tls
    assert required is not None
    with refusing(required) as port:
        for settings, says in (
            (TlsSettings(ca=ours.file), "TLS: .*certificate required"),
            (
                TlsSettings(ca=ours.file, certificate=foreign.certificate, key=foreign.key),
                "TLS: .*unknown ca",
            ),
        ):
            context = tls.context(tls.read(settings), settings)
            triton = TritonHttp(Endpoint("127.0.0.1", port, context), clock)
            result = await triton.ask("/v2/health/ready", 20)
            triton.close()
            assert isinstance(result, Failure)
            assert result.kind == "unreachable"
            assert result.because == "untried"
            assert re.search(says, result.detail)


async def test_a_server_that_hangs_up_after_the_handshake_is_suspected(
    ours: Authority, make_stub: MakeStub, clock: LoopClock
) -> None:
    """It gives no reason (a reset may overtake it): whether it took the request is not known."""
    stub = await make_stub(server(ours.sign("127.0.0.1"), ours.file))
    result = await infer(stub, TlsSettings(ca=ours.file), clock)
    assert isinstance(result, Failure)
    assert result.kind == "lost"
    assert "perhaps our certificate is not accepted" in result.detail


async def test_a_server_without_tls_is_not_spoken_to_in_the_clear(
    ours: Authority, make_stub: MakeStub, clock: LoopClock
) -> None:
    """An https address means TLS: there is no way back to plain text."""
    stub = await make_stub(Stub())  # and so waits for the end of a head
    result = await infer(stub, TlsSettings(ca=ours.file), clock, connect_s=0.1)
    assert isinstance(result, Failure)
    assert result.kind == "unreachable"
    assert stub.received == []

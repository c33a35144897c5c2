"""Both data listeners over TLS, as clients and operators meet it."""

import asyncio
import json
import os
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, suppress
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import tritonclient.grpc as grpc_client
import tritonclient.grpc.aio as grpc_aio_client
import tritonclient.http as http_client
import tritonclient.http.aio as http_aio_client
from gevent import ssl as gevent_ssl  # type: ignore[import-untyped]
from tritonclient.utils import InferenceServerException

from gateway import tls
from gateway.pem import Pem
from gateway.rest.patience import Patience
from gateway.serving import server
from gateway.settings.model import ListenTlsSettings
from tests.gateway.client import Client
from tests.gateway.grpc.serving import FAST, IMAGE, INFER, echo, message, serving, tensor
from tests.gateway.process import GatewayProcess
from tests.gateway.running import TABLE, MakeRunning, Running, running
from tests.gateway.running import until as loop_until
from tests.gateway.steady import SteadyStub
from tests.gateway.stub import REPLY, Stub, ok
from tests.gateway.upstream.certificates import Authority, Pair

HERE = "127.0.0.1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def ours(folder: Path) -> Authority:
    return Authority(folder, "ours")


@pytest.fixture(scope="module")
def triton() -> Iterator[SteadyStub]:
    with SteadyStub(echo) as stub:
        yield stub


def settings(folder: Path, pair: Pair, client_ca: Path | None = None) -> str:
    """The option for a settings file with these."""
    files = {"certificate": pair.certificate, "key": pair.key, "client_ca": client_ca}
    lines = [f'{name} = "{path}"' for name, path in files.items() if path is not None]
    path = folder / "gateway.toml"
    path.write_text("\n".join(["[listen.tls]", *lines]))
    return f"--settings={path}"


@pytest.fixture(scope="module")
def gateway(folder: Path, ours: Authority, triton: SteadyStub) -> Iterator[GatewayProcess]:
    """One process; clients need no certificate."""
    option = settings(folder, ours.sign(HERE))
    with GatewayProcess(folder, TABLE, triton.address, option) as gateway:
        yield gateway


def trusting(authority: Authority, own: Pair | None = None) -> ssl.SSLContext:
    """A client that trusts this authority only, and may have a certificate of its own."""
    context = ssl.create_default_context(cafile=authority.file)
    context.set_alpn_protocols(["h2", "http/1.1"])
    if own is not None:
        context.load_cert_chain(own.certificate, own.key)
    return context


def connect(gateway: GatewayProcess, context: ssl.SSLContext) -> HTTPSConnection:
    """One connection, which is not opened again."""
    connection = HTTPSConnection(HERE, gateway.port, context=context, timeout=20)
    connection.connect()
    connection.auto_open = 0
    return connection


def ask(connection: HTTPSConnection) -> int:
    """The status of an answer."""
    body, size = http_client.InferenceServerClient.generate_request_body([http_tensor()])
    headers = {**FAST, "inference-header-content-length": str(size)}
    connection.request("POST", "/v2/models/fashion/infer", body, headers)
    with connection.getresponse() as response:
        response.read()
        return response.status


def http_tensor() -> Any:
    one = http_client.InferInput("images", IMAGE.shape, "FP32")
    one.set_data_from_numpy(IMAGE)
    return one


def test_unmodified_clients_ask_over_tls(gateway: GatewayProcess, ours: Authority) -> None:
    """Each of tritonclient's, several times over a connection, trusting the authority only."""
    with http_client.InferenceServerClient(
        gateway.address,
        ssl=True,
        ssl_context_factory=lambda: gevent_ssl.create_default_context(cafile=str(ours.file)),
    ) as rest:
        for _ in range(3):
            found = rest.infer("fashion", [http_tensor()], headers=dict(FAST))
            assert np.array_equal(found.as_numpy("images"), IMAGE)
    with grpc_client.InferenceServerClient(
        gateway.grpc, ssl=True, root_certificates=str(ours.file)
    ) as rpc:
        for _ in range(3):
            found = rpc.infer("fashion", [tensor()], headers=FAST)
            assert np.array_equal(found.as_numpy("images"), IMAGE)


async def test_unmodified_aio_clients_ask_over_tls(
    gateway: GatewayProcess, ours: Authority
) -> None:
    """By a context, and by gRPC's credentials."""
    async with http_aio_client.InferenceServerClient(
        gateway.address, ssl=True, ssl_context=trusting(ours)
    ) as rest:
        found = await rest.infer("fashion", [http_tensor()], headers=dict(FAST))
        assert np.array_equal(found.as_numpy("images"), IMAGE)
    creds = grpc.ssl_channel_credentials(ours.file.read_bytes())
    async with grpc_aio_client.InferenceServerClient(gateway.grpc, creds=creds) as rpc:
        found = await rpc.infer("fashion", [tensor()], headers=FAST)
        assert np.array_equal(found.as_numpy("images"), IMAGE)


def test_it_says_so(gateway: GatewayProcess, ours: Authority) -> None:
    """To scripts, and to clients that would rather speak HTTP/2."""
    assert gateway.url.startswith("https://")
    with closing(connect(gateway, trusting(ours))) as connection:
        assert connection.sock.selected_alpn_protocol() == "http/1.1"
        assert connection.sock.version() == "TLSv1.3"


def test_large_bodies_pass_however_slowly_they_are_taken(
    gateway: GatewayProcess, ours: Authority
) -> None:
    """Far beyond every buffer on the way, in both directions, and the connection goes on."""
    body = os.urandom(8 << 20)
    with closing(connect(gateway, trusting(ours))) as client:
        head = {"inputs": [{"name": "x", "datatype": "UINT8", "shape": [len(body)]}]}
        asked = json.dumps(head).encode()
        headers = {**FAST, "inference-header-content-length": str(len(asked))}
        for _ in range(2):
            client.request("POST", "/v2/models/fashion/infer", asked + body, headers)
            with client.getresponse() as response:
                assert response.status == 200
                assert response.read()[-len(body) :] == body


@pytest.mark.parametrize("listener", ["rest", "grpc"])
def test_what_is_no_tls_is_dropped(gateway: GatewayProcess, ours: Authority, listener: str) -> None:
    """Plain HTTP, half a handshake, noise: no answer, not a line in the log, and others go on."""
    port = gateway.port if listener == "rest" else int(gateway.grpc.rpartition(":")[2])
    before = gateway.log
    for said in (b"GET /v2 HTTP/1.1\r\nHost: gateway\r\n\r\n", b"\x16\x03\x01\x00\x05hello"):
        with socket.create_connection((HERE, port), 20) as connection:
            connection.sendall(said)
            with suppress(ConnectionError):
                assert not connection.recv(1 << 16).startswith(b"HTTP")
    with closing(connect(gateway, trusting(ours))) as connection:
        assert ask(connection) == 200
    assert gateway.log == before


@asynccontextmanager
async def listening(
    running: Running, authority: Authority, patience: Patience
) -> AsyncIterator[tuple[int, Pem, server.Server]]:
    """A second REST listener of the gateway, over TLS: its port, what it shows, and itself."""
    pair = authority.sign(HERE)
    files = ListenTlsSettings(certificate=pair.certificate, key=pair.key)
    pem = tls.read(files)
    config = server.data(running.gateway.application, running.gateway.rest, patience)
    rest = server.Server(config, server.Tls(tls.context(pem, files), patience))
    with server.bind(HERE, 0) as listener:
        task = asyncio.create_task(rest.serve([listener]))
        await rest.listening.wait()
        yield server.port_of(listener), pem, rest
        rest.should_exit = True
        await task


async def test_a_handshake_has_as_long_as_a_head(
    make_running: MakeRunning, ours: Authority
) -> None:
    """Who connects and says nothing is cut off, by either listener."""
    patience = Patience(head_s=0.05)
    async with (
        make_running() as running,
        listening(running, ours, patience) as (port, pem, _),
        serving(running, pem=pem, handshake_s=patience.head_s) as rpc,
    ):
        for client in (await Client.connect(port), await Client.connect(rpc.port)):
            assert await client.at_end()
            client.close()


async def test_who_does_not_take_an_answer_is_cut_off(
    make_running: MakeRunning, ours: Authority
) -> None:
    """As soon as in the clear, and not when a connection that is idle would be."""
    body = bytes(16 << 20)

    async def answer(_: object) -> bytes:
        return ok(REPLY + body, f"Inference-Header-Content-Length: {len(REPLY)}")

    stub = Stub(answer)
    await stub.start()
    async with (
        running(stub.port, TABLE) as gateway,
        listening(gateway, ours, Patience(write_s=0.05)) as (port, _, rest),
    ):
        reader, writer = await asyncio.open_connection(HERE, port, ssl=trusting(ours), limit=1024)
        head = "POST /v2/models/fashion/infer HTTP/1.1\r\nhost: a\r\ntailq-tier: fast\r\n"
        writer.write(f"{head}content-length: 2\r\n\r\n{{}}".encode())
        await reader.readuntil(b"\r\n\r\n")
        connections = rest.server_state.connections
        assert len(connections) == 1
        await loop_until(lambda: not connections)
        writer.transport.abort()
    await stub.stop()


def test_the_end_waits_for_no_goodbye(
    folder: Path, ours: Authority, triton: SteadyStub, tmp_path: Path
) -> None:
    """A client that keeps its connection for later does not read that it is closed."""
    option = settings(tmp_path, ours.sign(HERE))
    with GatewayProcess(tmp_path, TABLE, triton.address, option) as gateway:
        with closing(connect(gateway, trusting(ours))) as connection:
            assert ask(connection) == 200
            assert gateway.stop() == 0
        assert "exceeded" not in gateway.log


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110  (another process)
            await asyncio.sleep(0.05)


def put(pair: Pair, place: Pair) -> None:
    """As renewals do: other content of the same name."""
    for new, old in ((pair.certificate, place.certificate), (pair.key, place.key)):
        beside = old.with_suffix(".new")
        beside.write_bytes(new.read_bytes())
        beside.replace(old)


def shown(gateway: GatewayProcess) -> set[bytes]:
    """The certificates that eight new connections of each protocol are shown, by any worker."""
    blind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    blind.check_hostname = False
    blind.verify_mode = ssl.CERT_NONE
    found = set()
    ports = (gateway.port, int(gateway.grpc.rpartition(":")[2]))
    for port in ports * 8:
        with (
            socket.create_connection((HERE, port), 20) as plain,
            blind.wrap_socket(plain, server_hostname=HERE) as connection,
        ):
            certificate = connection.getpeercert(binary_form=True)
            assert certificate is not None
            found.add(certificate)
    return found


async def test_certificates_are_renewed_for_both_workers(
    ours: Authority, triton: SteadyStub, tmp_path: Path
) -> None:
    """New connections are shown the new one, old ones go on, and clients need one of their own.

    Half a file is not taken, and does not even keep a worker from being started again.
    """
    theirs = Authority(tmp_path, "theirs")
    mine = ours.sign("client")
    first, second = ours.sign(HERE, days=2), theirs.sign(HERE)
    place = Pair(tmp_path / "tls.crt", tmp_path / "tls.key")
    put(first, place)
    option = settings(tmp_path, place, ours.file)
    credentials = grpc.ssl_channel_credentials(
        ours.file.read_bytes(), mine.key.read_bytes(), mine.certificate.read_bytes()
    )
    with (
        GatewayProcess(tmp_path, TABLE, triton.address, option, "--workers=2") as gateway,
        closing(connect(gateway, trusting(ours, mine))) as kept,
        grpc.secure_channel(gateway.grpc, credentials) as channel,
    ):
        call: Any = channel.unary_unary(INFER)

        def both_go_on() -> bool:
            call(message(), metadata=tuple(FAST.items()), timeout=20)
            return ask(kept) == 200

        assert both_go_on()
        await asyncio.to_thread(check_a_stranger_is_refused, gateway, ours)
        before = await asyncio.to_thread(shown, gateway)
        assert before == {der(first)}

        put(second, place)
        gateway.send(signal.SIGHUP)
        await until(lambda: shown(gateway) == {der(second)})
        assert both_go_on()

        place.key.write_bytes(place.key.read_bytes()[:100])
        gateway.send(signal.SIGHUP)
        refused = 'tailq_reloads_total{file="listen_key",result="refused",service="fashion"}'
        await until(lambda: gateway.metrics()[refused] > 0)
        assert "are no pair of a certificate" in gateway.state()["reloads"]["listen_key"]["why"]
        assert both_go_on()
        killed = pids(gateway)
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        await until(lambda: len(pids(gateway) - killed) == 2)
        assert await asyncio.to_thread(shown, gateway) == {der(second)}
        assert "ssl_transport_security" not in gateway.log


def pids(gateway: GatewayProcess) -> set[int]:
    """Of the workers that serve."""
    return {worker["pid"] for worker in gateway.state()["workers"] if "pid" in worker}


def der(pair: Pair) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pair.certificate.read_text())


def check_a_stranger_is_refused(gateway: GatewayProcess, ours: Authority) -> None:
    """Without a certificate nothing can be asked over either protocol."""
    with (
        closing(connect(gateway, trusting(ours))) as connection,
        pytest.raises(OSError),  # noqa: PT011  (an alert, or its connection is closed)
    ):
        ask(connection)
    with (
        grpc_client.InferenceServerClient(
            gateway.grpc, ssl=True, root_certificates=str(ours.file)
        ) as client,
        pytest.raises(InferenceServerException, match="UNAVAILABLE"),
    ):
        client.infer("fashion", [tensor()], headers=FAST)

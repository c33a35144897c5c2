"""Starting, stopping and restarting the embedded Triton."""

import http.client
import os
import socket
import threading
from pathlib import Path

import pytest

from deploy.embedded import EmbeddedTriton, Endpoints, StartError
from tests.deploy.embedded import models
from tests.deploy.embedded.processes import leftovers

pytestmark = pytest.mark.triton


def _status(endpoint: str, path: str) -> int:
    connection = http.client.HTTPConnection(endpoint, timeout=30)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def _listening(pid: int) -> set[str]:
    """What the process listens on, "HEX_ADDRESS:HEX_PORT"; IPv4 written in IPv6 as IPv4."""
    inodes = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        target = str(link.readlink())
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                found.add(fields[1].replace("0000000000000000FFFF0000", ""))
    return found


def test_it_listens_on_the_loopback_interface_only(triton: EmbeddedTriton) -> None:
    """HTTP, gRPC and metrics are bound to 127.0.0.1, and nothing else is."""
    assert triton.pid is not None
    ports = {port for _, _, port in triton.endpoints.split()}
    assert _listening(triton.pid) == {f"0100007F:{port:04X}" for port in ports}


def test_metrics_are_served(triton: EmbeddedTriton) -> None:
    """The metrics endpoint answers, apart from the HTTP endpoint."""
    assert _status(triton.endpoints.metrics, "/metrics") == 200


def test_it_comes_back_on_the_same_endpoints_after_a_crash(repository: Path) -> None:
    """A killed server is seen as dead, leaves nothing behind, and can be started again."""
    server = EmbeddedTriton(repository, log_dir=repository.parent / "log")
    others = leftovers(os.getpid())
    before = server.start()
    held = http.client.HTTPConnection(before.http, timeout=30)  # a client that stays connected
    held.request("GET", "/v2/health/live")
    held.getresponse().read()
    server.kill()
    assert not server.alive
    assert server.pid is None
    assert leftovers(os.getpid()) == others
    assert server.start() == before
    assert _status(before.http, "/v2/models/linear/ready") == 200
    server.stop()
    held.close()


def test_only_the_models_named_are_served(repository: Path) -> None:
    """A list of models leaves the others of the repository out."""
    models.add_model(repository, "other", models.double())
    server = EmbeddedTriton(repository, log_dir=repository.parent / "log", models=["other"])
    try:
        server.start()
        assert _status(server.endpoints.http, "/v2/models/other/ready") == 200
        assert _status(server.endpoints.http, "/v2/models/linear/ready") != 200
    finally:
        server.kill()


def test_a_model_that_fails_to_load_fails_the_start(repository: Path) -> None:
    """The error names the model at fault and the reason, and no process is left."""
    folder = models.add_model(repository, "broken", models.double())
    (folder / "1" / "model.onnx").write_bytes(b"not a model")
    server = EmbeddedTriton(repository, log_dir=repository.parent / "log")
    with pytest.raises(StartError, match=r"model 'broken' failed to load: .*Protobuf") as caught:
        server.start()
    assert "linear" not in str(caught.value)
    assert not server.alive


def test_a_wrong_option_shows_what_the_log_says(repository: Path) -> None:
    """When no model is at fault, the server's own words are in the error."""
    server = EmbeddedTriton(
        repository, log_dir=repository.parent / "log", extra_arguments=["--no-such-option"]
    )
    with pytest.raises(StartError, match="no-such-option") as caught:
        server.start()
    assert str(server.log_path) in str(caught.value)


def test_a_start_that_takes_too_long_is_given_up(repository: Path) -> None:
    """After the timeout the start fails and the server is ended."""
    server = EmbeddedTriton(repository, log_dir=repository.parent / "log")
    with pytest.raises(StartError, match="not become ready in time"):
        server.start(timeout_s=0.0)
    assert not server.alive


def test_a_taken_endpoint_is_named(repository: Path) -> None:
    """A port given by the user that is not free is a clear error."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        _, grpc, metrics = (port for _, _, port in Endpoints.free().split())
        server = EmbeddedTriton(
            repository,
            log_dir=repository.parent / "log",
            endpoints=Endpoints.on_ports(port, grpc, metrics),
        )
        with pytest.raises(StartError, match=f"http endpoint 127.0.0.1:{port} is in use"):
            server.start()


@pytest.mark.parametrize("place", [0, 1, 2], ids=["http", "grpc", "metrics"])
def test_a_port_taken_meanwhile_is_replaced(
    repository: Path, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    """A free port that another process takes before the server binds costs one more attempt."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        good = Endpoints.free()
        ports = [port for _, _, port in good.split()]
        ports[place] = taken.getsockname()[1]
        offers = iter([Endpoints.on_ports(*ports), good])
        monkeypatch.setattr(Endpoints, "free", lambda: next(offers))
        server = EmbeddedTriton(repository, log_dir=repository.parent / "log")
        try:
            assert server.start() == good
        finally:
            server.kill()


def test_it_outlives_the_thread_that_started_it(repository: Path) -> None:
    """A server started by a worker thread runs on when that thread has ended."""
    server = EmbeddedTriton(repository, log_dir=repository.parent / "log")
    worker = threading.Thread(target=server.start)
    worker.start()
    worker.join()
    try:
        assert server.wait(1.0) is None
        assert _status(server.endpoints.http, "/v2/health/ready") == 200
    finally:
        server.kill()


def test_other_addresses_than_loopback_are_refused(repository: Path) -> None:
    """The server has no access control, so it is not put on a network."""
    server = EmbeddedTriton(
        repository,
        log_dir=repository.parent / "log",
        endpoints=Endpoints("0.0.0.0:9000", "127.0.0.1:9001", "127.0.0.1:9002"),
    )
    with pytest.raises(StartError, match=r"http endpoint 0\.0\.0\.0:9000: .* 127\.0\.0\.1 only"):
        server.start()

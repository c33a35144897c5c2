"""The command: what it says and how it ends."""

import json
import signal
import socket
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tailq import artefact
from tests.gateway.process import GatewayProcess
from tests.gateway.running import TABLE
from tests.gateway.upstream.certificates import Authority

HEAVY = ("torch", "torchvision", "scipy", "pandas", "pyarrow", "KDEpy", "tritonclient")
TRITON = "--triton=127.0.0.1:1"


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "gateway.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def check_refused(result: "subprocess.CompletedProcess[str]", says: str) -> None:
    assert result.returncode == 2
    assert says in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


@pytest.fixture
def tiers(tmp_path: Path) -> Path:
    path = tmp_path / "tiers.json"
    artefact.write(path, TABLE)
    return path


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read"),
        (b"", "tiers.json"),
        (b'{"schema": "tailq.tiers/2", "service":', "tiers.json"),
        (b'{"schema": "tailq.tiers/9"}', "schema"),
    ],
)
def test_a_bad_tier_table_is_a_clear_error(
    tmp_path: Path, content: bytes | None, says: str
) -> None:
    """Missing, empty, truncated or of another version: exit code 2 and the reason."""
    path = tmp_path / "tiers.json"
    if content is not None:
        path.write_bytes(content)
    check_refused(run(f"--tiers={path}", TRITON), says)


@pytest.mark.parametrize("triton", ["nothing", "host:", ":8000", "host:99999", "a b:1"])
def test_a_bad_endpoint_is_a_clear_error(tiers: Path, triton: str) -> None:
    """What Triton's endpoint should look like is said, once, and by which option it came."""
    result = run(f"--tiers={tiers}", f"--triton={triton}")
    check_refused(result, f"tailq-gateway: --triton: '{triton}' is no HOST:PORT")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("option", ["port", "grpc-port", "admin-port"])
def test_a_taken_port_is_a_clear_error(tiers: Path, option: str, workers: int) -> None:
    """The address is named, also where the other one would share it."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        options = ["--port=0", f"--{option}={port}", f"--workers={workers}"]
        result = run(f"--tiers={tiers}", TRITON, *options)
    check_refused(result, f"cannot listen at 127.0.0.1:{port}: Address already in use")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("--port=65536", "--port: Input should be less than or equal to 65535"),
        ("--port=http", "--port: Input should be a valid integer"),
        ("--max-body-mib=big", "--max-body-mib: must be a number of bytes, or a size"),
        ("--workers=0", "--workers: Input should be greater than or equal to 1"),
        ("--log-level=loud", "--log-level: Input should be 'debug', 'info'"),
        ("--max-body-mib=0", "--max-body-mib: Input should be greater than or equal to 1"),
        ("--grpc-port=8080", "--grpc-port: each listener needs a port of its own"),
    ],
)
def test_a_bad_option_is_one_line(tiers: Path, option: str, says: str) -> None:
    """As every other mistake in the settings."""
    result = run("--check", f"--tiers={tiers}", TRITON, option)
    check_refused(result, f"tailq-gateway: {says}")
    assert len(result.stderr.splitlines()) == 1


def test_a_flag_can_take_back_what_the_file_says(tiers: Path, tmp_path: Path) -> None:
    """In both directions: to cancel at the deadline, or not to."""
    settings = tmp_path / "gateway.toml"
    settings.write_text('[limits]\nat_deadline = "cancel"\n')
    options = ["--check", f"--settings={settings}", f"--tiers={tiers}", TRITON]
    assert "cancelled" in run(*options).stdout
    assert "cancelled" not in run(*options, "--no-cancel-at-deadline").stdout


def test_check_says_what_would_be_served(tiers: Path, tmp_path: Path) -> None:
    """Without a port opened: one that is taken is no mistake."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = tmp_path / "gateway.toml"
        settings.write_text(
            f'tiers = "{tiers}"\n[listen]\nhttp_port = {taken.getsockname()[1]}\nworkers = 2\n'
            '[upstream]\nendpoints = ["triton-a:8000", "triton-b:8000"]\n'
        )
        result = run("--check", f"--settings={settings}")
    assert result.returncode == 0
    assert "triton-a:8000, triton-b:8000" in result.stdout
    assert "gold: 0.9 within 5000 ms by large" in result.stdout
    check_refused(run("--check", f"--settings={settings}", "--triton=x"), "--triton: 'x' is no")


def test_check_finds_a_client_with_an_unknown_tier(tiers: Path, tmp_path: Path) -> None:
    """What is in several files has to fit together."""
    settings = tmp_path / "gateway.toml"
    settings.write_text('[clients]\nanonymous = {tiers = ["silver"]}\n')
    result = run("--check", f"--settings={settings}", f"--tiers={tiers}", TRITON)
    check_refused(result, f"{settings}: clients.anonymous.tiers: no tier is called 'silver'")


def test_keys_are_made_by_a_command_of_their_own() -> None:
    """It asks for no tiers and serves nothing."""
    result = run("key", "shop")
    assert result.returncode == 0
    assert "[clients.named.shop]" in result.stdout


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_told(tmp_path: Path, number: signal.Signals, workers: int) -> None:
    """A signal ends it with exit code 0 and without a traceback, Triton or no Triton."""
    with GatewayProcess(tmp_path, TABLE, "127.0.0.1:1", f"--workers={workers}") as gateway:
        assert gateway.stop(number) == 0
        assert "Traceback" not in gateway.log


def test_before_its_end_it_sends_clients_elsewhere(tmp_path: Path) -> None:
    """While it is a lame duck it still answers, and each answer ends its connection."""
    settings = tmp_path / "gateway.toml"
    settings.write_text("[listen]\nlame_duck_s = 3\n")
    with GatewayProcess(tmp_path, TABLE, "127.0.0.1:1", f"--settings={settings}") as gateway:
        connection = HTTPConnection("127.0.0.1", gateway.port, timeout=20)

        def ask() -> str | None:
            connection.request("POST", "/v2/models/fashion/infer", b"{}", {"tailq-tier": "gold"})
            with connection.getresponse() as response:
                response.read()
                return response.getheader("connection")

        assert ask() is None
        gateway.send(signal.SIGTERM)
        while not gateway.state()["workers"][0]["leaving"]:
            pass
        assert ask() == "close"
        connection.close()
        assert gateway.wait() == 0


def test_where_the_operator_stands_does_not_matter(tiers: Path, tmp_path: Path) -> None:
    """Workers are the installed gateway, whatever a folder there is called."""
    (tmp_path / "gateway").mkdir()
    (tmp_path / "gateway" / "__init__.py").write_text("raise SystemExit('not this one')")
    installed = Path(sys.executable).with_name("tailq-gateway")
    command = [str(installed), f"--tiers={tiers}", TRITON]
    with subprocess.Popen(
        [*command, "--port=0", "--workers=2"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.terminate()
    assert line.startswith("tailq-gateway serves 'fashion'")


def test_the_log_can_be_json(tmp_path: Path) -> None:
    """Each line is an object."""
    settings = tmp_path / "gateway.toml"
    settings.write_text('[log]\nformat = "json"\n')
    options = ["--workers=2", f"--settings={settings}"]
    with GatewayProcess(tmp_path, TABLE, "127.0.0.1:1", *options) as gateway:
        assert gateway.stop() == 0
        lines = [json.loads(line) for line in gateway.log.splitlines()]
    assert {line["worker"] for line in lines if "is down" in line["message"]} == {0, 1}


def test_it_says_where_it_listens(tiers: Path) -> None:
    """Without --json there is a line for people."""
    command = [sys.executable, "-m", "gateway.cli", f"--tiers={tiers}", TRITON]
    with subprocess.Popen(
        [*command, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.terminate()
    assert line.startswith("tailq-gateway serves 'fashion' at http://127.0.0.1:")
    assert ", gRPC at 127.0.0.1:" in line
    assert ", admin at http://127.0.0.1:" in line


def test_it_says_so_where_it_listens_over_tls(tiers: Path, tmp_path: Path) -> None:
    """And warns of what it serves all the same."""
    pair = Authority(tmp_path, "ours").sign("127.0.0.1", days=-1)
    settings = tmp_path / "gateway.toml"
    settings.write_text(f'[listen.tls]\ncertificate = "{pair.certificate}"\nkey = "{pair.key}"\n')
    command = [sys.executable, "-m", "gateway.cli", f"--tiers={tiers}", TRITON]
    with subprocess.Popen(
        [*command, "--port=0", f"--settings={settings}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        process.terminate()
        log = process.stderr.read()
    assert line.startswith("tailq-gateway serves 'fashion' at https://127.0.0.1:")
    assert " over TLS, admin at http://127.0.0.1:" in line
    assert f"WARNING tailq.gateway: listen.tls.certificate: {pair.certificate} will be ref" in log


def test_it_stays_light() -> None:
    """Nothing heavy is imported, directly or through others."""
    modules = "gateway.cli, gateway.serving.alone, gateway.workers.supervisor"
    program = f"import {modules}, sys; print(*(set({HEAVY!r}) & sys.modules.keys()))"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert result.stdout.strip() == ""

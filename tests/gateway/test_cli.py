"""The command: what it says and how it ends."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tailq import artefact
from tailq.plan import Cascade
from tests.gateway.process import GatewayProcess
from tests.gateway.running import TABLE
from tests.tables import promise, table, tier

HEAVY = ("torch", "torchvision", "scipy", "pandas", "pyarrow", "KDEpy", "tritonclient", "grpc")


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
    check_refused(run(f"--tiers={path}", "--triton=127.0.0.1:1"), says)


def test_a_plan_it_cannot_execute_is_a_clear_error(tmp_path: Path) -> None:
    """The tier and its plan are named, and how to compile a table that can be served."""
    path = tmp_path / "tiers.json"
    cascade = Cascade(stages=("small", "large"), thresholds=(0.9,))
    artefact.write(path, table(tier("gold", 0.01, promise(cascade, 0.1))))
    result = run(f"--tiers={path}", "--triton=127.0.0.1:1")
    check_refused(result, "tier gold has the plan small →0.9→ large")
    assert "plans: [single]" in result.stderr


@pytest.mark.parametrize("triton", ["nothing", "host:", ":8000", "host:99999", "a b:1"])
def test_a_bad_endpoint_is_a_clear_error(tiers: Path, triton: str) -> None:
    """What Triton's endpoint should look like is said."""
    check_refused(run(f"--tiers={tiers}", f"--triton={triton}"), "no HOST:PORT")


def test_a_taken_port_is_a_clear_error(tiers: Path) -> None:
    """The address is named."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run(f"--tiers={tiers}", "--triton=127.0.0.1:1", f"--port={port}")
    check_refused(result, f"127.0.0.1:{port}")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_told(tmp_path: Path, number: signal.Signals) -> None:
    """A signal ends it with exit code 0 and without a traceback, Triton or no Triton."""
    with GatewayProcess(tmp_path, TABLE, "127.0.0.1:1") as gateway:
        assert gateway.stop(number) == 0
        assert "Traceback" not in gateway.log


def test_it_says_where_it_listens(tiers: Path) -> None:
    """Without --json there is a line for people."""
    command = [sys.executable, "-m", "gateway.cli", f"--tiers={tiers}", "--triton=127.0.0.1:1"]
    with subprocess.Popen(
        [*command, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(
            "tailq-gateway serves 'fashion' at http://127.0.0.1:"
        )
        process.terminate()


def test_it_stays_light() -> None:
    """Nothing heavy is imported, directly or through others."""
    program = f"import gateway.app, gateway.cli, sys; print(*({HEAVY!r} & sys.modules.keys()))"
    program = program.replace(repr(HEAVY), repr(set(HEAVY)))
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert result.stdout.strip() == ""

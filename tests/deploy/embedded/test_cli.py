"""`tailq-triton` as a user runs it."""

import http.client
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import deploy

_ROOT = Path(deploy.__file__).parents[1]
_COMMAND = [sys.executable, "-m", "deploy.embedded"]


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*_COMMAND, *arguments], cwd=_ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.triton
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_it_serves_until_it_is_told_to_stop(repository: Path, number: signal.Signals) -> None:
    """--json prints the endpoints as one object; a signal ends it with exit status 0."""
    log_dir = repository.parent / "log"
    command = [*_COMMAND, "--repository", str(repository), "--log-dir", str(log_dir), "--json"]
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline())
        connection = http.client.HTTPConnection(facts["http"], timeout=30)
        connection.request("GET", "/v2/models/linear/ready")
        assert connection.getresponse().status == 200
        connection.close()
        process.send_signal(number)
        assert process.stdout.read() == ""
    assert process.returncode == 0
    assert facts["log"] == str(log_dir / "triton.log")


@pytest.mark.triton
def test_a_server_that_dies_ends_it_with_a_message(repository: Path) -> None:
    """When Triton crashes, the command says so and fails."""
    command = [*_COMMAND, "--repository", str(repository), "--log-dir", str(repository.parent)]
    with subprocess.Popen(
        [*command, "--json"], cwd=_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        os.kill(json.loads(process.stdout.readline())["pid"], signal.SIGKILL)
        assert "Triton ended by itself with status 137" in process.stderr.read()
    assert process.returncode == 1


@pytest.mark.triton
def test_a_taken_port_is_named(repository: Path) -> None:
    """A port given on the command line that another server holds is a clear error."""
    with subprocess.Popen(
        [*_COMMAND, "--repository", str(repository), "--log-dir", str(repository.parent), "--json"],
        cwd=_ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as first:
        assert first.stdout is not None
        port = json.loads(first.stdout.readline())["grpc"].rpartition(":")[2]
        second = _run("--repository", str(repository), "--grpc-port", port)
        first.terminate()
    assert second.returncode == 1
    assert f"grpc endpoint 127.0.0.1:{port} is in use" in second.stderr


def test_a_missing_repository_is_named(tmp_path: Path) -> None:
    """A wrong path is one message without a traceback, and exit status 1."""
    done = _run("--repository", str(tmp_path / "none"))
    assert done.returncode == 1
    assert done.stderr.startswith(f"tailq-triton: model repository {tmp_path / 'none'}: no such")
    assert "Traceback" not in done.stderr


def test_an_unknown_model_is_answered_with_those_there_are(tmp_path: Path) -> None:
    """A mistyped model name shows the names to choose from."""
    for name in ("large", "small"):
        (tmp_path / name / "1").mkdir(parents=True)
    done = _run("--repository", str(tmp_path), "--models", "smal")
    assert done.returncode == 1
    assert "no model 'smal'; there are: large, small." in done.stderr


def test_an_impossible_port_is_refused() -> None:
    """A port beyond the range of ports is a usage error."""
    done = _run("--repository", ".", "--http-port", "70000")
    assert done.returncode == 2
    assert "give a number from 0 to 65535" in done.stderr

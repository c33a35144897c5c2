"""A measurement that was interrupted, in any way, goes on and ends like any other."""

import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.embedded import EmbeddedTriton
from profiler.record.observations import open_profile
from tests.profiler.conftest import Cli

pytestmark = pytest.mark.triton

ROUNDS = 40
PATIENCE_S = 60.0


class Run:
    """`tailq-profile run` in a process of its own, with many more rounds than will be measured."""

    def __init__(self, triton: str, data: Path, out: Path) -> None:
        self.partial = out.with_name(f"{out.name}.partial")
        self.arguments = (
            *("run", "--triton", triton, "--dataset", str(data), "--out", str(out)),
            *("--service", "toy", "--loads", "1,2", "--samples-per-round", "4"),
            *("--min-rounds", str(ROUNDS), "--max-rounds", str(ROUNDS)),
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from profiler.cli import main; main()", *self.arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_for(self, name: str) -> None:
        """Wait until a file of the journal is there, as the run writes it."""
        tick = threading.Event()
        for _ in range(int(PATIENCE_S / 0.002)):
            if (self.partial / name).exists():
                return
            assert self.process.poll() is None, self.process.communicate()
            tick.wait(0.002)
        pytest.fail(f"{name} did not appear in {self.partial}")

    def end(self, number: signal.Signals) -> tuple[int, str]:
        """Send a signal; return the exit status and what was said on stderr."""
        os.kill(self.process.pid, number)
        return self.ended()

    def ended(self) -> tuple[int, str]:
        """Wait for the end."""
        _, said = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, said


@pytest.fixture
def run(triton: EmbeddedTriton, toy_data: Path, tmp_path: Path) -> Iterator[Run]:
    """A run that has just begun."""
    started = Run(triton.endpoints.grpc, toy_data, tmp_path / "profile")
    yield started
    if started.process.poll() is None:
        started.process.kill()
        started.process.communicate()


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.parquet")}


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        ("answers-00000000.parquet", signal.SIGINT),
        ("answers-00000000.parquet", signal.SIGKILL),
        ("round-0001-000002.parquet", signal.SIGINT),
        ("round-0001-000002.parquet", signal.SIGTERM),
        ("round-0001-000002.parquet", signal.SIGKILL),
    ],
)
def test_a_stopped_run_resumes(
    run: Run, tmp_path: Path, cli: Cli, moment: str, number: signal.Signals
) -> None:
    """Whatever stops it and when: nothing measured is lost, and the end has every observation."""
    run.wait_for(moment)
    status, said = run.end(number)
    if number == signal.SIGKILL:
        assert status == -signal.SIGKILL
    else:
        assert status == 128 + number
        assert "run the same command to resume" in said
        assert "Traceback" not in said
    kept = files(run.partial)
    assert moment in kept
    ended = cli(*run.arguments)
    assert ended.code == 0, ended.err
    assert "going on with" in ended.err
    opened = open_profile(tmp_path / "profile")
    assert len(opened.answers) == 2 * 300
    assert len(opened.observations) == ROUNDS * 2 * 2 * 4
    assert opened.profile.stopped_by == "budget"
    assert not run.partial.exists()


def test_a_resumed_run_does_not_measure_again_what_is_there(
    run: Run, tmp_path: Path, cli: Cli
) -> None:
    """What was observed before the interruption is in the profile as it was."""
    run.wait_for("round-0002-000001.parquet")
    run.end(signal.SIGKILL)
    import pyarrow.parquet as pq

    kept = [
        latency
        for path in sorted(run.partial.glob("round-*.parquet"))
        for latency in pq.read_table(path)["latency_s"].to_pylist()
    ]
    assert cli(*run.arguments).code == 0
    assert set(kept) <= set(open_profile(tmp_path / "profile").observations.latency_s.tolist())


def test_another_command_does_not_resume(run: Run, cli: Cli) -> None:
    """Another seed is another measurement: refused, unless what is there is discarded."""
    run.wait_for("answers-00000000.parquet")
    run.end(signal.SIGINT)
    refused = cli(*run.arguments, "--seed", "9")
    assert refused.code == 2
    assert "seed was 0, now is 9" in refused.err
    assert cli(*run.arguments, "--seed", "9", "--restart").code == 0


def test_a_model_unloaded_meanwhile_is_told_and_nothing_is_lost(
    repository: Path, toy_data: Path, tmp_path: Path, cli: Cli
) -> None:
    """Exit code 3 with the model's name; once it is loaded again the same command goes on."""
    options = ["--model-control-mode=explicit", "--load-model=*"]
    with EmbeddedTriton(repository, log_dir=tmp_path / "log", extra_arguments=options) as server:
        run = Run(server.endpoints.grpc, toy_data, tmp_path / "profile")
        run.wait_for("round-0001-000001.parquet")
        post(f"http://{server.endpoints.http}/v2/repository/models/toy_softmax/unload")
        status, said = run.ended()
        assert (status, "no longer serves toy_softmax" in said) == (3, True), said
        assert "run the same command to resume" in said
        post(f"http://{server.endpoints.http}/v2/repository/models/toy_softmax/load")
        assert cli(*run.arguments).code == 0
    assert len(open_profile(tmp_path / "profile").observations) == ROUNDS * 2 * 2 * 4


def post(url: str) -> None:
    urllib.request.urlopen(urllib.request.Request(url, method="POST")).close()


def test_a_triton_that_dies_is_told_and_nothing_is_lost(
    repository: Path, toy_data: Path, tmp_path: Path, cli: Cli
) -> None:
    """Exit code 3 with the remedy; once Triton is back the same command goes on."""
    server = EmbeddedTriton(repository, log_dir=tmp_path / "log")
    with server:
        run = Run(server.endpoints.grpc, toy_data, tmp_path / "profile")
        run.wait_for("round-0001-000001.parquet")
        server.kill()
        status, said = run.ended()
        assert status == 3
        assert "does not answer" in said
        assert "run the same command to resume" in said
        assert "Traceback" not in said
        assert "round-0001-000001.parquet" in files(run.partial)
        server.start()
        assert cli(*run.arguments).code == 0
    assert len(open_profile(tmp_path / "profile").observations) == ROUNDS * 2 * 2 * 4

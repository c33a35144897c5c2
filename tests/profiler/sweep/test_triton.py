"""Sweeps on a real Triton: each factor does what it says, and nothing of it stays behind."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from deploy.embedded import EmbeddedTriton
from profiler.measure.triton import Triton
from tailq import artefact
from tailq.sweep import Factor, Level, Sweep
from tests.profiler.conftest import Cli

pytestmark = pytest.mark.triton

PATIENCE_S = 60.0


def command(triton: EmbeddedTriton, data: Path, out: Path, *more: str) -> tuple[str, ...]:
    given = ("--triton", triton.endpoints.grpc, "--dataset", str(data), "--out", str(out))
    return ("sweep", *given, "--requests-per-round", "8", *more)


def levels(sweep: Sweep, factor: str) -> dict[str, Level]:
    (found,) = [each for each in sweep.factors if each.name == factor]
    assert isinstance(found, Factor)
    return {level.value: level for level in found.levels}


def affinities(pid: int) -> set[tuple[int, ...]]:
    """Sets of CPUs of all threads of a process and its children."""
    children = [
        child
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]
    return {
        tuple(sorted(os.sched_getaffinity(int(task.name))))
        for each in (pid, *children)
        for task in Path(f"/proc/{each}/task").iterdir()
    }


def test_a_sweep_from_end_to_end(
    triton: EmbeddedTriton, toy_data: Path, tmp_path: Path, cli: Cli
) -> None:
    """All cells in all rounds; the delay shows in latency, in quality, and in what explains it."""
    out = tmp_path / "sweep.json"
    ended = cli(
        *command(triton, toy_data, out, "--models", "toy_logits,toy_softmax", "--rounds", "3"),
        *("--factor", "delay-ms=0,30", "--factor", "batch=1,4", "--factor", "concurrency=2"),
        *("--deadlines-ms", "30,10000"),
    )
    assert ended.code == 0, ended.err
    sweep = artefact.read(out, Sweep)
    assert len(sweep.cells) == 8
    assert {(cell.requests, cell.failed) for cell in sweep.cells} == {(3 * 8, 0)}
    assert [variant.quality for variant in sweep.variants] == [0.8, 0.8]
    delay = levels(sweep, "delay-ms")
    assert delay["30"].p50_s >= 0.03
    assert delay["0"].p50_s < delay["30"].p50_s
    # Within 30 ms nothing that was held for 30 ms can come back; within 10 s everything does.
    assert [at.quality for at in delay["30"].at_deadlines] == [0.0, pytest.approx(0.8)]
    assert delay["0"].at_deadlines[0].quality > 0.4
    in_30, in_10000 = sweep.attribution
    assert in_30.shares[0].label == "delay-ms"
    assert in_30.shares[0].low > 0
    assert in_10000.shares == ()
    assert "delay-ms" in ended.out
    assert "quality never fluctuated (80.0 %" in ended.out
    assert not out.with_name("sweep.json.partial").exists()


def test_a_busy_neighbour_makes_a_model_slower(
    triton: EmbeddedTriton, toy_data: Path, tmp_path: Path, cli: Cli
) -> None:
    """Eight requests of the model itself in flight: each waits behind them."""
    out = tmp_path / "sweep.json"
    ended = cli(
        *command(triton, toy_data, out, "--models", "toy_logits", "--rounds", "3", "--json"),
        *("--factor", "neighbour=none,toy_logits:8"),
    )
    assert ended.code == 0, ended.err
    assert Sweep.model_validate_json(ended.out) == artefact.read(out, Sweep)
    neighbour = levels(artefact.read(out, Sweep), "neighbour")
    assert neighbour["toy_logits:8"].p50_s > 1.5 * neighbour["none"].p50_s


def test_the_budget_ends_it_after_as_many_rounds_as_attribution_needs(
    triton: EmbeddedTriton, toy_data: Path, tmp_path: Path, cli: Cli
) -> None:
    """A budget of nothing: three rounds, and the file says why no more."""
    out = tmp_path / "sweep.json"
    options = ("--models", "toy_logits", "--factor", "batch=1,2", "--budget-s", "0")
    ended = cli(*command(triton, toy_data, out, *options))
    assert ended.code == 0, ended.err
    sweep = artefact.read(out, Sweep)
    assert (sweep.rounds, sweep.stopped_by) == (3, "budget")
    assert "The budget ended it after 3 of 8 rounds." in sweep.notes
    again = cli(*command(triton, toy_data, out, *options))
    assert (again.code, "give --force" in again.err) == (2, True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--models toy_logits --factor batch=1,64", "is asked 8 samples at once at most, not 64"),
        ("--models unbatched_toy --factor batch=1,2", "is asked 1 samples at once at most"),
        ("--models toy_logits --factor concurrency=1,9", "--requests-per-round 8 cannot keep 9"),
        ("--models toy_logits --factor neighbour=none,nobody", "serves no model 'nobody'"),
        ("--models nobody --factor batch=1,2", "serves no model 'nobody'"),
        ("--models toy_logits --factor instances=1,2", "--model-control-mode=explicit"),
        ("--models toy_logits --factor cpus=1,4096", "CPUs; give fewer"),
        ("--models toy_logits --factor batch=1,2 --factor cpus=1,1", "the level 1 is given twice"),
    ],
)
def test_what_cannot_be_varied_here_is_refused_before_anything_is_measured(
    triton: EmbeddedTriton, toy_data: Path, tmp_path: Path, cli: Cli, options: str, said: str
) -> None:
    """Exit code 2 and the remedy; nothing is left behind."""
    out = tmp_path / "sweep.json"
    ended = cli(*command(triton, toy_data, out, *options.split()))
    assert ended.code == 2
    assert said in ended.err
    assert "Traceback" not in ended.err
    assert list(tmp_path.iterdir()) == []


def test_a_stopped_sweep_gives_the_cpus_back_and_resumes(
    triton: EmbeddedTriton, toy_data: Path, tmp_path: Path, cli: Cli
) -> None:
    """After Ctrl-C the same command ends with as many observations as without it."""
    assert triton.pid is not None
    before = affinities(triton.pid)
    out, partial = tmp_path / "sweep.json", tmp_path / "sweep.json.partial"
    options = ("--models", "toy_logits,toy_softmax", "--factor", "cpus=1", "--rounds", "20")
    arguments = command(triton, toy_data, out, *options)
    process = subprocess.Popen(
        [sys.executable, "-c", "from profiler.cli import main; main()", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(partial / "round-000001.json", process)
    assert {len(cpus) for cpus in affinities(triton.pid)} == {1}
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 128 + signal.SIGINT
    assert "run the same command to resume" in said
    assert "Traceback" not in said
    assert affinities(triton.pid) == before
    kept = [json.loads(path.read_text()) for path in sorted(partial.glob("round-*.json"))]
    assert 2 <= len(kept) < 20

    ended = cli(*arguments)
    assert ended.code == 0, ended.err
    assert "going on with" in ended.err
    sweep = artefact.read(out, Sweep)
    assert sweep.rounds == 20
    assert {cell.requests for cell in sweep.cells} == {20 * 8}
    assert {len(at.by_round) for cell in sweep.cells for at in cell.at_deadlines} == {20}
    assert affinities(triton.pid) == before
    assert not partial.exists()


def wait_for(path: Path, process: "subprocess.Popen[str]") -> None:
    tick = threading.Event()
    for _ in range(int(PATIENCE_S / 0.002)):
        if path.exists():
            return
        assert process.poll() is None, process.communicate()
        tick.wait(0.002)
    pytest.fail(f"{path} did not appear")


def test_a_triton_that_dies_is_told_and_nothing_is_lost(
    repository: Path, toy_data: Path, tmp_path: Path, cli: Cli
) -> None:
    """Exit code 3, whatever was still to be set back; once Triton is there again it goes on."""
    server = EmbeddedTriton(repository, log_dir=tmp_path / "log", models=["toy_logits"])
    with server:
        factors = ("--factor", "instances=1,2", "--factor", "cpus=1", "--factor", "delay-ms=1")
        options = ("--models", "toy_logits", *factors, "--rounds", "4")
        arguments = command(server, toy_data, tmp_path / "sweep.json", *options)
        process = subprocess.Popen(
            [sys.executable, "-c", "from profiler.cli import main; main()", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_for(tmp_path / "sweep.json.partial" / "round-000000.json", process)
        server.kill()
        _, said = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 3, said
        assert "run the same command to resume" in said
        assert "Traceback" not in said
        assert (tmp_path / "sweep.json.partial" / "round-000000.json").exists()
        server.start()
        ended = cli(*arguments)
        assert ended.code == 0, ended.err
        assert "going on with" in ended.err
    assert artefact.read(tmp_path / "sweep.json", Sweep).rounds == 4


@pytest.fixture(scope="module")
def explicit(
    repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmbeddedTriton]:
    """A Triton whose models clients may load."""
    log = tmp_path_factory.mktemp("log")
    with EmbeddedTriton(repository, log_dir=log, models=["toy_logits"]) as server:
        yield server


def test_instances_are_limited_and_set_back(
    explicit: EmbeddedTriton, toy_data: Path, tmp_path: Path, cli: Cli
) -> None:
    """Two instances answer more at once than one; afterwards the model is as it was."""
    with closing(Triton(explicit.endpoints.grpc)) as triton:
        before = triton.variant("toy_logits").fingerprint
        ended = cli(
            *command(explicit, toy_data, tmp_path / "sweep.json", "--models", "toy_logits"),
            *("--factor", "instances=1,2", "--factor", "concurrency=2", "--rounds", "3"),
        )
        assert ended.code == 0, ended.err
        assert triton.variant("toy_logits").fingerprint == before
    log = explicit.log_path.read_text()
    assert "toy_logits_0_1" in log  # the second instance
    assert set(levels(artefact.read(tmp_path / "sweep.json", Sweep), "instances")) == {"1", "2"}


def test_instances_are_set_back_when_it_is_stopped(
    explicit: EmbeddedTriton, toy_data: Path, tmp_path: Path
) -> None:
    """SIGTERM in the middle of a round."""
    out = tmp_path / "sweep.json"
    options = ("--models", "toy_logits", "--factor", "instances=1,2", "--rounds", "50")
    with closing(Triton(explicit.endpoints.grpc)) as triton:
        before = triton.variant("toy_logits").fingerprint
        process = subprocess.Popen(
            [
                *(sys.executable, "-c", "from profiler.cli import main; main()"),
                *command(explicit, toy_data, out, *options),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_for(tmp_path / "sweep.json.partial" / "round-000000.json", process)
        process.terminate()
        process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 128 + signal.SIGTERM
        assert triton.variant("toy_logits").fingerprint == before

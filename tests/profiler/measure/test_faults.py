"""What a measurement leaves when something breaks: a clear error, and a readable profile."""

import json
import signal
import urllib.request
from pathlib import Path

import pytest

from deploy.embedded import EmbeddedTriton
from profiler.record.observations import open_profile
from tailq import artefact
from tailq.tier import Reference
from tests import tables
from tests.profiler.conftest import Cli
from tests.profiler.measure.running import OBSERVATIONS, Run

pytestmark = pytest.mark.triton


def fails(run: Run, code: int, reason: str) -> None:
    """The run ends by itself, with one line that says why and what to do."""
    status, said = run.ended()
    assert (status, "Traceback" in said) == (code, False), said
    error = said.rstrip().splitlines()[-1]
    assert error.startswith("tailq-profile: ")
    assert reason in error
    assert "run the same command to resume" in error


def can_be_read(run: Run, cli: Cli, tmp_path: Path) -> None:
    """What was measured is shown, reported and checked, and called partial."""
    shown = cli("show", run.partial)
    assert (shown.code, "careful: partial" in shown.out) == (0, True), shown
    profile = json.loads(cli("show", run.partial, "--json").out)
    assert profile["stopped_by"] == "interrupted"
    for variant in profile["variants"]:
        assert variant["quality"] == pytest.approx(0.8)
        assert variant["confidence"]["output"] == "scores"
        for at in variant["loads"]:
            kept = len(list(run.partial.glob(f"round-{at['load']:04d}-*.parquet")))
            assert (at["rounds"], at["requests"]) == (kept, 4 * kept)
    checked = cli("check", run.partial, "--tiers", tiers(tmp_path))
    assert (checked.code, "the profile is partial" in checked.out) == (0, True), checked
    page = tmp_path / "report.html"
    reported = cli("report", run.partial, "--out", page)
    assert (reported.code, "partial" in page.read_text()) == (0, True), reported


def tiers(tmp_path: Path) -> Path:
    """A promise that everything keeps."""
    made = tables.table(
        tables.tier("gold", 0.5, tables.promise("toy_softmax", 5.0, 0.5)), service="toy"
    )
    reference = Reference(variant="toy_logits", quality=0.8)
    artefact.write(tmp_path / "tiers.json", made.model_copy(update={"reference": reference}))
    return tmp_path / "tiers.json"


def resumes(run: Run, cli: Cli) -> None:
    """The same command ends with as many observations as if nothing had happened."""
    ended = cli(*run.arguments)
    assert ended.code == 0, ended.err
    assert len(open_profile(run.out).observations) == OBSERVATIONS


def fill_disk(run: Run, name: str) -> None:
    """Have the disk full when this file is to be written: its place until then is /dev/full."""
    run.partial.mkdir(exist_ok=True)
    (run.partial / f".{name}.{run.process.pid}").symlink_to("/dev/full")


def test_a_disk_that_is_full_between_rounds(
    triton: EmbeddedTriton, toy_data: Path, tmp_path: Path, cli: Cli
) -> None:
    """Exit code 2 and the file; every finished round is kept."""
    run = Run(triton.endpoints.grpc, toy_data, tmp_path / "profile")
    fill_disk(run, "round-0001-000005.parquet")
    fails(run, 2, "round-0001-000005.parquet: cannot be written (No space left on device)")
    can_be_read(run, cli, tmp_path)
    resumes(run, cli)


def test_a_disk_that_is_full_at_the_end(
    triton: EmbeddedTriton, toy_data: Path, tmp_path: Path, cli: Cli
) -> None:
    """The rounds fit, the profile made of them does not: nothing of it is left, they are kept."""
    run = Run(triton.endpoints.grpc, toy_data, tmp_path / "profile", largest_file=10_000)
    fails(run, 2, "observations.parquet: cannot be written (File too large)")
    assert [path.name for path in tmp_path.iterdir()] == ["profile.partial"]
    can_be_read(run, cli, tmp_path)
    resumes(run, cli)


def test_a_triton_that_dies(repository: Path, toy_data: Path, tmp_path: Path, cli: Cli) -> None:
    """Exit code 3; once Triton is back the same command goes on."""
    server = EmbeddedTriton(repository, log_dir=tmp_path / "log")
    with server:
        run = Run(server.endpoints.grpc, toy_data, tmp_path / "profile")
        run.wait_for("round-0001-000001.parquet")
        server.kill()
        fails(run, 3, "does not answer")
        can_be_read(run, cli, tmp_path)
        server.start()
        resumes(run, cli)


def test_a_model_that_is_unloaded(
    repository: Path, toy_data: Path, tmp_path: Path, cli: Cli
) -> None:
    """Exit code 3 with the model's name; once it is loaded again the same command goes on."""
    options = ["--model-control-mode=explicit", "--load-model=*"]
    with EmbeddedTriton(repository, log_dir=tmp_path / "log", extra_arguments=options) as server:
        run = Run(server.endpoints.grpc, toy_data, tmp_path / "profile")
        run.wait_for("round-0001-000001.parquet")
        post(f"http://{server.endpoints.http}/v2/repository/models/toy_softmax/unload")
        fails(run, 3, "no longer serves toy_softmax")
        can_be_read(run, cli, tmp_path)
        post(f"http://{server.endpoints.http}/v2/repository/models/toy_softmax/load")
        resumes(run, cli)


def post(url: str) -> None:
    urllib.request.urlopen(urllib.request.Request(url, method="POST")).close()


def test_before_anything_is_timed_there_are_only_answers(
    triton: EmbeddedTriton, toy_data: Path, tmp_path: Path, cli: Cli
) -> None:
    """What every variant is worth so far is said, with how many samples were answered."""
    run = Run(triton.endpoints.grpc, toy_data, tmp_path / "profile")
    fill_disk(run, "answers-00000256.parquet")
    fails(run, 2, "No space left on device")
    shown = cli("show", run.partial)
    assert shown.code == 2
    assert "answers to 256 of 300 samples: toy_logits 7" in shown.err
    resumes(run, cli)


def test_a_measurement_can_be_looked_at_while_it_goes_on(
    triton: EmbeddedTriton, toy_data: Path, tmp_path: Path, cli: Cli
) -> None:
    """Reading neither waits for it nor disturbs it."""
    run = Run(triton.endpoints.grpc, toy_data, tmp_path / "profile")
    run.wait_for("round-0001-000001.parquet")
    run.process.send_signal(signal.SIGSTOP)  # so that it is not finished before it is read
    try:
        can_be_read(run, cli, tmp_path)
    finally:
        run.process.send_signal(signal.SIGCONT)
    status, said = run.ended()
    assert status == 0, said
    assert len(open_profile(run.out).observations) == OBSERVATIONS

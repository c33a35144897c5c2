"""A measurement that was interrupted, in any way, goes on and ends like any other."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.embedded import EmbeddedTriton
from profiler.record.observations import open_profile
from tests.profiler.conftest import Cli
from tests.profiler.measure.running import OBSERVATIONS, Run, files

pytestmark = pytest.mark.triton


@pytest.fixture
def run(triton: EmbeddedTriton, toy_data: Path, tmp_path: Path) -> Iterator[Run]:
    """A run that has just begun."""
    started = Run(triton.endpoints.grpc, toy_data, tmp_path / "profile")
    yield started
    if started.process.poll() is None:
        started.process.kill()
        started.process.communicate()


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        ("answers-00000000.parquet", signal.SIGINT),
        ("answers-00000000.parquet", signal.SIGKILL),
        ("round-0001-000002.parquet", signal.SIGINT),
        ("round-0001-000002.parquet", signal.SIGTERM),
        ("round-0001-000002.parquet", signal.SIGKILL),
        ("alone-0001-000000.parquet", signal.SIGKILL),
        ("open-0.5-000000.parquet", signal.SIGINT),
        ("open-0.5-000001.parquet", signal.SIGKILL),
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
    assert len(opened.observations) == OBSERVATIONS
    seen = opened.observations
    assert sorted(set(zip(seen.load.tolist(), seen.alone.tolist(), strict=True))) == [
        (0, False),
        (1, False),
        (1, True),
        (2, False),
        (2, True),
    ]
    assert len(set(seen.rate.tolist())) == 3  # none, and the two of before the interruption
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

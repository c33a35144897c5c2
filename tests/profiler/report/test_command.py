"""`tailq-profile report`: files in, a file out."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from profiler.cli import app
from profiler.record.observations import concatenate
from profiler.report import command
from tailq import artefact
from tailq import profile as profiles
from tailq.errors import ArtefactError
from tests.profiler import columns
from tests.profiler.report import synthetic

_DEADLINE_S = 0.02


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """Two variants, four samples, two rounds at one load."""
    right = [True, True, False, True]
    rounds = [0, 0, 1, 1]
    latency = [0.002, 0.003, 0.004, 0.03]
    fast = columns.observations(latency, right, rounds)
    good = columns.observations([5 * t for t in latency], [True] * 4, rounds, variant=1)
    timed = concatenate([fast, good])
    known = columns.answers([right, [True] * 4])
    return columns.stored(tmp_path / "profile", known, timed, deadline_s=_DEADLINE_S)


def test_it_writes_one_file(profile: Path, tmp_path: Path) -> None:
    """From a profile alone, by the command line, comes a page with its figures."""
    out = tmp_path / "report.html"
    result = CliRunner().invoke(app, ["report", str(profile), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert str(out) in result.output
    assert "75.00\u00a0%" in out.read_text("utf-8")


def test_a_table_of_another_profile_is_refused(profile: Path, tmp_path: Path) -> None:
    """Promises that rest on other measurements do not belong in the report."""
    tiers = tmp_path / "tiers.json"
    artefact.write(tiers, synthetic.table())
    with pytest.raises(ArtefactError, match=r"compiled from profile 0123456789abcdef, not"):
        command.write(profile, tmp_path / "report.html", tiers, None)
    assert not (tmp_path / "report.html").exists()


def test_a_sweep_is_read(profile: Path, tmp_path: Path) -> None:
    """What makes quality fluctuate comes from the file that is given."""
    sweep, out = tmp_path / "sweep.json", tmp_path / "report.html"
    artefact.write(sweep, synthetic.sweep())
    size = command.write(profile, out, None, sweep)
    assert size == out.stat().st_size
    assert "concurrency × delay-ms" in out.read_text("utf-8")


@pytest.mark.parametrize("name", ["tiers", "sweep"])
def test_a_file_that_is_not_what_it_should_be_is_named(
    profile: Path, tmp_path: Path, name: str
) -> None:
    """The profile's own JSON in place of a table or sweep is an error that names the file."""
    wrong = profile / profiles.FILE
    files = {"tiers": None, "sweep": None, name: wrong}
    with pytest.raises(ArtefactError, match=r"profile\.json"):
        command.write(profile, tmp_path / "report.html", files["tiers"], files["sweep"])

"""`tailq-load simulate`: what it prints, and what it refuses."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from loadtest import cli
from loadtest.simulation import samples
from tailq import artefact
from tailq.errors import ArtefactError
from tests.loadtest.simulation.worlds import TABLE


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The command's exit code."""
    monkeypatch.setattr("sys.argv", ["tailq-load", "simulate", *arguments])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert isinstance(stopped.value.code, int)
    return stopped.value.code


@pytest.fixture
def tiers(tmp_path: Path) -> str:
    """The file of the tier table."""
    artefact.write(tmp_path / "tiers.json", TABLE)
    return str(tmp_path / "tiers.json")


def test_it_puts_the_promise_beside_the_delivery(
    tiers: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A row a tier, the seed, and exit code 0 where all was kept."""
    code = run(monkeypatch, "--tiers", tiers, "--rate", "20", "--minutes", "0.5", "--seed", "9")
    told = capsys.readouterr()
    assert code == 0, told
    for word in ("gold", "silver", "bronze", "seed", "count as right"):
        assert word in told.out
    assert "--seed 9" in told.err


def test_a_broken_promise_is_exit_code_one(tiers: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten times too slow all the time."""
    assert (
        run(monkeypatch, "--tiers", tiers, "--minutes", "0.2", "--fault", "slow@0-20:factor=50")
        == 1
    )


def test_a_table_without_latencies_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says of which variant, and what to do."""
    bare = TABLE.model_copy(update={"served": {}})
    artefact.write(tmp_path / "tiers.json", bare)
    assert run(monkeypatch, "--tiers", str(tmp_path / "tiers.json")) == 2
    told = capsys.readouterr().err
    assert "knows no latency under load of large; measure a profile again" in told
    assert "Traceback" not in told


@pytest.mark.parametrize("wrong", [("--rate", "gold=-1"), ("--fault", "slow@1")])
def test_a_mistake_is_one_line(
    tiers: str,
    wrong: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit code 2, and the option as it was given."""
    assert run(monkeypatch, "--tiers", tiers, *wrong) == 2
    assert capsys.readouterr().err.startswith(f"tailq-load: {wrong[0]} {wrong[1]}")


def test_answers_of_a_profile_are_read_by_variant_and_sample(tmp_path: Path) -> None:
    """Samples that not every variant answered are left out; no confidence is none."""
    parquet.write_table(
        pa.table(
            {
                "variant": pa.array(["a", "b", "a", "b", "a"]).dictionary_encode(),
                "sample": pa.array([3, 3, 7, 7, 9], pa.int32()),
                "confidence": pa.array([0.5, float("nan"), 0.25, 0.75, 0.1], pa.float32()),
                "score": pa.array([1.0, 0.0, 0.0, 1.0, 1.0], pa.float32()),
            }
        ),
        tmp_path / "answers.parquet",
    )
    answers = samples.read(tmp_path)
    assert answers.count == 2
    assert [answers.of("a", sample) for sample in (0, 1)] == [(0.5, 1.0), (0.25, 0.0)]
    assert [answers.of("b", sample) for sample in (0, 1)] == [(None, 0.0), (0.75, 1.0)]


def test_what_is_no_profile_is_refused(tmp_path: Path) -> None:
    """The file is named."""
    with pytest.raises(ArtefactError, match=r"answers\.parquet"):
        samples.read(tmp_path)
    (tmp_path / "answers.parquet").write_bytes(b"no parquet")
    with pytest.raises(ArtefactError, match=r"answers\.parquet"):
        samples.read(tmp_path)


def test_a_profile_without_answers_is_refused(tmp_path: Path) -> None:
    """There is nothing to ask."""
    columns = {"variant": pa.string(), "sample": pa.int32(), "confidence": pa.float32()}
    none = pa.schema([*columns.items(), ("score", pa.float32())]).empty_table()
    parquet.write_table(none, tmp_path / "answers.parquet")
    with pytest.raises(ArtefactError, match="no sample was answered by every variant"):
        samples.read(tmp_path)

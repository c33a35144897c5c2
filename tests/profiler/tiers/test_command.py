"""`tailq-profile tiers` on a stored profile: what it writes, prints and refuses."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from profiler.record.observations import Observations, concatenate
from profiler.record.store import store
from profiler.record.summary import summarise
from tailq import artefact
from tailq.profile import DataSet, Profile, Server
from tailq.tier import TierTable
from tests.profiler.columns import VARIANTS, answers, observations
from tests.profiler.conftest import Cli

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SAMPLES, ROUNDS = 2000, 30
SPEC = "default: gold\ntiers: {gold: {tolerance: 0.03, deadlines_ms: [%d]}}\n"


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """A stored profile: `good` takes 40 ms and is right 95 % of the time, `fast` 5 ms and 80 %."""
    correct = [[sample % 20 < right for sample in range(SAMPLES)] for right in (16, 19)]
    timed = concatenate([_timed(0, 0.005, correct[0]), _timed(1, 0.040, correct[1])])
    measured = answers(correct)
    versions = {name: ("1", name) for name in VARIANTS}

    def describe(id_: str, files: dict[str, str]) -> Profile:
        return Profile(
            id=id_,
            service="shoes",
            started=NOW,
            finished=NOW,
            dataset=DataSet(name="shoes", samples=SAMPLES, sha256=""),
            server=Server(name="triton", version="0"),
            loads=(1,),
            stopped_by="budget",
            rjsd=None,
            files=files,
            variants=summarise(measured, timed, [0.1], versions),
        )

    store(tmp_path / "profile", measured, timed, describe, force=False)
    return tmp_path / "profile"


def _timed(variant: int, mean_s: float, correct: list[bool]) -> Observations:
    sample = list(range(SAMPLES))
    latency = np.random.default_rng(variant).normal(mean_s, mean_s / 50, SAMPLES)
    rounds = [i % ROUNDS for i in sample]
    return observations(latency.tolist(), correct, rounds, variant=variant, sample=sample)


def wish(folder: Path, deadline_ms: int) -> Path:
    """A spec that wants gold within so many milliseconds."""
    path = folder / "tiers.yaml"
    path.write_text(SPEC % deadline_ms)
    return path


def test_a_tier_that_can_be_promised_is_written(cli: Cli, tmp_path: Path, profile: Path) -> None:
    """The table names the plan, its promise and the profile it rests on."""
    out = tmp_path / "tiers.json"
    ended = cli("tiers", profile, "--spec", wish(tmp_path, 100), "--out", out)
    assert ended.code == 0, ended.err
    table = artefact.read(out, TierTable)
    promise = table.tiers[0].promises[0]
    assert promise.plan.variant == "good"
    assert 0.9 < promise.quality < promise.expected_quality == pytest.approx(0.95)
    assert len(table.conditions.profile) == 16
    assert (table.default, table.conditions.max_outstanding) == ("gold", 1)
    assert "good" in ended.out


def test_no_table_is_written_where_nothing_can_be_promised(
    cli: Cli, tmp_path: Path, profile: Path
) -> None:
    """Exit code 1 and the reason."""
    out = tmp_path / "tiers.json"
    ended = cli("tiers", profile, "--spec", wish(tmp_path, 10), "--out", out)
    assert ended.code == 1
    assert "not offered" in ended.out
    assert not out.exists()


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("profile.json", "profile.json"),
        ("observations.parquet", "observations.parquet"),
        ("answers.parquet", "answers.parquet"),
    ],
)
def test_a_damaged_profile_is_refused(
    cli: Cli, tmp_path: Path, profile: Path, file: str, message: str
) -> None:
    """A truncated file is named in one line, without a traceback, and no table is written."""
    whole = (profile / file).read_bytes()
    (profile / file).write_bytes(whole[: len(whole) // 2])
    out = tmp_path / "tiers.json"
    ended = cli("tiers", profile, "--spec", wish(tmp_path, 100), "--out", out)
    assert ended.code == 2
    assert message in ended.err
    assert "Traceback" not in ended.err
    assert not out.exists()

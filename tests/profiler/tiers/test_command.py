"""`tailq-profile tiers` on a stored profile: what it writes, prints and refuses."""

from pathlib import Path

import numpy as np
import pytest

from profiler.record.observations import Observations, concatenate
from tailq import artefact
from tailq.tier import TierTable
from tests.profiler.columns import answers, observations, stored
from tests.profiler.conftest import Cli

SAMPLES, ROUNDS = 2000, 30
SPEC = "default: gold\ntiers: {gold: {tolerance: 0.03, deadlines_ms: [%d]}}\n"


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """A stored profile: `good` takes 40 ms and is right 95 % of the time, `fast` 5 ms and 80 %."""
    correct = [[sample % 20 < right for sample in range(SAMPLES)] for right in (16, 19)]
    timed = concatenate([_timed(0, 0.005, correct[0]), _timed(1, 0.040, correct[1])])
    return stored(tmp_path / "profile", answers(correct), timed, deadline_s=0.1)


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
    assert promise.plan.variants[0] == "good"
    assert 0.9 < promise.quality < promise.expected_quality == pytest.approx(0.95)
    assert len(table.conditions.profile) == 16
    assert (table.default, table.conditions.max_outstanding) == ("gold", 1)
    assert "good" in ended.out
    assert "top-1 95.00%" in ended.out


def test_plans_of_two_variants_are_shown_in_words_with_their_gain(
    cli: Cli, tmp_path: Path, profile: Path
) -> None:
    """A rescue that would only cost more is not chosen; `--json` prints the table alone."""
    path = wish(tmp_path, 100)
    path.write_text(path.read_text() + "plans: [single, rescue]\n")
    ended = cli("tiers", profile, "--spec", path, "--out", tmp_path / "t.json", "--json")
    assert ended.code == 0, ended.err
    table = TierTable.model_validate_json(ended.out)
    assert str(table.tiers[0].promises[0].plan) == "good"
    assert "gain" in ended.err


def test_plans_that_the_profile_gives_no_ground_for_are_named(
    cli: Cli, tmp_path: Path, profile: Path
) -> None:
    """An old profile does not say where confidences are, and was measured at load 1 only."""
    path, out = wish(tmp_path, 100), tmp_path / "tiers.json"
    ended = cli("tiers", profile, "--spec", path, "--out", out)
    assert "careful: no cascade or race begins with fast, good: the profile does not" in ended.out
    assert "careful: no races: they have 2 requests in flight" in ended.out
    path.write_text(path.read_text() + "plans: [single, rescue]\n")
    assert "careful" not in cli("tiers", profile, "--spec", path, "--out", out).out


def test_other_plans_for_a_promise_are_counted(cli: Cli, tmp_path: Path, profile: Path) -> None:
    """`good` within 100 ms is kept by its rescues, too, and by `fast` where it need not be good."""
    path = wish(tmp_path, 100)
    path.write_text("tiers: {easy: {tolerance: 0.3, objective: cost, deadlines_ms: [100]}}\n")
    out = tmp_path / "tiers.json"
    ended = cli("tiers", profile, "--spec", path, "--out", out)
    [promise] = artefact.read(out, TierTable).tiers[0].promises
    assert str(promise.plan) == "fast"
    assert len(promise.options) > 1
    assert f"fast +{len(promise.options) - 1}" in ended.out


def test_a_price_for_nobody_is_one_clear_message(cli: Cli, tmp_path: Path, profile: Path) -> None:
    """Exit code 2 and the names there are."""
    path = wish(tmp_path, 100)
    path.write_text(path.read_text() + "prices: {huge: 2}\n")
    ended = cli("tiers", profile, "--spec", path, "--out", tmp_path / "tiers.json")
    assert ended.code == 2
    assert "huge was not profiled; there are fast, good" in ended.err
    assert "Traceback" not in ended.err


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

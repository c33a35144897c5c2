"""`tailq-profile check` and `compare` as scripts use them: exit codes, JSON, one-line errors."""

import json
from pathlib import Path

import numpy as np
import pytest

from profiler.record.observations import concatenate
from tailq import artefact
from tailq.tier import Reference
from tests import tables
from tests.profiler import columns
from tests.profiler.conftest import Cli

ROUNDS, SIZE = 30, 20


def profile(out: Path, *, good_s: float = 0.01, accuracy: float = 0.95) -> Path:
    """A profile of `fast` and `good` over 2000 samples; `good` takes `good_s` seconds."""
    rng = np.random.default_rng(1)
    samples = rng.integers(2000, size=ROUNDS * SIZE)
    right = rng.random((2, 2000)) < [[0.85], [accuracy]]
    rounds = np.repeat(np.arange(ROUNDS), SIZE)
    timed = [
        columns.observations(
            (mean_s * rng.uniform(0.9, 1.1, samples.size)).tolist(),
            right[variant, samples].tolist(),
            rounds.tolist(),
            variant=variant,
            sample=samples.tolist(),
        )
        for variant, mean_s in enumerate((0.002, good_s))
    ]
    return columns.stored(out, columns.answers(right.tolist()), concatenate(timed), deadline_s=0.05)


@pytest.fixture
def tiers(tmp_path: Path) -> Path:
    """One tier: `good` within 50 ms, right 93 % of the time or more."""
    made = tables.table(
        tables.tier("gold", 0.02, tables.promise("good", 0.05, 0.93)),
        service="toy",
        max_outstanding=1,
    )
    reference = Reference(variant="good", quality=0.95)
    artefact.write(tmp_path / "tiers.json", made.model_copy(update={"reference": reference}))
    return tmp_path / "tiers.json"


def test_kept_promises_pass_the_gate(tmp_path: Path, tiers: Path, cli: Cli) -> None:
    """Exit code 0 and the verdict, strictly too; as JSON nothing else is printed."""
    out = profile(tmp_path / "profile")
    ended = cli("check", out, "--tiers", tiers, "--strict")
    assert (ended.code, "kept" in ended.out) == (0, True), ended
    assert "gold" in ended.out
    said = json.loads(cli("check", out, "--tiers", tiers, "--json").out)
    assert [claim["verdict"] for claim in said["claims"]] == ["kept", "kept"]


def test_a_broken_promise_fails_the_gate(tmp_path: Path, tiers: Path, cli: Cli) -> None:
    """Exit code 1 and by how much."""
    ended = cli("check", profile(tmp_path / "profile", good_s=0.048), "--tiers", tiers)
    assert (ended.code, "broken by" in ended.out) == (1, True), ended


def test_what_is_only_plausible_fails_the_strict_gate(
    tmp_path: Path, tiers: Path, cli: Cli
) -> None:
    """Not proven again, not refuted: 0, and 1 with --strict."""
    out = profile(tmp_path / "profile", accuracy=0.93)
    assert cli("check", out, "--tiers", tiers).code == 0
    ended = cli("check", out, "--tiers", tiers, "--strict")
    assert (ended.code, "plausible" in ended.out) == (1, True), ended


def test_a_regression_fails_the_comparison(tmp_path: Path, cli: Cli) -> None:
    """Exit code 1, what got worse and by how much; 0 the other way round, and against itself."""
    old = profile(tmp_path / "old")
    new = profile(tmp_path / "new", good_s=0.012)
    ended = cli("compare", old, new)
    assert (ended.code, "worse" in ended.out) == (1, True), ended
    assert "p50, ms" in ended.out
    assert "fast" not in ended.out
    assert cli("compare", new, old).code == 0
    assert cli("compare", old, old).code == 0
    said = json.loads(cli("compare", old, new, "--deadlines-ms", "11,50", "--json").out)
    deadlines = {change["deadline_s"] for change in said["changes"]}
    assert deadlines == {None, 0.011, 0.05}


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("check", "nowhere", "--tiers", "tiers.json"), "nowhere: there is no such profile"),
        (("check", "profile", "--tiers", "nowhere.json"), "nowhere.json: cannot be read"),
        (("compare", "profile", "nowhere"), "nowhere: there is no such profile"),
        (("compare", "profile", "profile", "--deadlines-ms", "0"), "positive times"),
    ],
)
def test_what_is_not_there_is_one_clear_message(
    tmp_path: Path,
    tiers: Path,
    cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
    message: str,
) -> None:
    """Exit code 2 and the place."""
    profile(tmp_path / "profile")
    monkeypatch.chdir(tmp_path)
    ended = cli(*command)
    assert (ended.code, message in ended.err) == (2, True), ended
    assert "Traceback" not in ended.err

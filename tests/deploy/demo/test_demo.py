"""The whole path on real parts: profile, tiers, gateway, load, promise beside delivery."""

import json
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pytest
from rich.console import Console

from deploy.demo.cli import invite
from deploy.demo.steps import REPOSITORY, ROOT, Demo, Listening, StepFailed
from deploy.embedded import EmbeddedTriton
from tailq import artefact
from tailq.tier import TierTable

pytestmark = pytest.mark.triton

# The three smallest variants and undemanding tiers, so that the path takes a minute.
MODELS = ("fashion_nano", "fashion_tiny", "fashion_small")
SPEC = """
confidence: 0.95
default: silver
tiers:
  gold: {tolerance: 0.03, deadlines_ms: [500]}
  silver: {tolerance: 0.12, deadlines_ms: [200, 500]}
  dream: {tolerance: 0.01, deadlines_ms: [2.001]}
"""


@dataclass(frozen=True)
class Played:
    """A demo that is serving: its steps, where, and whether all was kept."""

    steps: Demo
    gateway: Listening
    kept: bool


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """The demo from nothing to its report, still serving."""
    folder = tmp_path_factory.mktemp("demo")
    spec = folder / "tiers.yaml"
    spec.write_text(SPEC)
    steps = Demo(folder, Console(), models=MODELS, budget_s=60, spec=spec)
    steps.prepare_data()
    with EmbeddedTriton(REPOSITORY, log_dir=folder / "triton", models=list(MODELS)) as triton:
        steps.measure(triton.endpoints.grpc)
        steps.compile()
        steps.describe()
        with steps.gateway(triton.endpoints.http, 0) as gateway:
            yield Played(steps, gateway, steps.load(gateway, 15))


def test_every_offered_tier_is_kept_on_unseen_images(played: Played) -> None:
    """What was promised from one half of the images is delivered on the other half."""
    report = json.loads(played.steps.report.read_text())
    assert played.kept, report
    assert set(report["tiers"]) == {"gold", "silver"}
    for tier in report["tiers"].values():
        assert tier["kept"]
        assert tier["interval"][0] <= tier["delivered"] <= tier["on_time"] <= 1
        assert tier["interval"][1] >= tier["promise"] > 0.7
        assert sum(tier["variants"].values()) == tier["requests"]
        assert 0 < tier["p50_s"] <= tier["p99_s"]


def test_the_gateway_knows_what_it_delivers(played: Played) -> None:
    """Without labels near what is true, though of so few requests; and by labels, by probes."""
    report = json.loads(played.steps.report.read_text())
    tiers = report["tiers"].values()
    sent = sum(tier["requests"] for tier in tiers)
    right = sum(tier["requests"] * tier["right"] for tier in tiers) / sent
    expected = sum(tier["requests"] * tier["live"]["expected"] for tier in tiers) / sent
    # Four standard errors of the share that is right.
    assert abs(expected - right) <= 4 * (0.25 * 0.5 / sent) ** 0.5
    assert all(0.5 < tier["live"]["probe"] <= 1 for tier in tiers)
    assert set(report["feedback"]) >= {"taken"}
    assert report["feedback"]["taken"] == sum(report["feedback"].values()) > 0


def test_the_profile_and_its_tiers_are_a_page(played: Played) -> None:
    """A browser shows what the tiers rest on."""
    page = played.steps.page.read_text()
    assert page.startswith("<!doctype html>")
    assert "gold" in page


def test_a_tier_nobody_can_keep_is_not_offered(played: Played) -> None:
    """The table says which tier is missing, and why."""
    table = artefact.read(played.steps.tiers, TierTable)
    assert [missing.name for missing in table.not_offered] == ["dream"]
    assert "nearest is fashion_" in table.not_offered[0].why


def test_what_it_says_can_be_tried_works(
    played: Played, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each command that is printed, in that order, in the project's folder."""
    invite(played.steps, played.gateway)
    link, *commands = capsys.readouterr().out.splitlines()[-6:]
    with urlopen(link.split()[0]) as page:
        assert b"<!doctype html>" in page.read()
    said = []
    for command in commands:
        words = shlex.split(command)
        words[1:1] = ["-sS", "--fail-with-body"] if words[0] == "curl" else []
        ended = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, check=False)
        assert ended.returncode == 0, (command, ended.stdout, ended.stderr)
        said.append(ended.stdout)
    tiers, answer, feedback, metrics, asked = said
    assert "gold" in tiers
    assert "tailq-request-id: try-1" in answer
    assert json.loads(feedback)["counts"]["taken"] == 1
    assert 'tailq_feedback_total{result="taken"' in metrics
    assert "silver" in asked


def test_promising_more_than_the_variant_has_is_reported_broken(played: Played) -> None:
    """With the promise of one tier edited upwards, the same load finds it broken."""
    text = played.steps.tiers.read_text()
    table = json.loads(text)
    tier = next(tier for tier in table["tiers"] if tier["name"] == "silver")
    tier["promises"][-1]["quality"] = 0.999
    played.steps.tiers.write_text(json.dumps(table))
    try:
        assert not played.steps.load(played.gateway, 10)
    finally:
        played.steps.tiers.write_text(text)
    report = json.loads(played.steps.report.read_text())
    assert not report["tiers"]["silver"]["kept"]
    assert report["tiers"]["gold"]["kept"]


def test_another_tables_promises_are_not_held_against_the_gateway(
    played: Played, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A table of another profile than the gateway serves is refused, not judged."""
    table = json.loads(played.steps.tiers.read_text())
    table["conditions"]["profile"] = "feedfeedfeedfeed"
    (tmp_path / "tiers.json").write_text(json.dumps(table))
    shutil.copy(played.steps.unseen, tmp_path)
    with pytest.raises(StepFailed) as failed:
        Demo(tmp_path, Console()).load(played.gateway, 10)
    assert failed.value.code == 2
    assert "of profile feedfeedfeedfeed" in capfd.readouterr().err
    assert not (tmp_path / "report.json").exists()

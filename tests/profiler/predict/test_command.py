"""`tailq-profile predict`."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from profiler.cli import app
from profiler.predict.command import predict_profile
from profiler.record.observations import concatenate
from tailq.errors import BadRequest
from tests.profiler.columns import answers, observations, stored


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """Both variants timed on ten samples in ten rounds; every fifth answer of `good` is late."""
    latency = {0: np.full(100, 0.01), 1: np.where(np.arange(100) % 5, 0.01, 0.04)}
    timed = concatenate(
        [
            observations(
                latency[v].tolist(),
                [True] * 100,
                (np.arange(100) // 10).tolist(),
                variant=v,
                sample=(np.arange(100) % 10).tolist(),
            )
            for v in (0, 1)
        ]
    )
    right = answers([[True] * 8 + [False] * 2, [True] * 10])
    return stored(tmp_path / "profile", right, timed, deadline_s=0.02)


def test_table_has_a_row_a_variant_and_load(profile: Path) -> None:
    """At the profile's own deadlines, if none are given."""
    result = CliRunner().invoke(app, ["predict", str(profile)])
    assert result.exit_code == 0, result.output
    assert "within 20 ms" in result.output
    assert "rounds of 10 requests" in result.output
    assert "80.00" in result.output  # of `good`, four answers of five in time


def test_json_holds_every_figure(profile: Path) -> None:
    """Deadlines, requests and method as asked."""
    options = ["--json", "--deadlines-ms", "20,50", "--requests", "1000", "--method", "independent"]
    result = CliRunner().invoke(app, ["predict", str(profile), *options])
    assert result.exit_code == 0, result.output
    said = json.loads(result.output)
    assert (said["method"], said["requests"]) == ("independent", 1000)
    fast, good = said["variants"]
    assert (fast["variant"], fast["inferences"], fast["quality"]) == ("fast", 100, 0.8)
    assert good["deadlines_s"] == [0.02, 0.05]
    assert [p["mean"] for p in good["predictions"]] == pytest.approx([0.8, 1.0])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"method": "guess"}, "correlated, independent, published"),
        ({"load": 3}, "measured at load 1"),
    ],
)
def test_what_cannot_be_predicted_is_said(profile: Path, asked: dict[str, str], said: str) -> None:
    """The error names what there is."""
    options = {"requests": None, "method": "correlated", "load": None, "seed": 0} | asked
    with pytest.raises(BadRequest, match=said):
        predict_profile(profile, (), **options)  # type: ignore[arg-type]

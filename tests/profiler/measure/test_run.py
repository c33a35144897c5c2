"""`tailq-profile run` on a real Triton, from the command line to the profile."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deploy.embedded import EmbeddedTriton
from profiler.record.observations import open_profile
from tailq.tier import ConfidenceIn
from tests.profiler.conftest import Cli

pytestmark = pytest.mark.triton

QUICK = (
    *("--service", "toy", "--loads", "1,3", "--deadlines-ms", "50,5000"),
    *("--samples-per-round", "5", "--max-rounds", "7"),
)


def test_a_profile_says_what_was_answered_and_when(
    triton: EmbeddedTriton, toy_data: Path, tmp_path: Path, cli: Cli
) -> None:
    """Every variant answers every sample; rounds at every load are timed; the summary is theirs."""
    out = tmp_path / "deep" / "profile"
    ended = cli(
        *("run", "--triton", triton.endpoints.grpc, "--dataset", toy_data, "--out", out, *QUICK)
    )
    assert ended.code == 0, ended.err
    assert "toy_softmax" in ended.out
    assert "careful: with 7 rounds" in ended.out
    opened = open_profile(out)
    profile, answers, timed = opened.profile, opened.answers, opened.observations
    assert [variant.name for variant in profile.variants] == ["toy_logits", "toy_softmax"]
    assert (profile.stopped_by, profile.loads) == ("budget", (1, 3))
    assert len(answers) == 2 * 300
    assert [variant.quality for variant in profile.variants] == [0.8, 0.8]
    # Whose output is what: probabilities were told from logits.
    assert [variant.confidence for variant in profile.variants] == [
        ConfidenceIn(output="scores", kind="softmax"),
        ConfidenceIn(output="scores", kind="maximum"),
    ]
    assert len(timed.where((timed.rate == 0) & ~timed.alone)) == 2 * 7 * 2 * 5
    assert timed.ok.all()
    assert (np.diff(timed.sent_s) >= 0).all()
    assert profile.variants[0].loads[1].at_deadlines[1].quality == pytest.approx(0.8)
    # Timed answers are those of the batches, and logits and probabilities tell one confidence.
    key = answers.variant.astype(np.int64) * 300 + answers.sample
    row = np.argsort(key)[timed.variant.astype(np.int64) * 300 + timed.sample]
    assert np.array_equal(timed.answer, answers.answer[row])
    assert np.array_equal(timed.score, answers.score[row])
    assert answers.confidence[:300] == pytest.approx(answers.confidence[300:], abs=1e-5)
    assert {path.name for path in out.parent.iterdir()} == {"profile"}


def test_variants_are_also_timed_alone_and_in_an_open_loop(
    triton: EmbeddedTriton, toy_data: Path, tmp_path: Path, cli: Cli
) -> None:
    """A round each here: in turn with none beside; as Poisson arrivals at shares of throughput."""
    out = tmp_path / "profile"
    ended = cli(
        *("run", "--triton", triton.endpoints.grpc, "--dataset", toy_data, "--out", out, *QUICK)
    )
    assert ended.code == 0, ended.err
    opened = open_profile(out)
    timed, profile = opened.observations, opened.profile
    for load in (1, 3):
        alone = timed.where(timed.alone & (timed.load == load))
        assert np.bincount(alone.variant).tolist() == [5, 5]
        assert np.flatnonzero(np.diff(alone.variant)).size == 1
    half, most = np.unique(timed.rate[timed.rate > 0])
    assert half / most == pytest.approx(5 / 8, rel=0.01)
    for rate in (half, most):
        arrived = timed.where(timed.rate == rate)
        assert np.bincount(arrived.variant).tolist() == [5, 5]
        assert set(arrived.load.tolist()) == {0}
    for index, variant in enumerate(profile.variants):
        own = timed.where(timed.alone & (timed.load == 1) & (timed.variant == index))
        assert variant.service_s == pytest.approx(np.median(own.latency_s))
        assert variant.calibration is not None
        assert variant.calibration.calibrated_error < variant.calibration.error
        assert variant.under_load is not None
        assert variant.under_load.outstanding_s[0] == 0


def test_an_open_loop_may_be_left_out(
    triton: EmbeddedTriton, toy_data: Path, tmp_path: Path, cli: Cli
) -> None:
    """--open-loop '' measures closed loops only."""
    out = tmp_path / "profile"
    options = (*QUICK, "--open-loop", "")
    ended = cli(
        *("run", "--triton", triton.endpoints.grpc, "--dataset", toy_data, "--out", out, *options)
    )
    assert ended.code == 0, ended.err
    timed = open_profile(out).observations
    assert not timed.rate.any()
    assert timed.alone.any()


def test_summary_as_json_is_all_of_stdout(
    triton: EmbeddedTriton, toy_data: Path, tmp_path: Path, cli: Cli
) -> None:
    """--json prints profile.json and nothing else; `show` prints it again."""
    out = tmp_path / "profile"
    ended = cli(
        *("run", "--triton", triton.endpoints.grpc, "--dataset", toy_data, "--out", out, *QUICK),
        *("--models", "toy_logits", "--json"),
    )
    assert json.loads(ended.out) == json.loads((out / "profile.json").read_text())
    assert json.loads(cli("show", out, "--json").out) == json.loads(ended.out)
    assert "toy_logits" in cli("show", out).out


def test_an_image_folder_is_measured(triton: EmbeddedTriton, tmp_path: Path, cli: Cli) -> None:
    """A user's own pictures, by class folders."""
    for label in range(3):
        folder = tmp_path / "data" / f"band{label}"
        folder.mkdir(parents=True)
        pixels = (np.arange(16) * 3 // 16 == label).reshape(4, 4) * 255
        for number in range(2):
            Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{number}.png")
    ended = cli(
        *("run", "--triton", triton.endpoints.grpc, "--dataset", tmp_path / "data"),
        *("--out", tmp_path / "profile", *QUICK),
    )
    assert ended.code == 0, ended.err
    profile = open_profile(tmp_path / "profile").profile
    assert [variant.quality for variant in profile.variants] == [1.0, 1.0]


def test_a_model_without_batches_is_measured(
    triton: EmbeddedTriton, toy_data: Path, tmp_path: Path, cli: Cli
) -> None:
    """Where Triton does not batch, samples are sent one by one in the model's own shape."""
    ended = cli(
        *("run", "--triton", triton.endpoints.grpc, "--dataset", toy_data),
        *("--out", tmp_path / "profile", *QUICK, "--models", "toy_logits,unbatched_toy"),
    )
    assert ended.code == 0, ended.err
    profile = open_profile(tmp_path / "profile").profile
    assert [variant.quality for variant in profile.variants] == [0.8, 0.8]


def test_a_profile_is_not_overwritten_unasked(
    triton: EmbeddedTriton, toy_data: Path, tmp_path: Path, cli: Cli
) -> None:
    """A second run needs --force; with it the profile is replaced."""
    out = tmp_path / "profile"
    command = (
        "run",
        "--triton",
        triton.endpoints.grpc,
        "--dataset",
        toy_data,
        "--out",
        out,
        *QUICK,
    )
    assert cli(*command).code == 0
    first = (out / "profile.json").read_text()
    refused = cli(*command)
    assert refused.code == 2
    assert "--force" in refused.err
    assert (out / "profile.json").read_text() == first
    assert cli(*command, "--force").code == 0
    assert (out / "profile.json").read_text() != first


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (("--models", "toy_huge"), "serves no model 'toy_huge'; ready are: toy_logits"),
        (("--service", "cat"), "serves no model called cat_…"),
        (("--dataset", "nowhere.npz"), "nowhere.npz: there is no such file"),
        (("--labels", "nowhere.txt"), "nowhere.txt: cannot be read"),
        (("--loads", "1,x"), "'1,x' is not a list of numbers"),
        (("--loads", "0"), "'0' is not a list of positive integers"),
        (("--open-loop", "1.5"), "'1.5' is not a list of shares between 0 and 1"),
        (("--deadlines-ms", "0"), "'0' is not a list of positive times"),
        (("--deadlines-ms", "nan"), "contains NaN"),
        (("--image-size", "12"), "--image-size '12' is not like 224x224"),
        (("--layout", "nchw"), "--layout must be chw or hwc"),
        (("--std", "0"), "--std must not be 0"),
        (("--service", "Toy!"), "--service 'Toy!' must be lower-case letters"),
    ],
)
def test_bad_input_is_one_clear_message(
    triton: EmbeddedTriton,
    toy_data: Path,
    tmp_path: Path,
    cli: Cli,
    extra: tuple[str, str],
    message: str,
) -> None:
    """Exit code 2, what is wrong, no traceback, and nothing left behind."""
    ended = cli(
        *("run", "--triton", triton.endpoints.grpc, "--dataset", toy_data),
        *("--out", tmp_path / "profile", *QUICK, *extra),
    )
    assert ended.code == 2
    # Usage errors are drawn in a box, which may break lines.
    assert message in " ".join(ended.err.replace("│", " ").split())
    assert "Traceback" not in ended.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("inputs", "labels", "message"),
    [
        (np.zeros((9, 3, 4, 4)), np.zeros(9, int), "shape [3, 4, 4], the model takes [1, 4, 4]"),
        (
            np.zeros((9, 1, 4, 4)),
            np.full(9, 3),
            "label 3 is out of range: model toy_logits tells 3 classes apart (0 to 2)",
        ),
    ],
)
def test_data_that_do_not_fit_the_model_are_refused(
    triton: EmbeddedTriton,
    tmp_path: Path,
    cli: Cli,
    inputs: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    labels: np.ndarray[tuple[int], np.dtype[np.int64]],
    message: str,
) -> None:
    """Before anything is measured, and naming both sides."""
    np.savez(tmp_path / "data.npz", inputs=inputs, labels=labels)
    ended = cli(
        *("run", "--triton", triton.endpoints.grpc, "--dataset", tmp_path / "data.npz"),
        *("--out", tmp_path / "profile", *QUICK),
    )
    assert (ended.code, message in ended.err) == (2, True), ended.err
    assert not (tmp_path / "profile.partial").exists()


def test_an_absent_triton_is_one_clear_message(
    nobody: str, toy_data: Path, tmp_path: Path, cli: Cli
) -> None:
    """Exit code 3 and the address."""
    ended = cli(
        *("run", "--triton", nobody, "--dataset", toy_data, "--out", tmp_path / "p", *QUICK)
    )
    assert ended.code == 3
    assert f"Triton at {nobody} (gRPC) does not answer" in ended.err
    assert "Traceback" not in ended.err

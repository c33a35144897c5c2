"""The command line where no Triton is needed."""

from pathlib import Path

import numpy as np
import pytest

from profiler.datasets import fashion_mnist
from profiler.datasets.fashion_mnist import LabelledImages
from tests.profiler.conftest import Cli


def test_help_tells_the_exit_codes(cli: Cli) -> None:
    """What a script needs to know is in --help."""
    ended = cli("--help")
    assert ended.code == 0
    for word in ("run", "show", "dataset", "Exit codes", "130"):
        assert word in ended.out


def test_a_missing_profile_is_one_clear_message(cli: Cli, tmp_path: Path) -> None:
    """Exit code 2, the path, how to make one, no traceback."""
    ended = cli("show", tmp_path / "nowhere")
    assert ended.code == 2
    assert ended.err.startswith(f"tailq-profile: {tmp_path / 'nowhere'}: there is no such profile")
    assert "Traceback" not in ended.err


def test_the_unseen_half_is_exported(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An .npz of float32 inputs in [0, 1] and int64 labels, as load tests read it."""
    asked = []

    def load(half: str) -> LabelledImages:
        asked.append(half)
        return LabelledImages(np.full((5, 28, 28), 255, dtype=np.uint8), np.arange(5))

    monkeypatch.setattr(fashion_mnist, "load_test_half", load)
    out = tmp_path / "unseen.npz"
    ended = cli("dataset", "fashion-mnist", "--half", "unseen", "--out", out)
    assert ended.code == 0, ended.err
    with np.load(out) as archive:
        assert archive["inputs"].shape == (5, 1, 28, 28)
        assert archive["inputs"].dtype == np.float32
        assert archive["inputs"].max() == 1.0
        assert archive["labels"].dtype == np.int64
    assert asked == ["unseen"]


def test_other_data_sets_and_halves_are_refused(cli: Cli, tmp_path: Path) -> None:
    """Exit code 2, and nothing is written."""
    out = tmp_path / "x.npz"
    assert cli("dataset", "mnist", "--half", "unseen", "--out", out).code == 2
    assert cli("dataset", "fashion-mnist", "--half", "third", "--out", out).code == 2
    assert not out.exists()

"""Labelled samples are read whole or refused by what is wrong with them."""

from pathlib import Path

import numpy as np
import pytest

from tailq import samples
from tailq.errors import ArtefactError


def test_a_file_that_holds_no_samples_is_refused(tmp_path: Path) -> None:
    """Missing, truncated and misshapen sample files are named with what they lack."""
    with pytest.raises(ArtefactError, match="cannot be read"):
        samples.read(tmp_path / "nowhere.npz")
    np.savez(tmp_path / "whole.npz", inputs=np.zeros((3, 1, 2, 2)), labels=np.zeros(3, int))
    assert samples.read(tmp_path / "whole.npz").inputs.dtype == np.float32
    content = (tmp_path / "whole.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(content[: len(content) // 2])
    with pytest.raises(ArtefactError, match="is not a NumPy archive"):
        samples.read(tmp_path / "cut.npz")
    np.savez(tmp_path / "bare.npz", inputs=np.zeros((3, 1, 2, 2)))
    with pytest.raises(ArtefactError, match="has no array labels"):
        samples.read(tmp_path / "bare.npz")
    np.savez(tmp_path / "odd.npz", inputs=np.zeros((3, 1, 2, 2)), labels=np.zeros(4, int))
    with pytest.raises(ArtefactError, match="inputs must be"):
        samples.read(tmp_path / "odd.npz")

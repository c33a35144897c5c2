"""NumPy archives as data sets."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from profiler.datasets import arrays
from profiler.datasets.base import ArrayDataset, from_samples
from profiler.errors import DatasetError
from profiler.tensors import Tensor
from tailq import samples
from tailq.errors import TailqError

INPUTS = np.random.default_rng(0).uniform(size=(6, 1, 4, 4)).astype(np.float32)
LABELS = np.array([0, 1, 2, 0, 1, 2])


def made(inputs: NDArray[np.float32], labels: NDArray[np.int64]) -> ArrayDataset:
    return from_samples("toy", samples.checked("toy", inputs, labels))


def saved(folder: Path, **content: object) -> Path:
    path = folder / "data.npz"
    np.savez(path, **content)  # type: ignore[arg-type]
    return path


def test_an_archive_is_read_as_it_is(tmp_path: Path) -> None:
    """Inputs are given as float32 in the order asked for."""
    data = arrays.read(saved(tmp_path, inputs=INPUTS.astype(np.float64), labels=LABELS))
    assert data.labels.tolist() == LABELS.tolist()
    assert isinstance(data, ArrayDataset)
    given = data.inputs(np.array([3, 1]), (1, 4, 4))
    assert given.dtype == np.float32
    assert np.array_equal(given, INPUTS[[3, 1]])


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """An exported data set comes back whole, with the same SHA-256."""
    data = made(INPUTS, LABELS)
    arrays.write(tmp_path / "out.npz", data)
    assert arrays.read(tmp_path / "out.npz").sha256 == data.sha256
    assert [path.name for path in tmp_path.iterdir()] == ["out.npz"]


def test_any_change_changes_the_hash() -> None:
    """Values, labels and shape are all part of the SHA-256."""
    hashes = {
        made(INPUTS, LABELS).sha256,
        made(INPUTS + 1, LABELS).sha256,
        made(INPUTS, LABELS[::-1]).sha256,
        made(INPUTS.reshape(6, 16), LABELS).sha256,
    }
    assert len(hashes) == 4


def test_dimensions_of_one_do_not_matter() -> None:
    """A 4x4 picture fits a model of one channel; free dimensions fit anything."""
    flat = made(INPUTS[:, 0], LABELS)
    assert flat.inputs(np.array([0]), (1, 4, 4)).shape == (1, 1, 4, 4)
    assert flat.inputs(np.array([0]), (-1, -1)).shape == (1, 4, 4)


def test_what_a_model_of_whole_numbers_cannot_take_is_refused() -> None:
    """Fractions are not cut off silently."""
    data = made(INPUTS + np.float32(0.5), LABELS)
    tensor = Tensor("x", "INT32", INPUTS.shape[1:])
    with pytest.raises(DatasetError, match=r"not the whole numbers that the model takes \(INT32\)"):
        data.tensors(np.array([0]), [tensor])


def test_another_shape_is_refused() -> None:
    """The error names both shapes."""
    data = made(INPUTS, LABELS)
    with pytest.raises(DatasetError, match=r"shape \[1, 4, 4\], the model takes \[3, 4, 4\]"):
        data.inputs(np.array([0]), (3, 4, 4))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"inputs": INPUTS}, "has no array labels, only: inputs"),
        ({}, "has no array inputs and no array labels, only: nothing"),
        ({"inputs": INPUTS, "labels": LABELS[:3]}, r"not \[6, 1, 4, 4\] and \[3\]"),
        ({"inputs": INPUTS[:0], "labels": LABELS[:0]}, "holds no samples"),
        ({"inputs": INPUTS, "labels": LABELS / 2}, "labels integers, not float32 and float64"),
        ({"inputs": INPUTS * np.nan, "labels": LABELS}, "NaN"),
        ({"inputs": INPUTS, "labels": LABELS - 1}, "label -1 is negative"),
        ({"inputs": np.array([{}] * 6), "labels": LABELS}, "not a NumPy archive of plain arrays"),
    ],
)
def test_bad_archives_are_refused(tmp_path: Path, content: dict[str, object], message: str) -> None:
    """Missing, mismatched or unsound arrays are errors that name the file."""
    with pytest.raises(TailqError, match=rf"data\.npz: .*{message}"):
        arrays.read(saved(tmp_path, **content))


@pytest.mark.parametrize("content", [b"", b"no zip at all", b"PK\x03\x04 cut off"])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    """Empty, foreign and truncated files are errors that name the file."""
    path = tmp_path / "data.npz"
    path.write_bytes(content)
    with pytest.raises(TailqError, match=r"data\.npz: is not a NumPy archive"):
        arrays.read(path)


def test_a_missing_archive_is_refused(tmp_path: Path) -> None:
    """The error names the file."""
    with pytest.raises(TailqError, match=r"data\.npz: cannot be read \(No such file"):
        arrays.read(tmp_path / "data.npz")

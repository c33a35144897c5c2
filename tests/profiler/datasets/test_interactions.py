"""Inputs by name, and the items that are relevant."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from profiler.datasets import Dataset, Preprocessing, open_dataset
from profiler.errors import DatasetError
from profiler.tensors import Tensor

USER = Tensor("user", "INT64", (1,))
HISTORY = Tensor("history", "INT32", (-1,))
WORD = Tensor("word", "BYTES", (1,))


def opened(path: Path) -> Dataset:
    return open_dataset(str(path), None, Preprocessing())


def lines(folder: Path, *rows: object) -> Path:
    path = folder / "clicks.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def row(user: object, **inputs: object) -> dict[str, object]:
    return {"inputs": {"user": user, **inputs}, "relevant": [3, 1]}


def test_inputs_are_found_by_name(tmp_path: Path) -> None:
    """Lists of their own lengths, numbers and texts; a model need not take all."""
    path = lines(tmp_path, row([7], history=[1, 2], word=["é"]), row([8], history=[], word=["x"]))
    data = opened(path)
    assert data.labels.tolist() == [[3, 1], [3, 1]]
    history, user = data.tensors(np.array([1, 0]), [HISTORY, USER])
    assert [value.tolist() for value in history] == [[], [1, 2]]
    assert [value.tolist() for value in user] == [[8], [7]]
    assert data.tensors(np.array([0]), [WORD])[0][0].tolist() == ["é".encode()]


def test_an_archive_holds_an_array_for_each_input(tmp_path: Path) -> None:
    """Relevant items are filled up with -1."""
    np.savez(tmp_path / "a.npz", user=[[7], [8]], relevant=[[4, -1], [1, 2]])
    data = opened(tmp_path / "a.npz")
    assert data.labels.tolist() == [[4], [1, 2]]
    assert [value.tolist() for value in data.tensors(np.array([0, 1]), [USER])[0]] == [[7], [8]]


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (Tensor("item", "INT64", (1,)), "has no input 'item', only: user, weight, word"),
        (Tensor("user", "INT64", (2,)), r"'user' has shape \[1\], the model takes \[2\]"),
        (Tensor("user", "BYTES", (1,)), "'user' holds int64, the model takes BYTES"),
        (Tensor("weight", "INT64", (1,)), "'weight' holds float64, the model takes INT64"),
        (Tensor("word", "FP32", (1,)), "'word' holds texts, the model takes FP32"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(tmp_path: Path, tensor: Tensor, message: str) -> None:
    """The error names the input."""
    data = opened(lines(tmp_path, row([7], weight=[0.5], word=["a"])))
    with pytest.raises(DatasetError, match=message):
        data.tensors(np.array([0]), [tensor])


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"inputs": {"user": [1]}}, "is not like"),
        ({"inputs": [1], "relevant": [1]}, "the same names in every line"),
        ({"inputs": {"person": [1]}, "relevant": [1]}, "the same names in every line"),
        ({"inputs": {"user": [[1], [1, 2]]}, "relevant": [1]}, "neither numbers nor texts"),
        ({"inputs": {"user": [None]}, "relevant": [1]}, "neither numbers nor texts"),
        ({"inputs": {"user": [1]}, "relevant": []}, "one or more different items"),
        ({"inputs": {"user": [1]}, "relevant": [2, 2]}, "one or more different items"),
        ({"inputs": {"user": [1]}, "relevant": 2}, "one or more different items"),
        ({"inputs": {"user": [1]}, "relevant": ["a"]}, "items, whole numbers"),
        ({"inputs": {"user": [1]}, "relevant": [2.0]}, "items, whole numbers"),
    ],
)
def test_bad_lines_are_refused(tmp_path: Path, bad: object, message: str) -> None:
    """The error names the line."""
    with pytest.raises(DatasetError, match=rf"clicks\.jsonl:2: .*{message}"):
        opened(lines(tmp_path, row([7]), bad))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"relevant": np.array([1, 2])}, "must be whole numbers"),
        ({"relevant": np.array([[0.5], [1]])}, "must be whole numbers"),
        ({"relevant": np.array([[1]])}, "of one N"),
        ({"relevant": np.array([[-1], [1]])}, "row 0: relevant must be a list of one or more"),
        ({"user": np.array([[np.nan], [1.0]])}, "input 'user' contains NaN"),
        ({"user": np.array([["a"], ["b"]])}, "array 'user' does not hold numbers"),
    ],
)
def test_bad_archives_are_refused(
    tmp_path: Path, arrays: dict[str, NDArray[np.generic]], message: str
) -> None:
    """The error names the array."""
    good = {"user": np.array([[1], [2]]), "relevant": np.array([[1], [2]])}
    np.savez(tmp_path / "a.npz", **{**good, **arrays})
    with pytest.raises(DatasetError, match=rf"a\.npz: .*{message}"):
        opened(tmp_path / "a.npz")


def test_another_item_is_another_data_set(tmp_path: Path) -> None:
    """The SHA-256 covers inputs and relevant items."""
    first = opened(lines(tmp_path, row([7]))).sha256
    second = opened(lines(tmp_path, row([8]))).sha256
    other = {"inputs": {"user": [8]}, "relevant": [3]}
    assert len({first, second, opened(lines(tmp_path, other)).sha256}) == 3

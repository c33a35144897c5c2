"""Probes are read as they were written, or refused by what is wrong with the file."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tailq import probes
from tailq.datatypes import DTYPES
from tailq.errors import ArtefactError
from tailq.probes import Probes

GOOD: dict[str, NDArray[Any]] = {
    "profile": np.array("0123456789abcdef"),
    "labels": np.array([1, 2, 0]),
    "answers/large": np.array([1, 2, 2]),
    "answers/small": np.array([1, 0, 0]),
    "input/images": np.zeros((3, 1, 4), np.float32),
    "datatype/images": np.array("FP32"),
}


def stored(path: Path, arrays: dict[str, NDArray[Any]]) -> Path:
    content = io.BytesIO()
    np.savez(content, **arrays)
    path.write_bytes(content.getvalue())
    return path


@given(
    st.integers(1, 5),
    st.dictionaries(st.sampled_from("ab/"), st.sampled_from(sorted(DTYPES)), min_size=1),
)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, count: int, datatypes: dict[str, str]
) -> None:
    """Any number of inputs of any datatype with elements of one size, under any name."""
    rng = np.random.default_rng(count)
    made = Probes(
        profile="abc",
        inputs={
            name: rng.integers(0, 2, (count, 1, 2)).astype(DTYPES[datatype])
            for name, datatype in datatypes.items()
        },
        datatypes=datatypes,
        labels=rng.integers(0, 9, count),
        answers={"a": rng.integers(0, 9, count), "x/y": rng.integers(0, 9, count)},
    )
    path = tmp_path_factory.mktemp("probes") / probes.FILE
    probes.write(path, made)
    found = probes.read(path)
    assert (found.profile, found.datatypes) == ("abc", datatypes)
    assert np.array_equal(found.labels, made.labels)
    for name, values in made.inputs.items():
        assert found.inputs[name].dtype == values.dtype
        assert np.array_equal(found.inputs[name], values)
    assert {name: list(found.answers[name]) for name in found.answers} == {
        name: list(values) for name, values in made.answers.items()
    }


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("profile", None, "has no array profile, only: labels"),
        ("profile", np.array([1, 2]), "profile is not a text"),
        ("labels", None, "has no array labels"),
        ("labels", np.array([1, 2]), "input/images is of 3 samples, labels of 2"),
        ("labels", np.array([1.0, 2.0, 0.0]), r"labels must be \[N\] integers"),
        ("labels", np.array([], np.int64), "labels holds no samples"),
        ("labels", np.array([1, 2, -1]), "labels holds a number that is no class"),
        ("answers/small", np.array([1, 0]), "answers/small is of 2 samples, labels of 3"),
        ("answers/small", np.array([[1], [0], [2]]), r"answers/small must be \[N\] integers"),
        ("answers/small", np.array(2), "answers/small is a single value"),
        ("input/images", None, "has no array input/"),
        ("input/images", np.zeros((2, 4), np.float32), "input/images is of 2 samples"),
        ("input/images", np.zeros((3, 4)), "is said to be FP32 and holds float64"),
        ("input/images", np.full((3, 4), np.nan, np.float32), "contains NaN or infinity"),
        ("datatype/images", None, "has no array datatype/images"),
        ("datatype/images", np.array("BYTES"), "is of datatype BYTES; supported are BOOL"),
        ("datatype/images", np.array(32), "datatype/images is not a text"),
    ],
)
def test_what_is_wrong_is_named(
    tmp_path: Path, name: str, value: NDArray[Any] | None, why: str
) -> None:
    """The array, what is the matter with it, and how to come by a good file."""
    arrays = {key: array for key, array in GOOD.items() if key != name}
    if value is not None:
        arrays[name] = value
    path = stored(tmp_path / "p.npz", arrays)
    with pytest.raises(ArtefactError, match=f"p.npz: .*{why}.*tailq-profile probes"):
        probes.read(path)


def test_without_any_answers_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    """A file whose samples no variant answered is refused; with them it is good."""
    probes.read(stored(tmp_path / "p.npz", GOOD))
    bare = {name: array for name, array in GOOD.items() if not name.startswith("answers")}
    with pytest.raises(ArtefactError, match="has no array answers/"):
        probes.read(stored(tmp_path / "q.npz", bare))


def test_a_file_that_is_no_archive_is_refused_and_nothing_is_unpickled(tmp_path: Path) -> None:
    """Missing, cut and pickled."""
    with pytest.raises(ArtefactError, match="cannot be read"):
        probes.read(tmp_path / "nowhere.npz")
    whole = stored(tmp_path / "whole.npz", GOOD).read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ArtefactError, match="is not a NumPy archive"):
        probes.read(tmp_path / "cut.npz")
    pickled = stored(tmp_path / "pickled.npz", {**GOOD, "labels": np.array([{}, {}, {}])})
    with pytest.raises(ArtefactError, match="is not a NumPy archive"):
        probes.read(pickled)


def test_it_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """Where it cannot be written the error names the place, and nothing lies about."""
    path = stored(tmp_path / "p.npz", GOOD)
    made = probes.read(path)
    with pytest.raises(ArtefactError, match="cannot be written"):
        probes.write(tmp_path / "nowhere" / "p.npz", made)
    probes.write(path, made)
    assert probes.read(path).profile == made.profile
    assert list(tmp_path.iterdir()) == [path]

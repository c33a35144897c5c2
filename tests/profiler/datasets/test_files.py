"""Image folders and manifests: which image has which label."""

import json
from pathlib import Path

import pytest
from PIL import Image

from profiler.datasets import Preprocessing, open_dataset
from profiler.errors import DatasetError

PLAIN = Preprocessing()


def image(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (4, 4), 128).save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two dogs and a cat."""
    for name in ("dog/1.png", "dog/2.png", "cat/1.png"):
        image(tmp_path / "pets" / name)
    return tmp_path / "pets"


def labels_of(source: Path, classes: Path | None = None) -> list[int]:
    labels: list[int] = open_dataset(str(source), classes, PLAIN).labels.tolist()
    return labels


def test_classes_of_a_folder_are_in_alphabetical_order(folder: Path) -> None:
    """Cat is 0, dog is 1."""
    assert labels_of(folder) == [0, 1, 1]


def test_a_labels_file_gives_the_order(folder: Path, tmp_path: Path) -> None:
    """The first line is class 0; classes without images are allowed."""
    classes = tmp_path / "classes.txt"
    classes.write_text("dog\nbird\ncat\n")
    assert labels_of(folder, classes) == [2, 0, 0]


def test_an_empty_class_is_refused(folder: Path) -> None:
    """A folder without images is more likely a mistake than a class."""
    (folder / "bird").mkdir()
    with pytest.raises(DatasetError, match="bird: holds no images"):
        labels_of(folder)


def test_a_folder_without_classes_is_refused(tmp_path: Path) -> None:
    """Images must lie in a folder for each class."""
    image(tmp_path / "1.png")
    with pytest.raises(DatasetError, match="has no class folders"):
        labels_of(tmp_path)


def test_a_class_missing_in_the_labels_file_is_refused(folder: Path, tmp_path: Path) -> None:
    """The error names the folder."""
    classes = tmp_path / "classes.txt"
    classes.write_text("dog\n")
    with pytest.raises(DatasetError, match="cat: its class 'cat' is not in the labels file"):
        labels_of(folder, classes)


@pytest.mark.parametrize("content", ["", "\n\n", "dog\ndog\n"])
def test_a_labels_file_names_each_class_once(folder: Path, tmp_path: Path, content: str) -> None:
    """Empty files and repeated names are refused."""
    classes = tmp_path / "classes.txt"
    classes.write_text(content)
    with pytest.raises(DatasetError, match=r"classes\.txt: must name each class once"):
        labels_of(folder, classes)


def manifest(folder: Path, rows: list[tuple[str, object]], suffix: str) -> Path:
    path = folder / f"samples{suffix}"
    if suffix == ".csv":
        lines = ["path,label", *(f"{file},{label}" for file, label in rows)]
    else:
        lines = [json.dumps({"path": file, "label": label}) for file, label in rows]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_a_manifest_labels_by_index_or_by_name(folder: Path, suffix: str) -> None:
    """Paths are relative to it; names count alphabetically unless a labels file orders them."""
    by_index = manifest(folder, [("dog/1.png", 3), ("cat/1.png", 0)], suffix)
    assert labels_of(by_index) == [3, 0]
    by_name = manifest(folder, [("dog/1.png", "dog"), ("cat/1.png", "cat")], suffix)
    assert labels_of(by_name) == [1, 0]
    classes = folder / "classes.txt"
    classes.write_text("dog\ncat\n")
    assert labels_of(by_name, classes) == [0, 1]


@pytest.mark.parametrize("label", ["wolf", "2"])
def test_a_label_out_of_range_is_refused_with_its_line(folder: Path, label: str) -> None:
    """Neither a class of the labels file nor an index of one."""
    classes = folder / "classes.txt"
    classes.write_text("dog\ncat\n")
    path = manifest(folder, [("dog/1.png", "dog"), ("cat/1.png", label)], ".csv")
    with pytest.raises(DatasetError, match=rf"samples\.csv:3: label '{label}' is neither"):
        labels_of(path, classes)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "", "must have the columns path and label or audio and text or"),
        ("a.csv", "path,label\n", "names no samples"),
        (
            "a.csv",
            "file,label\nx.png,1\n",
            "must have the columns path and label .* not file, label",
        ),
        ("a.csv", "path,label\nx.png\n", r"a\.csv:2: path or label is empty"),
        ("a.csv", "path,label\nx.png,1\n", r"x\.png: cannot be read"),
        ("a.jsonl", '{"path": "x.png"}\n', r"a\.jsonl:1: is not like"),
        ("a.jsonl", "\n[1]\n", r"a\.jsonl:2: is not like"),
        ("a.jsonl", "{\n", r"a\.jsonl:1: is not like"),
        ("a.txt", "", "must be a folder, a .csv or .jsonl manifest"),
    ],
)
def test_bad_manifests_are_refused(tmp_path: Path, name: str, content: str, message: str) -> None:
    """The error names file and line."""
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(DatasetError, match=message):
        labels_of(path)


def test_a_manifest_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """Binary content is an error that names the file."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DatasetError, match=r"a\.csv: is not UTF-8 text"):
        labels_of(path)


def test_missing_data_are_refused(tmp_path: Path) -> None:
    """Neither a path nor the name of a data set."""
    with pytest.raises(DatasetError, match="no such file or folder, nor a data set"):
        open_dataset("imagenet", None, PLAIN)

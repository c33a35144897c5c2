"""Artefacts appear whole or not at all."""

from pathlib import Path

import pytest

from tailq import artefact
from tailq.errors import ArtefactError


def full(_: int) -> None:
    """In place of os.fsync: a disk without room."""
    raise OSError(28, "No space left on device")


def interrupted(_: int) -> None:
    """In place of os.fsync: Ctrl-C while it is written."""
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("ends", "raised", "message"),
    [(full, ArtefactError, "No space left"), (interrupted, KeyboardInterrupt, "^$")],
)
def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ends: object,
    raised: type[BaseException],
    message: str,
) -> None:
    """Whatever ends the writing, the file is what it was and no temporary file remains."""
    path = tmp_path / "file"
    path.write_bytes(b"old")
    monkeypatch.setattr("os.fsync", ends)
    with pytest.raises(raised, match=message):
        artefact.write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_is_one_clear_error(tmp_path: Path) -> None:
    """Where a folder of the path is a file, or missing, the error names the path."""
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "tiers.json", tmp_path / "missing" / "tiers.json"):
        with pytest.raises(ArtefactError, match=r"tiers\.json: cannot be written \("):
            artefact.write_bytes(path, b"{}")


@pytest.mark.parametrize("place", [".", "folder"])
def test_a_folder_in_place_of_the_file_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Also one without a name of its own; nothing is left in it."""
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArtefactError, match=r"cannot be written \("):
        artefact.write_bytes(Path(place), b"{}")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]

"""Profile directories appear whole or not at all."""

from pathlib import Path

import pytest

from profiler.record.store import check_free, store
from tailq.errors import ArtefactError
from tailq.profile import Profile
from tests.profiler.columns import answers, observations


def refuse(id_: str, files: dict[str, str]) -> Profile:
    raise ArtefactError("refused")


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    """If the summary cannot be made, neither the profile nor anything beside it exists."""
    with pytest.raises(ArtefactError, match="refused"):
        store(
            tmp_path / "p", answers([[True]]), observations([0.1], [True], [0]), refuse, force=False
        )
    assert list(tmp_path.iterdir()) == []


def test_an_existing_profile_is_not_replaced_unasked(tmp_path: Path) -> None:
    """It takes --force, and the error says so."""
    (tmp_path / "profile.json").touch()
    with pytest.raises(ArtefactError, match="--force"):
        check_free(tmp_path, force=False)
    check_free(tmp_path, force=True)


def test_other_folders_are_never_replaced(tmp_path: Path) -> None:
    """Not even --force removes a folder that is not a profile."""
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(ArtefactError, match="is not a profile"):
        check_free(tmp_path, force=True)

"""Profile directories appear whole or not at all."""

from pathlib import Path

import pytest

from profiler.record.observations import Observations, concatenate, open_profile
from profiler.record.store import check_free, store
from tailq import profile
from tailq.errors import ArtefactError
from tailq.profile import Profile
from tests.profiler import columns
from tests.profiler.columns import answers, observations


def both() -> Observations:
    """Both variants timed once."""
    return concatenate([observations([0.1], [True], [0], variant=v) for v in (0, 1)])


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


def test_what_lies_beside_is_stored_with_it_and_is_no_part_of_what_was_measured(
    tmp_path: Path,
) -> None:
    """Made of the finished summary; without it the profile is the same, and opens."""
    measured, timed = answers([[True], [True]]), both()
    plain = columns.stored(tmp_path / "plain", measured, timed, deadline_s=0.2)
    known = profile.read(plain)
    stored = store(
        tmp_path / "with",
        measured,
        timed,
        lambda id_, files: known.model_copy(update={"id": id_, "files": files}),
        force=False,
        beside=lambda summary: {"more.bin": summary.id.encode()},
    )
    assert (tmp_path / "with" / "more.bin").read_text() == stored.id == known.id
    assert "more.bin" not in open_profile(tmp_path / "with").profile.files


def test_if_what_lies_beside_cannot_be_made_nothing_is_left(tmp_path: Path) -> None:
    """Neither the profile nor a part of it."""

    def fail(_: Profile) -> dict[str, bytes]:
        raise ArtefactError("refused")

    known = profile.read(
        columns.stored(tmp_path / "p", answers([[True]] * 2), both(), deadline_s=1)
    )
    with pytest.raises(ArtefactError, match="refused"):
        store(
            tmp_path / "q",
            answers([[True]] * 2),
            both(),
            lambda _id, _files: known,
            force=False,
            beside=fail,
        )
    assert [path.name for path in tmp_path.iterdir()] == ["p"]

"""Tier tables are validated on the way in, named by field, and written all or nothing."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from tailq import artefact
from tailq.errors import ArtefactError
from tailq.tier import Promise, TierTable
from tests.tables import promise, table, tier


def test_a_table_survives_being_written_and_read(tmp_path: Path) -> None:
    """What is written is what is read."""
    path = tmp_path / "tiers.json"
    written = table(tier("gold", 0.01, promise("large", 0.1)), default="gold")
    artefact.write(path, written)
    assert artefact.read(path, TierTable) == written
    assert [entry.name for entry in tmp_path.iterdir()] == ["tiers.json"]


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('"deadline_s": 0.1', '"deadline_s": -1', r"tiers\.0\.promises\.0\.deadline_s"),
        ('"quality": 0.9,', '"quality": 1.2,', r"tiers\.0\.promises\.0\.quality"),
        ('"tailq.tiers/4"', '"tailq.tiers/9"', "schema"),
        ('"default": "gold"', '"default": "lead"', "default names 'lead'"),
        ('"variant": "large"\n', '"variant": ""\n', "variant"),
        ("}", "", "content: Invalid JSON"),
    ],
)
def test_a_corrupt_table_is_refused_by_field(
    tmp_path: Path, old: str, new: str, place: str
) -> None:
    """The error names the file and the field."""
    path = tmp_path / "tiers.json"
    artefact.write(path, table(tier("gold", 0.01, promise("large", 0.1)), default="gold"))
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(ArtefactError, match=rf"tiers\.json: .*{place}"):
        artefact.read(path, TierTable)


def test_a_table_of_another_version_names_the_remedy(tmp_path: Path) -> None:
    """What an older profiler has compiled is to be compiled again, and the error says so."""
    path = tmp_path / "tiers.json"
    artefact.write(path, table(tier("gold", 0.01, promise("large", 0.1))))
    path.write_text(path.read_text().replace("tailq.tiers/4", "tailq.tiers/2"))
    with pytest.raises(ArtefactError, match=r"tiers/2, not tailq\.tiers/4, .*compile the tiers ag"):
        artefact.read(path, TierTable)


def test_a_missing_table_is_an_error_with_its_path(tmp_path: Path) -> None:
    """A file that is not there is named."""
    with pytest.raises(ArtefactError, match=r"nowhere\.json: cannot be read"):
        artefact.read(tmp_path / "nowhere.json", TierTable)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    """If the new content cannot take its place, nothing is left half-written."""
    (tmp_path / "tiers.json").mkdir()  # a folder cannot be replaced by a file
    with pytest.raises(ArtefactError, match="cannot be written"):
        artefact.write_bytes(tmp_path / "tiers.json", b"{}")
    assert [entry.name for entry in tmp_path.iterdir()] == ["tiers.json"]


@pytest.mark.parametrize("promises", [(), (0.1, 0.05), (0.1, 0.1)])
def test_deadlines_of_a_tier_ascend(promises: tuple[float, ...]) -> None:
    """A tier has at least one promise, and each at a deadline of its own, in order."""
    made: list[Promise] = [promise("large", deadline) for deadline in promises]
    with pytest.raises(ValidationError):
        tier("gold", 0.01, *made)

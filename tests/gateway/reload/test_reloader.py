"""Files that change: taken when they are valid and settled, refused once, by content."""

import asyncio
import logging
from pathlib import Path

import pytest

from gateway.reload import reloader
from gateway.reload.reloader import Reloader
from tailq import artefact
from tailq.errors import ArtefactError, TailqError
from tests.gateway.running import TABLE, until
from tests.tables import table


class Words:
    """A part that takes anything but "bad"."""

    name = "words"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.taken: list[bytes] = []

    async def take(self, content: bytes) -> None:
        if content == b"bad":
            raise TailqError("bad words")
        self.taken.append(content)


@pytest.fixture
def words(tmp_path: Path) -> Words:
    path = tmp_path / "words"
    path.write_bytes(b"one")
    return Words(path)


@pytest.fixture
def looking(words: Words) -> Reloader:
    return Reloader([(words, b"one")])


async def test_what_has_settled_is_taken(words: Words, looking: Reloader) -> None:
    """Seen twice: who writes in place is not read half-way."""
    await looking.look()
    words.path.write_bytes(b"tw")
    await looking.look()
    words.path.write_bytes(b"two")
    await looking.look()
    assert words.taken == []
    await looking.look()
    await looking.look()
    assert words.taken == [b"two"]
    assert looking.counts == {("words", "ok"): 1, ("words", "refused"): 0}


async def test_what_was_not_touched_is_not_read_again(
    words: Words, looking: Reloader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files of probes are large. What has just been touched is read; a clock may have stood."""
    read: list[Path] = []
    plain = reloader.read

    def counted(path: Path) -> bytes:
        read.append(path)
        return plain(path)

    monkeypatch.setattr(reloader, "read", counted)
    for times in (1, 2):
        await looking.look()
        assert len(read) == times
    monkeypatch.setattr(reloader, "_FRESH_S", -1.0)
    for _ in range(3):
        await looking.look()
    assert len(read) == 3
    words.path.write_bytes(b"two")
    for _ in range(3):
        await looking.look()
    assert len(read) == 4
    assert words.taken == [b"two"]
    words.path.write_bytes(b"bad")
    await looking.reload()
    await looking.reload()
    assert looking.counts["words", "refused"] == 2  # tried again, though it is the same
    assert len(read) == 5


async def test_swapped_links_and_renames_are_seen(
    words: Words, looking: Reloader, tmp_path: Path
) -> None:
    """As Kubernetes swaps the folder of a mounted ConfigMap."""
    for name, content in (("v1", b"two"), ("v2", b"three")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "words").write_bytes(content)
    data = tmp_path / "data"
    data.symlink_to("v1")
    words.path.unlink()
    words.path.symlink_to("data/words")
    await looking.look()
    await looking.look()
    swap = tmp_path / "swap"
    swap.symlink_to("v2")
    swap.replace(data)
    await looking.look()
    await looking.look()
    assert words.taken == [b"two", b"three"]


async def test_a_refused_file_is_told_once(words: Words, looking: Reloader) -> None:
    """The old is kept; mended, it is taken, also back to what it was."""
    words.path.write_bytes(b"bad")
    for _ in range(4):
        await looking.look()
    assert looking.counts["words", "refused"] == 1
    assert looking.last["words"].why == "bad words"
    words.path.write_bytes(b"one")
    await looking.look()
    await looking.look()
    assert words.taken == [b"one"]


async def test_a_file_that_is_gone_is_refused(words: Words, looking: Reloader) -> None:
    """With the reason; it may come back."""
    words.path.unlink()
    await looking.look()
    await looking.look()
    assert "cannot be read" in looking.last["words"].why
    words.path.write_bytes(b"two")
    await looking.look()
    await looking.look()
    assert words.taken == [b"two"]


async def test_told_to_reload_it_waits_for_nothing(words: Words, looking: Reloader) -> None:
    """What came of each file is said; what was refused is tried again."""
    (verdict,) = await looking.reload()
    assert (verdict.file, verdict.result) == ("words", "unchanged")
    words.path.write_bytes(b"two")
    (verdict,) = await looking.reload()
    assert verdict.result == "ok"
    words.path.write_bytes(b"bad")
    for _ in range(2):
        (verdict,) = await looking.reload()
        assert (verdict.result, verdict.why) == ("refused", "bad words")
    assert looking.counts == {("words", "ok"): 1, ("words", "refused"): 2}
    assert words.taken == [b"two"]


class Rhymes(Words):
    """A part that takes only what its words have."""

    name = "rhymes"

    def __init__(self, path: Path, words: Words) -> None:
        super().__init__(path)
        self._words = words

    async def take(self, content: bytes) -> None:
        if content not in self._words.taken:
            raise TailqError("no rhyme")
        self.taken.append(content)


async def test_what_did_not_fit_is_tried_again_when_others_change(
    words: Words, tmp_path: Path
) -> None:
    """Two files that have to agree may come in either order."""
    rhymes = Rhymes(tmp_path / "rhymes", words)
    rhymes.path.write_bytes(b"two")
    looking = Reloader([(rhymes, b"one"), (words, b"one")])
    await looking.look()
    await looking.look()
    assert looking.counts["rhymes", "refused"] == 1
    words.path.write_bytes(b"two")
    await looking.look()
    await looking.look()
    assert rhymes.taken == [b"two"]
    assert looking.last["rhymes"].result == "ok"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "tiers.json"),
        (b'{"schema": "tailq.tiers/9"}', "schema"),
        (table(service="fashion").model_dump_json().encode(), "no tier is offered"),
        (
            TABLE.model_copy(update={"service": "shoes"}).model_dump_json().encode(),
            "'shoes', but 'fashion' is served",
        ),
    ],
)
def test_a_table_that_cannot_be_served_is_refused(content: bytes, says: str) -> None:
    """Corrupt, of another version, empty, or of another service."""
    with pytest.raises(ArtefactError, match=says):
        reloader.table(content, Path("tiers.json"), TABLE)


def test_a_table_that_can_be_served_is_what_was_written(tmp_path: Path) -> None:
    """Read as the profiler writes it."""
    path = tmp_path / "tiers.json"
    artefact.write(path, TABLE)
    assert reloader.table(reloader.read(path), path, TABLE) == TABLE


async def test_told_to_reload_it_says_so_where_nothing_has_changed(
    words: Words, looking: Reloader, caplog: pytest.LogCaptureFixture
) -> None:
    """An operator who sends SIGHUP wants to know that it came."""
    caplog.set_level(logging.INFO, "tailq.gateway.reload")
    watching = asyncio.create_task(looking.watch())
    looking.soon()
    await until(lambda: "no file has changed" in caplog.text)
    watching.cancel()
    assert words.taken == []

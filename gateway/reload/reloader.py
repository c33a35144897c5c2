"""Files that may change while the gateway serves: taken if they are valid, else the old is kept."""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Protocol

from tailq import artefact
from tailq.errors import ArtefactError, TailqError
from tailq.tier import TierTable

log = logging.getLogger("tailq.gateway.reload")

EVERY_S: Final = 1.0
_FRESH_S: Final = 2.0

_Stamp = tuple[int, ...]

Result = Literal["ok", "refused", "unchanged"]


class Part(Protocol):
    """What is made of one file. name: what it holds, such as "tiers"; a label of a metric."""

    name: str
    path: Path

    async def take(self, content: bytes) -> None:
        """Use this content from now on. Raises TailqError: it cannot be; the old is in use."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one try. at: seconds since the epoch. why: of a refusal."""

    file: str
    result: Result
    at: float
    why: str = ""


def read(path: Path) -> bytes:
    """The content of a file. Raises ArtefactError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ArtefactError(f"{path}: cannot be read ({error.strerror})") from None


def table(content: bytes, path: Path, before: TierTable | None = None) -> TierTable:
    """The tier table in `content`. Raises ArtefactError if it is none that can be served.

    before: the one that is served now; a service's name is in its clients' URLs, so another one is
    refused.
    """
    found = artefact.parse(content, TierTable, place=str(path))
    if not found.tiers:
        raise ArtefactError(f"{path}: no tier is offered; compile with limits that can be kept")
    if before is not None and found.service != before.service:
        raise ArtefactError(
            f"{path}: it is of the service {found.service!r}, but {before.service!r} is served; "
            "start another gateway for it"
        )
    return found


class _Watched:
    """A part, and which content was seen of its file. None: it could not be read."""

    def __init__(self, part: Part, content: bytes) -> None:
        self.part = part
        self.tried: bytes | None = content
        self.seen: bytes | None = content
        self._stamp: _Stamp | None = None  # of the file when `seen` was read

    async def now(self) -> bytes | None:
        """The content at present. In a thread: the file may be large, or lie on a network."""
        return await asyncio.to_thread(self._now)

    def _now(self) -> bytes | None:
        before, self._stamp = self._stamp, None
        try:
            stamp = _stamp(self.part.path)
            content = self.seen if stamp and stamp == before else read(self.part.path)
        except ArtefactError:
            return None
        self._stamp = stamp
        return self.tried if content == self.tried else content  # one copy, compared at once


def _stamp(path: Path) -> _Stamp | None:
    """What is another one whenever the content is; None: that is not sure. Raises ArtefactError.

    Of what was just written it is not: clocks of file systems tick slowly.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise ArtefactError(f"{path}: cannot be read ({error.strerror})") from None
    if time.time() - found.st_ctime < _FRESH_S:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


class Reloader:
    """Looks at files by content, so renames and symbolic links that are swapped are seen, too.

    Changed content is taken once it was seen twice, a second apart: whoever writes in place is
    not read half-way. What was not touched is not read again. parts: with the content in use.
    """

    def __init__(self, parts: Sequence[tuple[Part, bytes]]) -> None:
        self._watched = [_Watched(part, content) for part, content in parts]
        self._lock = asyncio.Lock()
        self._asked = asyncio.Event()
        self.counts: dict[tuple[str, str], int] = {
            (part.name, result): 0 for part, _ in parts for result in ("ok", "refused")
        }
        self.last: dict[str, Verdict] = {}

    async def watch(self) -> None:
        """Look every second, for ever, and whenever soon() was called."""
        while True:
            try:
                async with asyncio.timeout(EVERY_S):
                    await self._asked.wait()
            except TimeoutError:
                await self.look()
            else:
                self._asked.clear()
                found = await self.reload()
                if all(verdict.result == "unchanged" for verdict in found):
                    log.info("told to reload, but no file has changed")

    def soon(self) -> None:
        """Let watch() reload at once."""
        self._asked.set()

    async def look(self) -> None:
        """Take what has changed and settled."""
        async with self._lock:
            taken = False
            for watched in self._watched:
                content = await watched.now()
                settled = content == watched.seen
                watched.seen = content
                if settled and content != watched.tried:
                    taken |= (await self._take(watched)).result == "ok"
            if taken:
                await self._take_refused()

    async def reload(self) -> list[Verdict]:
        """Take what has changed, now; try again what was refused. What came of each file."""
        async with self._lock:
            found: dict[str, Verdict] = {}
            for watched in self._watched:
                name = watched.part.name
                watched.seen = await watched.now()
                if watched.seen != watched.tried or self._is_refused(watched):
                    found[name] = await self._take(watched)
                else:
                    found[name] = Verdict(name, "unchanged", time.time())
            if any(verdict.result == "ok" for verdict in found.values()):
                found.update(await self._take_refused())
            return list(found.values())

    async def _take_refused(self) -> dict[str, Verdict]:
        """What did not fit the others may fit now that one of them is another."""
        refused = [watched for watched in self._watched if self._is_refused(watched)]
        return {watched.part.name: await self._take(watched) for watched in refused}

    def _is_refused(self, watched: _Watched) -> bool:
        last = self.last.get(watched.part.name)
        return last is not None and last.result == "refused"

    async def _take(self, watched: _Watched) -> Verdict:
        part = watched.part
        watched.tried = content = watched.seen
        try:
            # To say why it cannot be read, read again.
            await part.take(read(part.path) if content is None else content)
        except TailqError as error:
            verdict = Verdict(part.name, "refused", time.time(), str(error))
            said = "; ".join(str(error).splitlines())
            log.error("%s not reloaded, the old is kept: %s", part.name, said)
        else:
            verdict = Verdict(part.name, "ok", time.time())
            log.info("%s reloaded from %s", part.name, part.path)
        self.last[part.name] = verdict
        self.counts[part.name, verdict.result] += 1
        return verdict

"""The journal of a running measurement: whatever was measured is on disk before it counts.

OUT.partial/ holds the plan and one Parquet file for each finished chunk of answers and each
finished round, every one written atomically. So a run may be killed at any moment; the same
command goes on from the last finished chunk. A plan that has changed is refused, not mixed in.
"""

import fcntl
import shutil
from datetime import datetime
from pathlib import Path
from typing import IO, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from profiler.record.observations import Answers, Observations, Table, concatenate, decode, encode
from tailq import artefact
from tailq.errors import ArtefactError
from tailq.profile import DataSet
from tailq.tier import Name

_PLAN = "plan.json"
_ELAPSED = "elapsed_s"


class PlannedVariant(BaseModel):
    """A variant as it was when the measurement began."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    version: str
    fingerprint: str
    shape: tuple[int, ...]


class Plan(BaseModel):
    """What identifies a measurement; when to stop and what to compute from it may change.

    started: when it was begun (with time zone); not compared.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)

    schema_: Annotated[Literal["tailq.journal/1"], Field(alias="schema")] = "tailq.journal/1"
    service: Name
    dataset: DataSet
    variants: tuple[PlannedVariant, ...]
    loads: tuple[int, ...]
    samples_per_round: int
    seed: int
    started: datetime

    @property
    def names(self) -> tuple[str, ...]:
        """The variants' names in the order of their indices."""
        return tuple(variant.name for variant in self.variants)

    def differs(self, other: "Plan") -> list[str]:
        """Names of what is different in the other plan, apart from its beginning."""
        return [
            name
            for name in type(self).model_fields
            if name != "started" and getattr(self, name) != getattr(other, name)
        ]


class Journal:
    """A folder that one measurement writes to. Use as a context manager, or close it."""

    def __init__(self, folder: Path, plan: Plan, lock: IO[bytes]) -> None:
        self.folder = folder
        self.plan = plan
        self.elapsed_s = 0.0
        self._lock = lock
        self._answers: dict[int, Answers] = {}
        self._rounds: dict[int, list[Observations]] = {load: [] for load in plan.loads}
        self._read()

    @classmethod
    def open(cls, folder: Path, plan: Plan, *, restart: bool = False) -> "Journal":
        """Begin a journal in `folder`, or go on with the one there.

        restart: discard what is there. Raises ArtefactError if it was begun with another plan, if
        another process is writing to it, or the disk does not allow it.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = (folder / "lock").open("wb")
        except OSError as error:
            raise ArtefactError(f"{folder}: cannot be written ({error.strerror})") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise ArtefactError(
                f"{folder}: another tailq-profile is measuring into it; wait for it or choose "
                "another --out"
            ) from None
        try:
            return cls(folder, _agreed(folder, plan, restart=restart), lock)
        except BaseException:
            lock.close()
            raise

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.close()

    @property
    def resumed(self) -> bool:
        """Whether anything was measured already."""
        return bool(self._answers) or any(self._rounds.values())

    def has_answers(self, start: int) -> bool:
        """Whether the chunk of answers that begins with sample `start` is there."""
        return start in self._answers

    def add_answers(self, start: int, chunk: Answers, elapsed_s: float) -> None:
        """Keep a finished chunk, of all variants. elapsed_s: seconds of measuring so far."""
        self._write(f"answers-{start:08d}.parquet", chunk, elapsed_s)
        self._answers[start] = chunk

    def rounds(self, load: int) -> list[Observations]:
        """The finished rounds at a load, in order."""
        return self._rounds[load]

    def add_round(self, load: int, chunk: Observations, elapsed_s: float) -> None:
        """Keep the next finished round at a load. elapsed_s: seconds of measuring so far."""
        number = len(self._rounds[load])
        self._write(f"round-{load:04d}-{number:06d}.parquet", chunk, elapsed_s)
        self._rounds[load].append(chunk)

    def answers(self) -> Answers:
        """All answers so far, by variant and sample."""
        table = concatenate([self._answers[start] for start in sorted(self._answers)])
        return table.where(table.variant.argsort(kind="stable"))

    def observations(self) -> Observations:
        """All timed requests so far, in the order in which they were sent."""
        table = concatenate([part for load in self.plan.loads for part in self._rounds[load]])
        return table.where(table.sent_s.argsort(kind="stable"))

    def discard(self) -> None:
        """Remove the folder: the profile it led to is written."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, name: str, chunk: Answers | Observations, elapsed_s: float) -> None:
        content = encode(chunk, {_ELAPSED: f"{elapsed_s:.6f}"})
        artefact.write_bytes(self.folder / name, content)
        self.elapsed_s = elapsed_s

    def _read(self) -> None:
        for path in sorted(self.folder.glob("answers-*.parquet")):
            self._answers[int(path.stem.removeprefix("answers-"))] = self._chunk(path, Answers)
        for load, rounds in self._rounds.items():
            rounds += [
                self._chunk(path, Observations)
                for path in sorted(self.folder.glob(f"round-{load:04d}-*.parquet"))
            ]

    def _chunk(self, path: Path, kind: type[Table]) -> Table:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ArtefactError(f"{path}: cannot be read ({error.strerror})") from None
        chunk, metadata = decode(content, kind, self.plan.names, place=str(path))
        self.elapsed_s = max(self.elapsed_s, float(metadata.get(_ELAPSED, "0")))
        return chunk


def _agreed(folder: Path, plan: Plan, *, restart: bool) -> Plan:
    """The plan to go on with: the one in the folder, if it is the same, else this one, begun."""
    path = folder / _PLAN
    if restart:
        _clear(folder)
    if not path.exists():
        artefact.write(path, plan)
        return plan
    begun = artefact.read(path, Plan)
    changed = begun.differs(plan)
    if changed:
        what = "; ".join(
            f"{name} was {_short(getattr(begun, name))}, now is {_short(getattr(plan, name))}"
            for name in changed
        )
        raise ArtefactError(
            f"{folder}: was begun with another plan ({what}); give --restart to discard it, or "
            "another --out"
        )
    return begun


def _short(value: object) -> str:
    if isinstance(value, DataSet):
        return f"{value.name} ({value.samples} samples, SHA-256 {value.sha256[:12]})"
    if isinstance(value, tuple) and value and isinstance(value[0], PlannedVariant):
        return ", ".join(f"{v.name} v{v.version} ({v.fingerprint[:12]})" for v in value)
    return str(value)


def _clear(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name != "lock":
            path.unlink()

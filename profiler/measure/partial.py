"""OUT.partial/: the folder of an unfinished measurement.

One process writes to it at a time, and it holds to one plan from the beginning to the end: a plan
that has changed is refused, not mixed in.
"""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict

from profiler.errors import Interrupted
from profiler.measure.wire import Variant
from tailq import artefact
from tailq.errors import ArtefactError, TailqError
from tailq.profile import DataSet, Metric

PLAN = "plan.json"
_LOCK = "lock"


class PlannedVariant(BaseModel):
    """A variant as it was when the measurement began."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    version: str
    fingerprint: str
    shape: tuple[int, ...]

    @classmethod
    def of(cls, variant: Variant) -> Self:
        """A variant as it is now."""
        return cls(
            name=variant.name,
            version=variant.version,
            fingerprint=variant.fingerprint,
            shape=variant.inputs[0].shape,
        )


class BasePlan(BaseModel):
    """What identifies a measurement; when to stop and what to compute from it may change.

    started: when it was begun (with time zone); not compared.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)

    dataset: DataSet
    variants: tuple[PlannedVariant, ...]
    seed: int
    started: datetime

    @property
    def names(self) -> tuple[str, ...]:
        """The variants' names in the order of their indices."""
        return tuple(variant.name for variant in self.variants)

    def differs(self, other: Self) -> list[str]:
        """Names of what is different in the other plan, apart from its beginning."""
        return [
            name
            for name in type(self).model_fields
            if name != "started" and getattr(self, name) != getattr(other, name)
        ]


AnyPlan = TypeVar("AnyPlan", bound=BasePlan)


class Partial(Generic[AnyPlan]):
    """A folder that one measurement writes to. Close it, whatever happens.

    plan: the one it was begun with, which differs from the given one only in `started`.
    """

    def __init__(self, folder: Path, plan: AnyPlan, *, restart: bool = False) -> None:
        """Begin `folder`, or go on with the one there.

        restart: discard what is there. Raises ArtefactError if it was begun with another plan, if
        another process is writing to it, or the disk does not allow it.
        """
        self.folder = folder
        self._lock = _locked(folder)
        try:
            self.plan = _agreed(folder, plan, restart=restart)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let others write to it."""
        self._lock.close()

    def discard(self) -> None:
        """Remove the folder: what it led to is written."""
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def kept(folder: Path) -> Iterator[None]:
    """Whatever ends a measurement early, its error says that nothing is lost."""
    how = f"what was measured is kept in {folder}: run the same command to resume"
    try:
        yield
    except Interrupted as error:
        raise Interrupted(f"{error}; {how}", error.signal) from None
    except TailqError as error:
        raise type(error)(f"{error}; {how}") from None


class Found(Partial[AnyPlan]):
    """A folder that is only read, whoever writes to it meanwhile."""

    def __init__(self, folder: Path, kind: type[AnyPlan]) -> None:
        """Find what was begun in `folder`. Raises ArtefactError."""
        self.folder = folder
        self.plan = artefact.read(folder / PLAN, kind)

    def close(self) -> None:
        """Nothing was locked."""


def _locked(folder: Path) -> IO[bytes]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / _LOCK).open("wb")
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
    return lock


def _agreed(folder: Path, plan: AnyPlan, *, restart: bool) -> AnyPlan:
    """The plan to go on with: the one in the folder, if it is the same, else this one, begun."""
    path = folder / PLAN
    if restart:
        _clear(folder)
    if not path.exists():
        artefact.write(path, plan)
        return plan
    begun = artefact.read(path, type(plan))
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
    if isinstance(value, Metric):
        return value.name
    if isinstance(value, tuple) and value and isinstance(value[0], PlannedVariant):
        return ", ".join(f"{v.name} v{v.version} ({v.fingerprint[:12]})" for v in value)
    return str(value)


def _clear(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name != _LOCK:
            path.unlink()

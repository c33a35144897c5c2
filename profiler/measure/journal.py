"""The journal of a running measurement: whatever was measured is on disk before it counts.

OUT.partial/ holds the plan and one Parquet file for each finished chunk of answers and each
finished round, every one written atomically. So a run may be killed at any moment; the same
command goes on from the last finished chunk. A plan that has changed is refused, not mixed in.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from profiler.measure.conditions import Condition, beside, busy
from profiler.measure.partial import BasePlan, Partial
from profiler.record.observations import Answers, Observations, Table, concatenate, decode, encode
from tailq import artefact
from tailq.errors import ArtefactError
from tailq.profile import Metric
from tailq.tier import Name

_ELAPSED = "elapsed_s"


class Plan(BasePlan):
    """What identifies the measurement of a profile."""

    schema_: Annotated[Literal["tailq.journal/1"], Field(alias="schema")] = "tailq.journal/1"
    service: Name
    metric: Metric
    loads: tuple[int, ...]
    open_loop: tuple[float, ...]
    samples_per_round: int

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """All conditions that are measured."""
        return busy(self.loads) + beside(self.loads, self.open_loop)


class Journal:
    """A folder that one measurement writes to. Use as a context manager, or close it."""

    def __init__(self, partial: Partial[Plan]) -> None:
        self.folder = partial.folder
        self.plan = partial.plan
        self.elapsed_s = 0.0
        self._partial = partial
        self._answers: dict[int, Answers] = {}
        self._rounds: dict[Condition, list[Observations]] = {
            condition: [] for condition in self.plan.conditions
        }
        self._read()

    @classmethod
    def open(cls, folder: Path, plan: Plan, *, restart: bool = False) -> "Journal":
        """Begin a journal in `folder`, or go on with the one there. Raises like `Partial`."""
        partial = Partial(folder, plan, restart=restart)
        try:
            return cls(partial)
        except BaseException:
            partial.close()
            raise

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        self._partial.close()

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

    def rounds(self, condition: Condition) -> list[Observations]:
        """The finished rounds under a condition, in order."""
        return self._rounds[condition]

    def add_round(self, condition: Condition, chunk: Observations, elapsed_s: float) -> None:
        """Keep the next finished round under it. elapsed_s: seconds of measuring so far."""
        number = len(self._rounds[condition])
        self._write(f"{condition.name}-{number:06d}.parquet", chunk, elapsed_s)
        self._rounds[condition].append(chunk)

    def answers(self) -> Answers:
        """All answers so far, by variant and sample."""
        table = concatenate([self._answers[start] for start in sorted(self._answers)])
        return table.where(table.variant.argsort(kind="stable"))

    def observations(self) -> Observations:
        """All timed requests so far, in the order in which they were sent."""
        table = concatenate([part for rounds in self._rounds.values() for part in rounds])
        return table.where(table.sent_s.argsort(kind="stable"))

    def discard(self) -> None:
        """Remove the folder: the profile it led to is written."""
        self._partial.discard()

    def _write(self, name: str, chunk: Answers | Observations, elapsed_s: float) -> None:
        content = encode(chunk, {_ELAPSED: f"{elapsed_s:.6f}"})
        artefact.write_bytes(self.folder / name, content)
        self.elapsed_s = elapsed_s

    def _read(self) -> None:
        for path in sorted(self.folder.glob("answers-*.parquet")):
            self._answers[int(path.stem.removeprefix("answers-"))] = self._chunk(path, Answers)
        for condition, rounds in self._rounds.items():
            rounds += [
                self._chunk(path, Observations)
                for path in sorted(self.folder.glob(f"{condition.name}-*.parquet"))
            ]

    def _chunk(self, path: Path, kind: type[Table]) -> Table:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ArtefactError(f"{path}: cannot be read ({error.strerror})") from None
        chunk, metadata = decode(content, kind, self.plan.names, place=str(path))
        self.elapsed_s = max(self.elapsed_s, float(metadata.get(_ELAPSED, "0")))
        return chunk

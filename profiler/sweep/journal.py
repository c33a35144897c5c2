"""What is kept of a running sweep: the answers, and a file for each finished round."""

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from profiler.measure.partial import BasePlan, Partial
from profiler.record.observations import Answers, concatenate, decode, encode
from tailq import artefact
from tailq.errors import ArtefactError
from tailq.profile import Metric
from tailq.tier import Seconds

Floats = NDArray[np.float64]

_ELAPSED = "elapsed_s"


class SweepPlan(BasePlan):
    """What identifies a sweep. cells: index of the level of each factor, a tuple a cell."""

    schema_: Annotated[Literal["tailq.sweep-plan/1"], Field(alias="schema")] = "tailq.sweep-plan/1"
    metric: Metric
    factors: dict[str, tuple[str, ...]]
    cells: tuple[tuple[int, ...], ...]
    requests_per_round: int


class _FinishedRound(BaseModel):
    """Latencies of a round, a tuple a cell; infinite: no answer."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    elapsed_s: Seconds
    latency_s: tuple[tuple[Annotated[float, Field(gt=0)], ...], ...]


class SweepJournal:
    """The folder that one sweep writes to. elapsed_s: seconds of measuring so far."""

    def __init__(self, folder: Path, plan: SweepPlan, *, restart: bool = False) -> None:
        """Begin it, or go on with what is there. Raises like `Partial`."""
        self._partial = Partial(folder, plan, restart=restart)
        self.folder = folder
        self.plan = self._partial.plan
        self.elapsed_s = 0.0
        self._answers: dict[int, Answers] = {}
        self._rounds: list[Floats] = []
        try:
            self._read()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let others write to it."""
        self._partial.close()

    def discard(self) -> None:
        """Remove the folder: the sweep is written."""
        self._partial.discard()

    @property
    def resumed(self) -> bool:
        """Whether anything was measured already."""
        return bool(self._answers or self._rounds)

    @property
    def rounds(self) -> list[Floats]:
        """Latencies of the finished rounds: [C, n] seconds each, inf where no answer came."""
        return self._rounds

    def has_answers(self, start: int) -> bool:
        """Whether the chunk of answers that begins with sample `start` is there."""
        return start in self._answers

    def add_answers(self, start: int, chunk: Answers, elapsed_s: float) -> None:
        """Keep a finished chunk, of all variants."""
        content = encode(chunk, {_ELAPSED: f"{elapsed_s:.6f}"})
        artefact.write_bytes(self.folder / f"answers-{start:08d}.parquet", content)
        self._answers[start], self.elapsed_s = chunk, elapsed_s

    def answers(self) -> Answers:
        """All answers so far, by variant and sample."""
        table = concatenate([self._answers[start] for start in sorted(self._answers)])
        return table.where(table.variant.argsort(kind="stable"))

    def add_round(self, latency_s: Floats, elapsed_s: float) -> None:
        """Keep the next finished round: [C, n]."""
        finished = _FinishedRound(elapsed_s=elapsed_s, latency_s=latency_s.tolist())
        artefact.write(self.folder / f"round-{len(self._rounds):06d}.json", finished)
        self._rounds.append(latency_s)
        self.elapsed_s = elapsed_s

    def _read(self) -> None:
        for path in sorted(self.folder.glob("answers-*.parquet")):
            try:
                content = path.read_bytes()
            except OSError as error:
                raise ArtefactError(f"{path}: cannot be read ({error.strerror})") from None
            chunk, said = decode(content, Answers, self.plan.names, place=str(path))
            self._answers[int(path.stem.removeprefix("answers-"))] = chunk
            self.elapsed_s = max(self.elapsed_s, float(said[_ELAPSED]))
        for path in sorted(self.folder.glob("round-*.json")):
            finished = artefact.read(path, _FinishedRound)
            self._rounds.append(np.array(finished.latency_s, dtype=np.float64))
            self.elapsed_s = max(self.elapsed_s, finished.elapsed_s)

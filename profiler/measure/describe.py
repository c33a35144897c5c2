"""What a profile says of a measurement, finished or not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from profiler.measure.journal import Plan
from profiler.record.observations import Answers, Observations
from profiler.record.summary import summarise
from profiler.tasks import open_task
from tailq import artefact
from tailq.profile import Convergence, Profile, Server, StoppedBy
from tailq.tier import ConfidenceIn, Seconds

_FILE = "context.json"


class Context(BaseModel):
    """What a profile says beside its plan and what was measured; kept in OUT.partial, too.

    server: the Triton that was measured last. deadlines_s: that the quality is told at.
    confidence: where the variants tell theirs, by name; one that is not here has none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)

    schema_: Annotated[Literal["tailq.context/1"], Field(alias="schema")] = "tailq.context/1"
    server: Server
    deadlines_s: tuple[Seconds, ...]
    confidence: dict[str, ConfidenceIn] = {}

    @classmethod
    def read(cls, folder: Path) -> "Context":
        """Read what `write` wrote. Raises ArtefactError."""
        return artefact.read(folder / _FILE, cls)

    def write(self, folder: Path) -> None:
        """Keep it in the folder of a measurement. Raises ArtefactError."""
        artefact.write(folder / _FILE, self)


@dataclass(frozen=True)
class Ending:
    """How a measurement ended, or where it stands."""

    stopped_by: StoppedBy
    convergence: Sequence[Convergence]
    finished: datetime


def describe(
    plan: Plan,
    context: Context,
    ending: Ending,
    answers: Answers,
    observations: Observations,
    id_: str,
    files: Mapping[str, str],
) -> Profile:
    """The summary of what was measured. id_, files: as in Profile."""
    versions = {variant.name: (variant.version, variant.fingerprint) for variant in plan.variants}
    metric = open_task(plan.metric.task, plan.metric.name).metric
    variants = summarise(
        answers, observations, context.deadlines_s, versions, metric, context.confidence
    )
    return Profile(
        id=id_,
        service=plan.service,
        started=plan.started,
        finished=ending.finished,
        dataset=plan.dataset,
        server=context.server,
        loads=tuple(at.load for at in variants[0].loads),
        metric=plan.metric,
        stopped_by=ending.stopped_by,
        convergence=tuple(ending.convergence),
        files=dict(files),
        variants=variants,
    )

"""The profile: what was measured on which system. A folder, written by `tailq-profile run`.

profile.json          this schema: conditions, fingerprint and a summary of each variant
answers.parquet       one row a (variant, sample): what each variant answers to every sample
observations.parquet  one row a timed request: what was answered and when, jointly
"""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from tailq import artefact
from tailq.tier import Name, Ratio, Seconds

FILE = "profile.json"
ANSWERS = "answers.parquet"
OBSERVATIONS = "observations.parquet"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)


class QualityAtDeadline(_Frozen):
    """Quality of one variant at one deadline and load, over the profiled rounds.

    quality: mean over rounds. tail_5, tail_1, worst: 5 % and 1 % quantile and minimum over rounds.
    """

    deadline_s: Seconds
    quality: Ratio
    tail_5: Ratio
    tail_1: Ratio
    worst: Ratio


class VariantAtLoad(_Frozen):
    """Latency of one variant with `load` requests in flight on the device, client side.

    failed: of the requests, how many got no answer. p50_s, p99_s: of those answered; for the
    quality at a deadline the failed ones count as late.
    """

    load: Annotated[int, Field(ge=1)]
    rounds: Annotated[int, Field(ge=1)]
    requests: Annotated[int, Field(ge=1)]
    failed: Annotated[int, Field(ge=0)] = 0
    p50_s: Seconds
    p99_s: Seconds
    at_deadlines: tuple[QualityAtDeadline, ...]


class VariantProfile(_Frozen):
    """One variant: its quality without a deadline, its latencies, and what exactly it was.

    fingerprint: hash over model name, version, backend and configuration as Triton reports them.
    """

    name: str
    version: str
    fingerprint: str
    accuracy: Ratio
    loads: Annotated[tuple[VariantAtLoad, ...], Field(min_length=1)]


class DataSet(_Frozen):
    """The labelled samples the profile rests on. sha256: over inputs and labels."""

    name: str
    samples: Annotated[int, Field(ge=1)]
    sha256: str


class Server(_Frozen):
    """The Triton that was measured, as it names itself."""

    name: str
    version: str


class Profile(_Frozen):
    """Contents of profile.json.

    id: content hash of both Parquet files, so that a promise can name what it rests on.
    files: SHA-256 by file name, checked whenever the profile is opened.
    stopped_by: why no more rounds were measured.
    rjsd: the greatest of all variants and loads (see tailq.latency); None: too few rounds for it.
    """

    schema_: Annotated[Literal["tailq.profile/1"], Field(alias="schema")] = "tailq.profile/1"
    id: str
    service: Name
    started: datetime
    finished: datetime
    dataset: DataSet
    server: Server
    loads: Annotated[tuple[int, ...], Field(min_length=1)]
    stopped_by: Literal["converged", "budget"]
    rjsd: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None
    files: dict[str, str]
    variants: Annotated[tuple[VariantProfile, ...], Field(min_length=1)]


def read(folder: Path) -> Profile:
    """Read the summary of the profile in `folder`. Raises ArtefactError."""
    return artefact.read(folder / FILE, Profile)

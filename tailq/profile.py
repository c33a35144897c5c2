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
from tailq.calibration import Calibration
from tailq.load import LatencyUnderLoad
from tailq.tier import ConfidenceIn, Name, Ratio, Seconds

FILE = "profile.json"
ANSWERS = "answers.parquet"
OBSERVATIONS = "observations.parquet"

StoppedBy = Literal["converged", "precise", "budget", "interrupted"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)


class Prediction(_Frozen):
    """Quality at a deadline as predicted for a round of `requests` requests (profiler/predict).

    mean, tail_5, tail_1: of the predicted distribution over rounds. half_width: of the 90 %
    confidence interval of tail_5.
    """

    requests: Annotated[int, Field(ge=1)]
    mean: Ratio
    tail_5: Ratio
    tail_1: Ratio
    half_width: Annotated[float, Field(ge=0, allow_inf_nan=False)]


class QualityAtDeadline(_Frozen):
    """Quality of one variant at one deadline and load, over the profiled rounds.

    quality: mean over rounds. tail_5, tail_1, worst: 5 % and 1 % quantile and minimum over rounds.
    predicted: None where the metric is not additive.
    """

    deadline_s: Seconds
    quality: Ratio
    tail_5: Ratio
    tail_1: Ratio
    worst: Ratio
    predicted: Prediction | None = None


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
    service_s: device-seconds of one request: its median latency with nothing else in flight
        (at the lowest load, if it was never measured alone).
    calibration: from the model's confidence to expected quality. under_load: from the work
        outstanding on the device to its latency; None: too little was measured for it.
    confidence: where in its answers that is; None: they have none.
    """

    name: str
    version: str
    fingerprint: str
    quality: Ratio
    service_s: Seconds
    loads: Annotated[tuple[VariantAtLoad, ...], Field(min_length=1)]
    calibration: Calibration | None = None
    under_load: LatencyUnderLoad | None = None
    confidence: ConfidenceIn | None = None


class DataSet(_Frozen):
    """The labelled samples the profile rests on. sha256: over inputs and labels."""

    name: str
    samples: Annotated[int, Field(ge=1)]
    sha256: str


class Server(_Frozen):
    """The Triton that was measured, as it names itself."""

    name: str
    version: str


class Metric(_Frozen):
    """What quality means here.

    task, name: for example "classification" and "top-1" (profiler/tasks). additive: whether it is
    the mean of a score in [0, 1] that each answer has by itself.
    """

    task: str
    name: str
    additive: bool


class Convergence(_Frozen):
    """How sure the figures were after so many rounds at each load.

    inferences: timed requests so far. rjsd: the greatest of all variants and loads (see
    tailq.latency). half_width: the greatest of the predicted tail qualities at the deadlines.
    None: too few rounds for it.
    """

    rounds: Annotated[int, Field(ge=1)]
    inferences: Annotated[int, Field(ge=1)]
    rjsd: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None
    half_width: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None


class Profile(_Frozen):
    """Contents of profile.json.

    id: content hash of both Parquet files, so that a promise can name what it rests on.
    files: SHA-256 by file name, checked whenever the profile is opened.
    loads: requests in flight, closed loop, every variant in turn.
    stopped_by: why no more rounds were measured: the published rule was met (converged), or the
        tail quality is known to the asked precision (precise), or the limits were reached
        (budget). Never written: interrupted, what is there of a measurement that goes on.
    convergence: how it went, the last entry at the end.
    """

    schema_: Annotated[Literal["tailq.profile/2"], Field(alias="schema")] = "tailq.profile/2"
    id: str
    service: Name
    started: datetime
    finished: datetime
    dataset: DataSet
    server: Server
    loads: Annotated[tuple[int, ...], Field(min_length=1)]
    metric: Metric
    stopped_by: StoppedBy
    convergence: Annotated[tuple[Convergence, ...], Field(min_length=1)]
    files: dict[str, str]
    variants: Annotated[tuple[VariantProfile, ...], Field(min_length=1)]


def read(folder: Path) -> Profile:
    """Read the summary of the profile in `folder`. Raises ArtefactError."""
    return artefact.read(folder / FILE, Profile)

"""Tiers and the compiled tier table: what a client may ask for and what it is promised."""

from datetime import datetime
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from tailq.calibration import Calibration
from tailq.load import LatencyUnderLoad
from tailq.plan import Plan

Objective = Literal["response-time", "cost"]
# What becomes of a request for which, at present, no plan of its tier keeps the promise.
Otherwise = Literal["best_effort", "shed"]
Ratio = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}$")]

# The profile times Triton directly; behind the gateway an answer has one hop more. The hop takes
# a fraction of a millisecond (docs/gateway.md); promises leave it this much. Seconds.
GATEWAY_HOP_S = 0.002

# Requests of a tier that follow each other and whose quality is taken together, live and foretold.
LIVE_ROUND = 100
ROUND_LEVELS = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Basis(_Frozen):
    """What one promise rests on.

    samples: labelled samples that every variant answered. load: the profiled one (requests in
        flight) at which the plan loses most to lateness. timed: its timed requests there.
    lost_at_most: bound of the quality lost to lateness. slack: by how much quality the tier's
        limit is proven to be kept.
    """

    samples: Annotated[int, Field(ge=1)]
    load: Annotated[int, Field(ge=1)]
    timed: Annotated[int, Field(ge=1)]
    lost_at_most: Ratio
    slack: float


class Stop(_Frozen):
    """The requests at which a plan stops at one of its variants, had it all the time it wants.

    share: of all requests. quality: of each variant's answers to just these requests, in the
        order of the plan's `variants`.
    """

    share: Ratio
    quality: Annotated[tuple[Ratio, ...], Field(min_length=1)]


class Option(_Frozen):
    """A plan that is proven to keep a tier's limit at a deadline, and what it takes to foresee it.

    stops: one for each of the plan's variants, in their order; the shares add up to 1.
    work_s: device-seconds a request takes on average (`Served.service_s` of what is asked).
    """

    plan: Plan
    stops: Annotated[tuple[Stop, ...], Field(min_length=1)]
    work_s: Annotated[float, Field(ge=0, allow_inf_nan=False)]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        count = len(self.plan.variants)
        if len(self.stops) != count or any(len(stop.quality) != count for stop in self.stops):
            raise ValueError(f"plan {self.plan} needs {count} stops of {count} qualities")
        return self


class RoundQuality(_Frozen):
    """How the quality of live rounds is foretold to be spread.

    A round is LIVE_ROUND consecutive requests; its quality depends on which samples it happens to
    hold and on how many of them come late. quality: quantiles at ROUND_LEVELS, not falling.
    """

    quality: Annotated[tuple[Ratio, ...], Field(min_length=7, max_length=7)]


class Promise(_Frozen):
    """What one tier promises at one deadline, and the plan that keeps it.

    quality: the quality at `deadline_s` (a late answer counts as none) is at least this; holds
        with the table's confidence under the table's conditions.
    expected_quality, expected_on_time: the same shares as measured, at the worst profiled load.
    tail_quality: the 5 % quantile over profiled rounds of the quality at the deadline.
    p50_s, p99_s, mean_s: latency of the plan at the worst profiled load, seconds, client side.
    cost: device-seconds a request takes, times the price where prices are given.
    asks: mean number of variants that are asked.
    options: every plan that may be used for it, the best by the tier's objective first, which is
        `plan`; the others are for when the present load leaves that one too little time.
    rounds: of `plan` at the worst profiled load; None: it was not foretold.
    """

    deadline_s: Seconds
    plan: Plan
    quality: Ratio
    expected_quality: Ratio
    expected_on_time: Ratio
    tail_quality: Ratio
    p50_s: Seconds
    p99_s: Seconds
    mean_s: Seconds
    cost: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    asks: Annotated[float, Field(ge=1, allow_inf_nan=False)]
    basis: Basis
    options: tuple[Option, ...] = ()
    rounds: RoundQuality | None = None

    @model_validator(mode="after")
    def _plan_is_first(self) -> Self:
        if self.options and self.options[0].plan != self.plan:
            raise ValueError("the first option must be the promised plan")
        return self


class Limit(_Frozen):
    """How much worse than the reference a tier may be, as its owner said it.

    relative: quality >= (1 - value) * reference. absolute: quality >= reference - value.
    floor: quality >= value, whatever the reference.
    """

    kind: Literal["relative", "absolute", "floor"] = "relative"
    value: Ratio


class Tier(_Frozen):
    """A named tier.

    limit: what each of its promises is tested to keep.
    tolerance: the same as a share of the reference's measured quality that may be lost, which is
        what a client's `tolerance` is compared with; equal to a relative limit's value.
    percentile: of the response time that its plans minimise; None: the mean.
    priority: 1 goes first when requests wait for a place; equal ones by their deadlines.
    otherwise: what it gets instead while no plan keeps the promise: what can still be had, and
        said so, or a refusal at once.
    promises: one for each deadline at which the limit can be kept, by deadline ascending. The
        last one (the loosest deadline) is what a client gets who names no deadline.
    """

    name: Name
    limit: Limit
    tolerance: Ratio
    objective: Objective
    percentile: Annotated[float, Field(gt=0, lt=100)] | None = None
    priority: Annotated[int, Field(ge=1, le=64)] = 1
    otherwise: Otherwise = "best_effort"
    promises: Annotated[tuple[Promise, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _deadlines_ascend(self) -> Self:
        deadlines = [promise.deadline_s for promise in self.promises]
        if sorted(set(deadlines)) != deadlines:
            raise ValueError(f"deadlines of tier {self.name} must be distinct and ascending")
        return self

    @property
    def deadline_s(self) -> float:
        """The deadline that applies when a request names none, seconds."""
        return self.promises[-1].deadline_s

    @property
    def variants(self) -> frozenset[str]:
        """Every variant that one of its plans may ask."""
        return frozenset(
            name
            for promise in self.promises
            for plan in (promise.plan, *(option.plan for option in promise.options))
            for name in plan.variants
        )


class NotOffered(_Frozen):
    """A tier (at one deadline) that no plan can promise, and why."""

    name: Name
    deadline_s: Seconds
    why: str


class Reference(_Frozen):
    """The variant with the best quality without a deadline, and that quality as measured."""

    variant: str
    quality: Ratio


class Conditions(_Frozen):
    """What the promises rest on; outside of it the gateway says "best effort".

    profile: id of the profile. dataset: SHA-256 of its labelled samples. measured: when it was
        finished (with time zone).
    max_outstanding: the highest profiled load, requests in flight on the device at once.
    fingerprint: of the served system, by variant: model version, backend and configuration hash.
    """

    profile: str
    dataset: str
    measured: datetime
    max_outstanding: Annotated[int, Field(ge=1)]
    fingerprint: dict[str, str]


class ConfidenceIn(_Frozen):
    """Where in a variant's answer its confidence is, one figure for each sample of a batch.

    output: name of a floating-point tensor whose first axis is the batch. kind: how a sample's
        part of it becomes its confidence in [0, 1]: the greatest of its softmax, or its maximum.
    """

    output: str
    kind: Literal["softmax", "maximum"]


class ConfidenceSpread(_Frozen):
    """How a variant's confidence was spread over the profile's samples.

    upper: the greatest confidence in each of up to 15 bins, ascending; a bin holds what is above
        the one before it. share: of the samples, adding up to 1; about the same in each bin
        unless many samples share one confidence.
    """

    upper: Annotated[tuple[Ratio, ...], Field(min_length=1, max_length=15)]
    share: Annotated[tuple[Ratio, ...], Field(min_length=1, max_length=15)]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.upper) != len(self.share):
            raise ValueError("upper and share must be of one length")
        if any(left >= right for left, right in pairwise(self.upper)):
            raise ValueError("the bins of confidence must ascend")
        return self


class Served(_Frozen):
    """What the gateway knows of one variant, from the profile.

    service_s: device-seconds of one request. confidence: None: its answers have none.
    classes: whether the place of the greatest number of a sample's part of that output is the
        class that is answered, as labels name it. quality: without a deadline, over all samples.
    calibration, spread, under_load: None where the profile has none.
    """

    service_s: Seconds
    quality: Ratio | None = None
    confidence: ConfidenceIn | None = None
    classes: bool = False
    spread: ConfidenceSpread | None = None
    calibration: Calibration | None = None
    under_load: LatencyUnderLoad | None = None


SCHEMA: Literal["tailq.tiers/4"] = "tailq.tiers/4"


def _compile_again(found: object) -> object:
    """A table that another version of the profiler has compiled says what to do about it."""
    if isinstance(found, str) and found.startswith("tailq.tiers/") and found != SCHEMA:
        raise ValueError(
            f"is {found}, not {SCHEMA}, of another version: compile the tiers again "
            "(tailq-profile tiers PROFILE --spec SPEC --out TABLE)"
        )
    return found


def _distinct(tiers: "tuple[Tier, ...]") -> "tuple[Tier, ...]":
    names = [tier.name for tier in tiers]
    if len(set(names)) != len(names):
        raise ValueError("two tiers have the same name")
    return tiers


class TierTable(_Frozen):
    """The compiled tiers of one service: what `tailq-profile tiers` writes, the gateway reads.

    metric: what "quality" means, for example "top-1". confidence: probability that every promise
    in the table is true, under `conditions`. method: how plans were chosen and tested.
    served: by name of the variant; each one that an option may ask is there.
    default: the tier of requests that name none; without it such requests are refused.
    """

    schema_: Annotated[
        Literal["tailq.tiers/4"], Field(alias="schema"), BeforeValidator(_compile_again)
    ] = SCHEMA
    service: Name
    metric: str
    created: datetime
    confidence: Annotated[float, Field(gt=0, lt=1)]
    method: Literal["ltt", "bootstrap"]
    reference: Reference
    conditions: Conditions
    served: dict[str, Served] = {}
    default: str | None = None
    tiers: Annotated[tuple[Tier, ...], AfterValidator(_distinct)]
    not_offered: tuple[NotOffered, ...] = ()

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)

    @property
    def variants(self) -> frozenset[str]:
        """Every variant that a plan may ask."""
        return frozenset(name for tier in self.tiers for name in tier.variants)

    @model_validator(mode="after")
    def _default_exists(self) -> Self:
        if self.default is not None and self.default not in [tier.name for tier in self.tiers]:
            raise ValueError(f"default names {self.default!r}, which is not among the tiers")
        return self

"""Tiers and the compiled tier table: what a client may ask for and what it is promised."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from tailq.plan import Plan

Objective = Literal["response-time", "cost"]
Ratio = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}$")]


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


class Promise(_Frozen):
    """What one tier promises at one deadline, and the plan that keeps it.

    quality: the quality at `deadline_s` (a late answer counts as none) is at least this; holds
        with the table's confidence under the table's conditions.
    expected_quality, expected_on_time: the same shares as measured, at the worst profiled load.
    tail_quality: the 5 % quantile over profiled rounds of the quality at the deadline.
    p50_s, p99_s, mean_s: latency of the plan at the worst profiled load, seconds, client side.
    cost: device-seconds a request takes, times the price where prices are given.
    asks: mean number of variants that are asked.
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
    promises: one for each deadline at which the limit can be kept, by deadline ascending. The
        last one (the loosest deadline) is what a client gets who names no deadline.
    """

    name: Name
    limit: Limit
    tolerance: Ratio
    objective: Objective
    percentile: Annotated[float, Field(gt=0, lt=100)] | None = None
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
        return frozenset(name for promise in self.promises for name in promise.plan.variants)


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


def _distinct(tiers: "tuple[Tier, ...]") -> "tuple[Tier, ...]":
    names = [tier.name for tier in tiers]
    if len(set(names)) != len(names):
        raise ValueError("two tiers have the same name")
    return tiers


class TierTable(_Frozen):
    """The compiled tiers of one service: what `tailq-profile tiers` writes, the gateway reads.

    metric: what "quality" means, for example "top-1". confidence: probability that every promise
    in the table is true, under `conditions`. method: how plans were chosen and tested.
    default: the tier of requests that name none; without it such requests are refused.
    """

    schema_: Annotated[Literal["tailq.tiers/2"], Field(alias="schema")] = "tailq.tiers/2"
    service: Name
    metric: str
    created: datetime
    confidence: Annotated[float, Field(gt=0, lt=1)]
    method: Literal["ltt", "bootstrap"]
    reference: Reference
    conditions: Conditions
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

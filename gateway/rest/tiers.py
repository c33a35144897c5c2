"""The tiers as clients see them: GET /v1/tiers."""

from pydantic import BaseModel, Field

from tailq.tier import TierTable


class PromiseView(BaseModel):
    """What holds for requests of a tier with this deadline."""

    deadline_ms: float
    quality: float = Field(description="at least this, late answers counting as none")
    expected_quality: float = Field(description="the same as measured")
    expected_on_time: float
    p50_ms: float
    p99_ms: float
    mean_ms: float
    plan: str = Field(description="what is done with a request, in words")
    variants: list[str]


class TierView(BaseModel):
    """A tier that can be asked for by `tailq-tier`, or by `tolerance` and `objective`."""

    name: str
    default: bool
    tolerance: float
    objective: str
    deadline_ms: float = Field(description="applies when a request names none")
    priority: int = Field(description="1 goes first where requests wait")
    otherwise: str = Field(description="what it gets while no plan keeps the promise")
    promises: list[PromiseView]


class NotOfferedView(BaseModel):
    """A tier that no plan can promise."""

    name: str
    deadline_ms: float
    why: str


class TiersView(BaseModel):
    """All tiers of the service, and what their promises rest on."""

    service: str
    metric: str = Field(description="what quality means")
    confidence: float = Field(description="that every promise here is true")
    reference_quality: float = Field(description="of the best variant, without a deadline")
    profile: str
    measured: str
    max_outstanding: int = Field(description="promises hold up to this many requests in flight")
    tiers: list[TierView]
    not_offered: list[NotOfferedView]


def view(table: TierTable) -> TiersView:
    """The table for clients: milliseconds, and nothing that only operators need."""
    return TiersView(
        service=table.service,
        metric=table.metric,
        confidence=table.confidence,
        reference_quality=table.reference.quality,
        profile=table.conditions.profile,
        measured=table.conditions.measured.isoformat(),
        max_outstanding=table.conditions.max_outstanding,
        tiers=[
            TierView(
                name=tier.name,
                default=tier.name == table.default,
                tolerance=tier.tolerance,
                objective=tier.objective,
                deadline_ms=_ms(tier.deadline_s),
                priority=tier.priority,
                otherwise=tier.otherwise,
                promises=[
                    PromiseView(
                        deadline_ms=_ms(promise.deadline_s),
                        quality=promise.quality,
                        expected_quality=promise.expected_quality,
                        expected_on_time=promise.expected_on_time,
                        p50_ms=_ms(promise.p50_s),
                        p99_ms=_ms(promise.p99_s),
                        mean_ms=_ms(promise.mean_s),
                        plan=str(promise.plan),
                        variants=list(promise.plan.variants),
                    )
                    for promise in tier.promises
                ],
            )
            for tier in table.tiers
        ],
        not_offered=[
            NotOfferedView(name=tier.name, deadline_ms=_ms(tier.deadline_s), why=tier.why)
            for tier in table.not_offered
        ],
    )


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 6)

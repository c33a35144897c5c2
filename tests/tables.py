"""Tier tables for tests, built from the few figures a test is about."""

from datetime import UTC, datetime

from tailq.plan import Plan, Single
from tailq.tier import (
    Basis,
    Conditions,
    Limit,
    Objective,
    Promise,
    Reference,
    Tier,
    TierTable,
)


def promise(plan: str | Plan, deadline_s: float, quality: float = 0.9) -> Promise:
    """A promise of `quality` by a variant or another plan within `deadline_s` seconds."""
    return Promise(
        deadline_s=deadline_s,
        plan=Single(variant=plan) if isinstance(plan, str) else plan,
        quality=quality,
        expected_quality=min(1.0, quality + 0.01),
        expected_on_time=0.999,
        tail_quality=quality,
        p50_s=deadline_s / 10,
        p99_s=deadline_s / 2,
        mean_s=deadline_s / 8,
        cost=deadline_s / 10,
        asks=1.0,
        basis=Basis(samples=1000, load=1, timed=1000, lost_at_most=0.001, slack=0.001),
    )


def tier(
    name: str, tolerance: float, *promises: Promise, objective: Objective = "response-time"
) -> Tier:
    """A tier with these promises."""
    return Tier(
        name=name,
        limit=Limit(value=tolerance),
        tolerance=tolerance,
        objective=objective,
        promises=promises,
    )


def table(
    *tiers: Tier, default: str | None = None, max_outstanding: int = 8, service: str = "fashion"
) -> TierTable:
    """A tier table with these tiers."""
    return TierTable(
        service=service,
        metric="top-1",
        created=datetime(2026, 1, 2, tzinfo=UTC),
        confidence=0.95,
        method="ltt",
        reference=Reference(variant="large", quality=0.95),
        conditions=Conditions(
            profile="0123456789abcdef",
            dataset="0" * 64,
            measured=datetime(2026, 1, 1, tzinfo=UTC),
            max_outstanding=max_outstanding,
            fingerprint={},
        ),
        default=default,
        tiers=tiers,
    )

"""Tier tables for tests, built from the few figures a test is about."""

from datetime import UTC, datetime

from tailq.plan import Single
from tailq.tier import Conditions, Objective, Promise, Reference, Tier, TierTable


def promise(variant: str, deadline_s: float, quality: float = 0.9) -> Promise:
    """A promise of `quality` by `variant` within `deadline_s` seconds."""
    return Promise(
        deadline_s=deadline_s,
        plan=Single(variant=variant),
        quality=quality,
        expected_quality=min(1.0, quality + 0.01),
        expected_on_time=0.999,
        tail_quality=quality,
        p50_s=deadline_s / 10,
        p99_s=deadline_s / 2,
    )


def tier(
    name: str, tolerance: float, *promises: Promise, objective: Objective = "response-time"
) -> Tier:
    """A tier with these promises."""
    return Tier(name=name, tolerance=tolerance, objective=objective, promises=promises)


def table(
    *tiers: Tier, default: str | None = None, max_outstanding: int = 8, service: str = "fashion"
) -> TierTable:
    """A tier table with these tiers."""
    return TierTable(
        service=service,
        created=datetime(2026, 1, 2, tzinfo=UTC),
        confidence=0.95,
        reference=Reference(variant="large", quality=0.95),
        conditions=Conditions(
            profile="0123456789abcdef",
            measured=datetime(2026, 1, 1, tzinfo=UTC),
            max_outstanding=max_outstanding,
            fingerprint={},
        ),
        default=default,
        tiers=tiers,
    )

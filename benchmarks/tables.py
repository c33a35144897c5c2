"""Tier tables for benchmarks, built from the few figures that differ between them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from tailq.load import LatencyQuantile, LatencyUnderLoad
from tailq.tier import (
    Basis,
    Conditions,
    Limit,
    Option,
    Promise,
    Reference,
    Served,
    Tier,
    TierTable,
)


def under_load(
    knots: Sequence[float], idle_s: Sequence[float], factors: Mapping[float, float]
) -> LatencyUnderLoad:
    """A latency model. idle_s: what is multiplied, at each knot, by the factor of each level."""
    return LatencyUnderLoad(
        outstanding_s=tuple(knots),
        quantiles=tuple(
            LatencyQuantile(
                level=level, latency_s=tuple(factor * s for s in idle_s), exceeded=1 - level
            )
            for level, factor in factors.items()
        ),
    )


def promise(deadline_s: float, quality: float, expected: float, *options: Option) -> Promise:
    """A promise by the first of the options."""
    return Promise(
        deadline_s=deadline_s,
        plan=options[0].plan,
        quality=quality,
        expected_quality=expected,
        expected_on_time=0.999,
        tail_quality=quality,
        p50_s=deadline_s / 10,
        p99_s=deadline_s / 2,
        mean_s=deadline_s / 8,
        cost=deadline_s / 10,
        asks=1.0,
        basis=Basis(samples=5000, load=1, timed=5000, lost_at_most=0.005, slack=0.001),
        options=options,
    )


def tier(name: str, tolerance: float, *promises: Promise) -> Tier:
    """A tier with these promises."""
    return Tier(
        name=name,
        limit=Limit(value=tolerance),
        tolerance=tolerance,
        objective="response-time",
        promises=promises,
    )


def table(
    *tiers: Tier, served: dict[str, Served], reference: Reference, max_outstanding: int
) -> TierTable:
    """A table of the service "fashion", the first of these tiers by default."""
    day = datetime(2026, 1, 1, tzinfo=UTC)
    return TierTable(
        service="fashion",
        metric="top-1",
        created=day,
        confidence=0.95,
        method="ltt",
        reference=reference,
        conditions=Conditions(
            profile="benchmark",
            dataset="0" * 64,
            measured=day,
            max_outstanding=max_outstanding,
            fingerprint={},
        ),
        served=served,
        default=tiers[0].name,
        tiers=tiers,
    )

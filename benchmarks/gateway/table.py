"""A tier table for the two variants of the benchmark, with all that a real one has.

The latencies are round figures above what these variants take, so that promises are always kept:
what a decision costs does not depend on them.
"""

from datetime import UTC, datetime
from typing import Final

from tailq.load import LatencyQuantile, LatencyUnderLoad
from tailq.plan import Single
from tailq.tier import (
    Basis,
    Conditions,
    ConfidenceIn,
    Limit,
    Option,
    Promise,
    Reference,
    Served,
    Stop,
    Tier,
    TierTable,
)

SMALL: Final = "fashion_nano"
HEAVY: Final = "fashion_large"
DEADLINE_S: Final = 2.0
OUTSTANDING: Final = 8


def table() -> TierTable:
    """Tier `small` is answered by the smallest variant, `heavy` by the heaviest."""
    return TierTable(
        service="fashion",
        metric="top-1",
        created=datetime(2026, 1, 1, tzinfo=UTC),
        confidence=0.95,
        method="ltt",
        reference=Reference(variant=HEAVY, quality=0.94),
        conditions=Conditions(
            profile="benchmark",
            dataset="0" * 64,
            measured=datetime(2026, 1, 1, tzinfo=UTC),
            max_outstanding=OUTSTANDING,
            fingerprint={},
        ),
        served={SMALL: _served(0.001), HEAVY: _served(0.02)},
        default="small",
        tiers=(_tier("small", SMALL, 0.86, 0.1), _tier("heavy", HEAVY, 0.94, 0.01)),
    )


def _served(service_s: float) -> Served:
    knots = tuple(service_s * load for load in range(OUTSTANDING))
    return Served(
        service_s=service_s,
        confidence=ConfidenceIn(output="logits", kind="softmax"),
        under_load=LatencyUnderLoad(
            outstanding_s=knots,
            quantiles=tuple(
                LatencyQuantile(
                    level=level,
                    latency_s=tuple(factor * (service_s + knot) for knot in knots),
                    exceeded=1 - level,
                )
                for level, factor in ((0.5, 1.0), (0.9, 1.5), (0.99, 2.5))
            ),
        ),
    )


def _tier(name: str, variant: str, quality: float, tolerance: float) -> Tier:
    plan = Single(variant=variant)
    promise = Promise(
        deadline_s=DEADLINE_S,
        plan=plan,
        quality=quality - 0.02,
        expected_quality=quality,
        expected_on_time=1.0,
        tail_quality=quality - 0.05,
        p50_s=0.02,
        p99_s=0.1,
        mean_s=0.03,
        cost=0.02,
        asks=1.0,
        basis=Basis(samples=5000, load=OUTSTANDING, timed=5000, lost_at_most=0.01, slack=0.01),
        options=(Option(plan=plan, stops=(Stop(share=1.0, quality=(quality,)),), work_s=0.02),),
    )
    return Tier(
        name=name,
        limit=Limit(value=tolerance),
        tolerance=tolerance,
        objective="response-time",
        promises=(promise,),
    )

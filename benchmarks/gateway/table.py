"""A tier table for the two variants of the benchmark, with all that a real one has.

The latencies are round figures above what these variants take, so that promises are always kept:
what a decision costs does not depend on them.
"""

from typing import Final

from benchmarks import tables
from tailq.calibration import Calibration
from tailq.plan import Single
from tailq.tier import (
    ConfidenceIn,
    ConfidenceSpread,
    Option,
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

# Fifty knots and fifteen bins, as profiles of 5000 samples have them.
CALIBRATION: Final = Calibration(
    confidence=tuple(0.3 + 0.7 * k / 49 for k in range(50)),
    quality=tuple(0.2 + 0.8 * k / 49 for k in range(50)),
    bins=(),
    error=0.0,
    calibrated_error=0.0,
)
SPREAD: Final = ConfidenceSpread(upper=tuple((k + 1) / 15 for k in range(15)), share=(1 / 15,) * 15)


def table() -> TierTable:
    """Tier `small` is answered by the smallest variant, `heavy` by the heaviest."""
    return tables.table(
        _tier("small", SMALL, 0.86, 0.1),
        _tier("heavy", HEAVY, 0.94, 0.01),
        served={SMALL: _served(0.001), HEAVY: _served(0.02)},
        reference=Reference(variant=HEAVY, quality=0.94),
        max_outstanding=OUTSTANDING,
    )


def _served(service_s: float) -> Served:
    knots = [service_s * load for load in range(OUTSTANDING)]
    idle_s = [service_s + knot for knot in knots]
    return Served(
        service_s=service_s,
        confidence=ConfidenceIn(output="logits", kind="softmax"),
        classes=True,
        calibration=CALIBRATION,
        spread=SPREAD,
        under_load=tables.under_load(knots, idle_s, {0.5: 1.0, 0.9: 1.5, 0.99: 2.5}),
    )


def _tier(name: str, variant: str, quality: float, tolerance: float) -> Tier:
    only = Option(
        plan=Single(variant=variant),
        stops=(Stop(share=1.0, quality=(quality,)),),
        work_s=0.02,
    )
    return tables.tier(name, tolerance, tables.promise(DEADLINE_S, quality - 0.02, quality, only))

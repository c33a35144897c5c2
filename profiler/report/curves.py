"""Quality against deadline: what is drawn of the rounds of a variant or a plan."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from profiler.record.evidence import Evidence
from profiler.record.summary import quality_of_rounds
from profiler.replay import replay
from profiler.tiers.measured import quality_of_rounds as quality_of_plan
from tailq.plan import Plan
from tailq.profile import VariantProfile
from tailq.quality import tail

Floats = NDArray[np.float64]

_THRESHOLDS = 100


@dataclass(frozen=True)
class Curve:
    """Quality at each deadline over the rounds at one load. All but `load`: [D].

    deadline_s: ascending, seconds. mean, tail_5, tail_1, worst: over rounds, in [0, 1].
    """

    load: int
    deadline_s: Floats
    mean: Floats
    tail_5: Floats
    tail_1: Floats
    worst: Floats

    def at(self, deadline_s: float) -> int:
        """Index of the drawn deadline nearest to `deadline_s` (in ratio)."""
        return int(np.abs(np.log(self.deadline_s / deadline_s)).argmin())


def thresholds(evidence: Evidence, deadlines_s: Sequence[float]) -> Floats:
    """The deadlines to draw quality at: even in log time from the smallest to the largest latency.

    As in arXiv 2212.13925, a grid of 100, on which the profiled deadlines are put exactly. An
    outage of seconds would flatten everything else, so the grid ends where 99.9 % of each
    variant's answers are in, unless a deadline is later. Returns [D] seconds.
    """
    latency = np.concatenate([timed.latency_s for timed in evidence.by_load.values()])
    answered = np.where(np.isfinite(latency), latency, np.nan)
    first = float(np.nanmin(answered))
    last = float(np.nanmax(np.nanquantile(answered, 0.999, axis=0)))
    last = max([last, *(1.2 * deadline for deadline in deadlines_s)])
    grid = np.geomspace(0.9 * first, 1.2 * last, _THRESHOLDS)
    return np.union1d(grid, np.asarray(deadlines_s, dtype=np.float64))


def curve_of(quality: Floats, load: int, deadline_s: Floats) -> Curve:
    """Summarise the quality of rounds, [R, D], at one load."""
    return Curve(
        load=load,
        deadline_s=deadline_s,
        mean=np.asarray(quality.mean(axis=0)),
        tail_5=tail(quality, 0.05),
        tail_1=tail(quality, 0.01),
        worst=tail(quality, 0.0),
    )


def variant_curves(evidence: Evidence, variant: str, deadline_s: Floats) -> tuple[Curve, ...]:
    """A curve for each profiled load, by load ascending. Only for additive metrics."""
    index = evidence.index(variant)
    return tuple(
        curve_of(quality_of_rounds(evidence, index, load, deadline_s.tolist()), load, deadline_s)
        for load in sorted(evidence.by_load)
    )


def plan_curve(plan: Plan, evidence: Evidence, load: int, deadline_s: Floats) -> Curve:
    """Quality of a plan at one load, replayed at each deadline. Only for additive metrics.

    The plan stays as it is: what it would do at another deadline than its own.
    """
    quality = [
        quality_of_plan(plan, evidence, load, replay(plan, evidence, load, float(d)), None)
        for d in deadline_s
    ]
    return curve_of(np.stack(quality, axis=1), load, deadline_s)


def profiled_curves(variant: VariantProfile) -> tuple[Curve, ...]:
    """The same at the profiled deadlines alone: all that a metric that is not additive has."""
    return tuple(
        Curve(
            at.load,
            *(
                np.array([getattr(quality, name) for quality in at.at_deadlines])
                for name in ("deadline_s", "quality", "tail_5", "tail_1", "worst")
            ),
        )
        for at in sorted(variant.loads, key=lambda at: at.load)
    )


def worst(curves: Sequence[Curve]) -> Curve:
    """The curve of the load that costs most quality, averaged over the drawn deadlines."""
    return min(curves, key=lambda curve: float(curve.mean.mean()))

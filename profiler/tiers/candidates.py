"""The plan space: every plan a tier may use, with what it is chosen by, from the replay.

Thresholds and rescue times are fixed grids, not quantiles of the measured confidences or
latencies: a plan that is itself a figure of the data could not be tested on the same data.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from profiler.record.evidence import Evidence
from profiler.replay import replay, sweep, without_deadline
from profiler.replay.sweep import mixed
from profiler.tiers.spec import Kind
from tailq.plan import Cascade, Plan, Race, Rescue, Single

# Even steps where small models are unsure, then ever closer to 1, where overconfident ones live.
THRESHOLDS: tuple[float, ...] = (
    *(round(0.30 + 0.04 * step, 2) for step in range(16)),
    *(float(f"{1 - 0.1 * (2 / 3) ** step:.7g}") for step in range(1, 29)),
)

# Of the deadline, what a rescuer is left with.
RESCUE_SHARES = (1 / 2, 1 / 4, 1 / 8, 1 / 16)


@dataclass(frozen=True)
class Candidate:
    """A plan and its figures at the highest profiled load.

    expected: quality at the deadline by its mean score. wait_s: mean or percentile of the seconds
    until an answer leaves, or the deadline passes. cost: device-seconds times price.
    """

    plan: Plan
    expected: float
    wait_s: float
    cost: float


@dataclass(frozen=True)
class Space:
    """Which plans there are, and at what they are looked at.

    kinds: of plan. deadline_s: where latencies were measured, so without the gateway's hop.
    percentile: of the response time, in (0, 100); None: its mean. prices: by variant.
    """

    kinds: Collection[Kind]
    deadline_s: float
    percentile: float | None = None
    prices: Mapping[str, float] | None = None


def candidates(evidence: Evidence, space: Space) -> list[Candidate]:
    """Every plan of the space with its figures, in no particular order."""
    found: list[Candidate] = []
    if "single" in space.kinds:
        found += [_replayed(Single(variant=v), evidence, space) for v in evidence.variants]
    for first, second in _pairs(evidence):
        for plan in _with_thresholds(first, second, space.kinds):
            found += _swept(plan, evidence, space)
        if "rescue" in space.kinds:
            found += [
                _replayed(plan, evidence, space)
                for plan in rescues(second, first, space.deadline_s)
            ]
    return found


def rescues(primary: str, rescuer: str, deadline_s: float) -> list[Rescue]:
    """The rescues of a pair, the earliest first."""
    return [
        Rescue(primary=primary, rescuer=rescuer, after_s=float(f"{deadline_s * (1 - share):.6g}"))
        for share in RESCUE_SHARES
    ]


def _pairs(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Pairs of a variant and one that takes the device for longer."""
    service = dict(zip(evidence.variants, evidence.service_s.tolist(), strict=True))
    return (
        (first, second)
        for first, second in permutations(evidence.variants, 2)
        if service[first] < service[second]
    )


def _with_thresholds(first: str, second: str, kinds: Collection[Kind]) -> Iterator[Cascade | Race]:
    """The plans of a pair that differ in kind; their threshold is yet to be chosen."""
    if "cascade" in kinds:
        yield Cascade(stages=(first, second), thresholds=(0.0,))
    if "race" in kinds:
        yield Race(fast=first, accurate=second, threshold=0.0, terminate=True)
        yield Race(fast=first, accurate=second, threshold=0.0, terminate=False)


def _replayed(plan: Single | Rescue, evidence: Evidence, space: Space) -> Candidate:
    load = max(evidence.by_load)
    seen = replay(plan, evidence, load, space.deadline_s, space.prices)
    undisturbed = without_deadline(plan, evidence)
    lost = undisturbed[evidence.by_load[load].sample] - seen.score
    waits = np.minimum(seen.response_s, space.deadline_s)
    wait = waits.mean() if space.percentile is None else np.percentile(waits, space.percentile)
    return Candidate(
        plan, float(undisturbed.mean() - lost.mean()), float(wait), float(seen.cost.mean())
    )


def _swept(plan: Cascade | Race, evidence: Evidence, space: Space) -> list[Candidate]:
    load = max(evidence.by_load)
    first, second = (evidence.index(variant) for variant in plan.variants)
    grid = np.array(THRESHOLDS)
    figures = sweep(plan, grid, evidence, load, space.deadline_s, space.prices, space.percentile)
    undisturbed = mixed(
        evidence.confidence[:, first],
        grid,
        evidence.score[:, first : first + 1],
        evidence.score[:, second : second + 1],
    )[:, 0]
    return [
        Candidate(_at(plan, threshold), expected, wait, cost)
        for threshold, expected, wait, cost in zip(
            THRESHOLDS,
            (undisturbed - figures.lost).tolist(),
            figures.wait_s.tolist(),
            figures.cost.tolist(),
            strict=True,
        )
    ]


def _at(plan: Cascade | Race, threshold: float) -> Plan:
    if isinstance(plan, Race):
        return plan.model_copy(update={"threshold": threshold})
    return plan.model_copy(update={"thresholds": (threshold,)})

"""The plan space: every plan a tier may use, with what it is chosen by, from the replay.

Thresholds and rescue times are fixed grids, not quantiles of the measured confidences or
latencies: a plan that is itself a figure of the data could not be tested on the same data.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from profiler.record.evidence import Evidence
from profiler.replay import Sweep, replay, sweep, without_deadline
from profiler.replay.sweep import mixed
from profiler.tiers.spec import Kind
from tailq.plan import Cascade, Plan, Race, Rescue, Single

# Even steps where small models are unsure, then ever closer to 1, where overconfident ones live.
THRESHOLDS: tuple[float, ...] = (
    *(round(0.30 + 0.04 * step, 2) for step in range(16)),
    *(float(f"{1 - 0.1 * (2 / 3) ** step:.7g}") for step in range(1, 29)),
)

# A race begins with two requests in flight, so it needs a profile of as many.
IN_FLIGHT_OF_A_RACE = 2

# Of the deadline, what a rescuer is left with.
RESCUE_SHARES = (1 / 2, 1 / 4, 1 / 8, 1 / 16)


@dataclass(frozen=True)
class Candidate:
    """A plan and its figures at the highest profiled load.

    expected: quality at the deadline by its mean score. wait_s: mean or percentile of the seconds
    until an answer leaves, or the deadline passes; p99_s: their 99th percentile. cost:
    device-seconds times price; work_s: device-seconds alone.
    """

    plan: Plan
    expected: float
    wait_s: float
    p99_s: float
    cost: float
    work_s: float


@dataclass(frozen=True)
class Space:
    """Which plans there are, and at what they are looked at.

    kinds: of plan. deadline_s: where latencies were measured, so without the gateway's hop.
    percentile: of the response time, in (0, 100); None: its mean. prices: by variant. unsure:
    variants whose confidence nobody could go by, because their answers do not tell it.
    """

    kinds: Collection[Kind]
    deadline_s: float
    percentile: float | None = None
    prices: Mapping[str, float] | None = None
    unsure: Collection[str] = ()


def candidates(evidence: Evidence, space: Space) -> list[Candidate]:
    """Every plan of the space with its figures, in no particular order."""
    found: list[Candidate] = []
    if "single" in space.kinds:
        found += [_replayed(Single(variant=v), evidence, space) for v in evidence.variants]
    for first, second in _pairs(evidence):
        if first not in space.unsure:
            for plan in _with_thresholds(first, second, evidence, space.kinds):
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


def _with_thresholds(
    first: str, second: str, evidence: Evidence, kinds: Collection[Kind]
) -> Iterator[Cascade | Race]:
    """The plans of a pair that differ in kind; their threshold is yet to be chosen."""
    if "cascade" in kinds:
        yield Cascade(stages=(first, second), thresholds=(0.0,))
    if "race" in kinds and max(evidence.by_load) >= IN_FLIGHT_OF_A_RACE:
        yield Race(fast=first, accurate=second, threshold=0.0, terminate=True)
        yield Race(fast=first, accurate=second, threshold=0.0, terminate=False)


def _replayed(plan: Single | Rescue, evidence: Evidence, space: Space) -> Candidate:
    load = max(evidence.by_load)
    seen = replay(plan, evidence, load, space.deadline_s, space.prices)
    work = seen if not space.prices else replay(plan, evidence, load, space.deadline_s)
    undisturbed = without_deadline(plan, evidence)
    lost = undisturbed[evidence.by_load[load].sample] - seen.score
    waits = np.minimum(seen.response_s, space.deadline_s)
    wait = waits.mean() if space.percentile is None else np.percentile(waits, space.percentile)
    return Candidate(
        plan,
        expected=float(undisturbed.mean() - lost.mean()),
        wait_s=float(wait),
        p99_s=float(np.percentile(waits, 99)),
        cost=float(seen.cost.mean()),
        work_s=float(work.cost.mean()),
    )


def _swept(plan: Cascade | Race, evidence: Evidence, space: Space) -> list[Candidate]:
    load = max(evidence.by_load)
    first, second = (evidence.index(variant) for variant in plan.variants)
    grid = np.array(THRESHOLDS)

    def swept(percentile: float | None, prices: Mapping[str, float] | None) -> Sweep:
        return sweep(plan, grid, evidence, load, space.deadline_s, prices, percentile)

    figures = swept(space.percentile, space.prices)
    slow = swept(99, None)
    undisturbed = mixed(
        evidence.confidence[:, first],
        grid,
        evidence.score[:, first : first + 1],
        evidence.score[:, second : second + 1],
    )[:, 0]
    return [
        Candidate(_at(plan, threshold), *of_plan)
        for threshold, *of_plan in zip(
            THRESHOLDS,
            (undisturbed - figures.lost).tolist(),
            figures.wait_s.tolist(),
            slow.wait_s.tolist(),
            figures.cost.tolist(),
            slow.cost.tolist(),
            strict=True,
        )
    ]


def _at(plan: Cascade | Race, threshold: float) -> Plan:
    if isinstance(plan, Race):
        return plan.model_copy(update={"threshold": threshold})
    return plan.model_copy(update={"thresholds": (threshold,)})

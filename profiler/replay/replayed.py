"""Replaying one plan, vectorised over requests. The semantics of plans are those of tailq.plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from profiler.record.evidence import Evidence
from tailq.plan import Cascade, Plan, Race, Rescue, Single

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

NOBODY = -1


@dataclass(frozen=True)
class Replayed:
    """A plan replayed on the M timed requests at one load.

    score: [M] of the answer that leaves by the deadline, 0 where none does. answered: [M] column
    of the variant whose answer that is, -1 where none does. response_s: [M] seconds until it
    leaves, inf where none does; an answer that was in hand while a better one was awaited in vain
    leaves at the deadline. asks: [M] variants asked. cost: [M] device-seconds times price.
    """

    score: Floats
    answered: Ints
    response_s: Floats
    asks: Floats
    cost: Floats


@dataclass(frozen=True)
class Rows:
    """The timed requests at one load as a plan of K variants meets them, in the plan's order.

    columns: [K] of the variants in the evidence. score, confidence, latency_s: [M, K].
    service_s, price: [K] device-seconds of a request, and what a device-second costs.
    deadline_s: from the request on.
    """

    columns: Ints
    score: Floats
    confidence: Floats
    latency_s: Floats
    service_s: Floats
    price: Floats
    deadline_s: float

    @property
    def cost(self) -> Floats:
        """Of one request to each variant: [K]."""
        return self.service_s * self.price

    def in_time(self, after_s: ArrayLike) -> Bools:
        """Which answers come by the deadline, if they come so many seconds after the request."""
        return np.asarray((np.asarray(after_s) <= self.deadline_s) & np.isfinite(after_s))


def replay(
    plan: Plan,
    evidence: Evidence,
    load: int,
    deadline_s: float,
    prices: Mapping[str, float] | None = None,
) -> Replayed:
    """Replay `plan` on the timed requests at `load`.

    deadline_s: from the request to the answer's arrival where latencies were measured; inf for
    none. prices: of a device-second, by variant; 1 where none is given.
    Raises ValueError if the plan asks a variant or the load is one that was not measured.
    """
    rows = rows_of(plan, evidence, load, deadline_s, prices)
    match plan:
        case Single():
            return cascade(rows, [])
        case Cascade():
            return cascade(rows, _confident(rows.confidence, plan.thresholds))
        case Race():
            [confident] = _confident(rows.confidence, [plan.threshold])
            return race(rows, confident, terminate=plan.terminate)
        case Rescue():
            return rescue(rows, plan.after_s)


def without_deadline(plan: Plan, evidence: Evidence) -> Floats:
    """Score of the plan's answer to every sample when nothing is late: [N]."""
    return np.asarray(np.take_along_axis(evidence.score, chosen(plan, evidence)[:, None], 1)[:, 0])


def chosen(plan: Plan, evidence: Evidence) -> Ints:
    """Column of the variant whose answer the plan gives to every sample, nothing late: [N]."""
    columns = [evidence.index(variant) for variant in plan.variants]
    if isinstance(plan, Single | Rescue):
        return np.full(evidence.samples, columns[0])
    thresholds = plan.thresholds if isinstance(plan, Cascade) else [plan.threshold]
    answers = np.full(evidence.samples, columns[-1])
    confident = _confident(evidence.confidence[:, columns], thresholds)
    for column, keep in reversed(list(zip(columns, confident, strict=False))):
        answers[keep] = column
    return answers


def rows_of(
    plan: Plan,
    evidence: Evidence,
    load: int,
    deadline_s: float,
    prices: Mapping[str, float] | None = None,
) -> Rows:
    """The timed requests at `load` as the plan meets them. Arguments and errors as in `replay`."""
    if load not in evidence.by_load:
        raise ValueError(f"load {load} was not measured, only {sorted(evidence.by_load)}")
    timed = evidence.by_load[load]
    columns = np.array([evidence.index(variant) for variant in plan.variants])
    return Rows(
        columns=columns,
        score=evidence.score[:, columns][timed.sample],
        confidence=evidence.confidence[:, columns][timed.sample],
        latency_s=timed.latency_s[:, columns],
        service_s=evidence.service_s[columns],
        price=np.array([(prices or {}).get(variant, 1.0) for variant in plan.variants]),
        deadline_s=deadline_s,
    )


def _confident(confidence: Floats, thresholds: Sequence[float]) -> list[Bools]:
    """Which answers reach the threshold of their stage: [M] for each threshold."""
    return [confidence[:, stage] >= threshold for stage, threshold in enumerate(thresholds)]


def cascade(rows: Rows, confident: Sequence[Bools]) -> Replayed:
    """Ask one after the other. confident: [M] each, for every stage but the last."""
    m = len(rows.latency_s)
    clock, asks, cost = np.zeros(m), np.zeros(m), np.zeros(m)
    answered, response = np.full(m, NOBODY), np.full(m, np.inf)
    waiting = np.ones(m, dtype=np.bool_)
    for stage in range(rows.columns.size):
        asks += waiting
        cost += waiting * rows.cost[stage]
        clock = clock + rows.latency_s[:, stage]
        came = waiting & rows.in_time(clock)
        answered[came] = stage
        kept = came & confident[stage] if stage < len(confident) else came
        response[kept] = clock[kept]
        waiting = came & ~kept
    return _leaving(rows, answered, response, asks, cost)


def race(rows: Rows, confident: Bools, *, terminate: bool) -> Replayed:
    """Ask both, the fast and the accurate one, at once. confident: [M], of the fast answer."""
    fast, accurate = 0, 1
    fast_s, accurate_s = rows.latency_s.T
    has_fast, has_accurate = rows.in_time(fast_s), rows.in_time(accurate_s)
    kept = confident & has_fast & (fast_s <= accurate_s)
    answered = np.select([kept, has_accurate, has_fast], [fast, accurate, fast], NOBODY)
    response = np.select([kept, has_accurate], [fast_s, accurate_s], np.inf)
    # A terminated one has taken the device for at most as long as the fast answer took to come.
    ended = np.minimum(fast_s, rows.service_s[accurate]) * rows.price[accurate]
    other = np.where(kept & terminate, ended, rows.cost[accurate])
    return _leaving(rows, answered, response, np.full(len(kept), 2.0), rows.cost[fast] + other)


def rescue(rows: Rows, after_s: float) -> Replayed:
    """Ask the primary, and the rescuer `after_s` seconds later if it has not answered."""
    primary, rescuer = 0, 1
    primary_s, rescuer_s = rows.latency_s.T
    has_primary = rows.in_time(primary_s)
    asked = (primary_s > after_s) & (after_s <= rows.deadline_s)
    rescued = asked & rows.in_time(after_s + rescuer_s)
    answered = np.select([has_primary, rescued], [primary, rescuer], NOBODY)
    response = np.where(has_primary, primary_s, np.inf)
    cost = rows.cost[primary] + asked * rows.cost[rescuer]
    return _leaving(rows, answered, response, 1.0 + asked, cost)


def _leaving(
    rows: Rows, answered: Ints, response_s: Floats, asks: Floats, cost: Floats
) -> Replayed:
    """What waited in vain leaves at the deadline. answered: [M] in [0, K), or -1 for nobody."""
    some = answered != NOBODY
    score = rows.score[np.arange(some.size), np.maximum(answered, 0)]
    return Replayed(
        score=np.where(some, score, 0.0),
        answered=np.where(some, rows.columns[answered], NOBODY),
        response_s=np.where(some & np.isinf(response_s), rows.deadline_s, response_s),
        asks=asks,
        cost=cost,
    )

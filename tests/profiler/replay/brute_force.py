"""Plans executed request by request, as tailq.plan says, in plain Python: the reference."""

from dataclasses import dataclass
from math import inf

from profiler.record.evidence import Evidence
from tailq.plan import Cascade, Plan, Race, Rescue, Single


@dataclass
class Request:
    """One timed request: by variant how good its answer is, how sure, and how long it takes."""

    score: dict[str, float]
    confidence: dict[str, float]
    latency_s: dict[str, float]
    service_s: dict[str, float]
    price: dict[str, float]

    def cost(self, variant: str) -> float:
        return self.service_s[variant] * self.price[variant]


@dataclass
class Outcome:
    """What became of it."""

    score: float
    response_s: float
    asks: int
    cost: float


def requests(evidence: Evidence, load: int, prices: dict[str, float]) -> list[Request]:
    timed = evidence.by_load[load]
    names = evidence.variants
    return [
        Request(
            score=dict(zip(names, evidence.score[sample], strict=True)),
            confidence=dict(zip(names, evidence.confidence[sample], strict=True)),
            latency_s=dict(zip(names, latency, strict=True)),
            service_s=dict(zip(names, evidence.service_s, strict=True)),
            price={name: prices.get(name, 1.0) for name in names},
        )
        for sample, latency in zip(timed.sample, timed.latency_s, strict=True)
    ]


def execute(plan: Plan, request: Request, deadline_s: float) -> Outcome:
    match plan:
        case Single():
            return _cascade(request, (plan.variant,), (), deadline_s)
        case Cascade():
            return _cascade(request, plan.stages, plan.thresholds, deadline_s)
        case Race():
            return _race(request, plan, deadline_s)
        case Rescue():
            return _rescue(request, plan, deadline_s)


def _cascade(
    r: Request, stages: tuple[str, ...], thresholds: tuple[float, ...], deadline_s: float
) -> Outcome:
    clock, cost, in_hand = 0.0, 0.0, None
    for asks, variant in enumerate(stages, start=1):
        cost += r.cost(variant)
        clock += r.latency_s[variant]
        if clock > deadline_s or clock == inf:
            if in_hand is None:
                return Outcome(0.0, inf, asks, cost)
            return Outcome(r.score[in_hand], deadline_s, asks, cost)
        in_hand = variant
        last = asks == len(stages)
        if last or r.confidence[variant] >= thresholds[asks - 1]:
            return Outcome(r.score[variant], clock, asks, cost)
    raise AssertionError


def _race(r: Request, plan: Race, deadline_s: float) -> Outcome:
    fast_s, accurate_s = r.latency_s[plan.fast], r.latency_s[plan.accurate]
    fast_in_time = fast_s <= deadline_s and fast_s < inf
    accurate_in_time = accurate_s <= deadline_s and accurate_s < inf
    both = r.cost(plan.fast) + r.cost(plan.accurate)
    sure = r.confidence[plan.fast] >= plan.threshold
    if fast_in_time and sure and fast_s <= accurate_s:
        cost = both
        if plan.terminate and fast_s < r.service_s[plan.accurate]:
            cost = r.cost(plan.fast) + fast_s * r.price[plan.accurate]
        return Outcome(r.score[plan.fast], fast_s, 2, cost)
    if accurate_in_time:
        return Outcome(r.score[plan.accurate], accurate_s, 2, both)
    if fast_in_time:
        return Outcome(r.score[plan.fast], deadline_s, 2, both)
    return Outcome(0.0, inf, 2, both)


def _rescue(r: Request, plan: Rescue, deadline_s: float) -> Outcome:
    primary_s = r.latency_s[plan.primary]
    rescuer_s = plan.after_s + r.latency_s[plan.rescuer]
    asked = primary_s > plan.after_s and plan.after_s <= deadline_s
    cost = r.cost(plan.primary) + (r.cost(plan.rescuer) if asked else 0.0)
    asks = 1 + int(asked)
    if primary_s <= deadline_s and primary_s < inf:
        return Outcome(r.score[plan.primary], primary_s, asks, cost)
    if asked and rescuer_s <= deadline_s and rescuer_s < inf:
        return Outcome(r.score[plan.rescuer], deadline_s, asks, cost)
    return Outcome(0.0, inf, asks, cost)

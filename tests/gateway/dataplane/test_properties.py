"""Random plans, loads, faults and departures in virtual time: what must hold whatever happens."""

import math
import random
from collections import Counter
from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.account import Account
from gateway.admission import Admission
from gateway.dataplane import Answer, Dataplane, Execution, Limits
from gateway.upstream.base import Failure, Payload, Refusal, Reply
from tailq.load import LatencyQuantile, LatencyUnderLoad
from tailq.plan import Plan
from tailq.route import Ask, Decision, Load, Router
from tailq.tier import Option, Otherwise, Promise, Served, Stop, TierTable
from tests.gateway.dataplane.bench import VARIANTS, says, told
from tests.gateway.dataplane.strategies import CONFIDENCES, plans
from tests.gateway.virtual import Behaviour, Records, ScriptedUpstream, VirtualClock
from tests.tables import promise, table, tier

ABANDON_S = 2.0
LONGEST_CANCEL_S = 1.0
LONGEST_DEADLINE_S = 0.5
LAST_ARRIVAL_S = 2.0
LATE_BY_S = 0.005
SERVICE_S = dict(zip(VARIANTS, (0.01, 0.02, 0.04, 0.08), strict=True))

a_plan = plans(st.floats(0, LONGEST_DEADLINE_S))
seconds = st.one_of(st.none(), st.floats(0, 0.2), st.floats(0, 3))
behaviours = st.one_of(
    st.builds(says, seconds, st.one_of(st.none(), st.sampled_from(CONFIDENCES))),
    st.builds(
        Behaviour,
        after_s=seconds,
        result=st.sampled_from(
            [
                Refusal("wrong"),
                Failure("lost", "gone"),
                Failure("unreachable", "nobody there"),
                Failure("unavailable", "queue is full", "busy"),
            ]
        ),
    ),
)
slow_to_cancel = st.builds(
    lambda behaviour, cancel_s: replace(behaviour, cancel_s=cancel_s),
    behaviours,
    st.floats(0, LONGEST_CANCEL_S),
)


@dataclass(frozen=True)
class Arrival:
    """One request: when, what, how long its body takes, whether and when its client leaves."""

    at_s: float
    tier: str
    deadline_s: float | None
    body_s: float
    leaves_s: float | None


arrivals = st.builds(
    Arrival,
    at_s=st.floats(0, LAST_ARRIVAL_S),
    tier=st.sampled_from(["gold", "fast"]),
    deadline_s=st.one_of(st.none(), st.floats(0.001, 1)),
    body_s=st.one_of(st.just(0.0), st.floats(0, 0.3)),
    leaves_s=st.one_of(st.none(), st.floats(0, 0.5)),
)


@dataclass(frozen=True)
class Fleet:
    """From a moment on so many endpoints serve all but these variants."""

    at_s: float
    endpoints: int
    absent: frozenset[str]


fleets = st.builds(
    Fleet, st.floats(0, LAST_ARRIVAL_S), st.integers(1, 3), st.frozensets(st.sampled_from(VARIANTS))
)


@dataclass(frozen=True)
class World:
    """All that surrounds the requests. erratic: how often a decision is another, in [0, 1]."""

    gold: tuple[Plan, Plan]
    fast: Plan
    otherwise: Otherwise
    erratic: float
    seed: int
    script: list[Behaviour]
    fleets: list[Fleet]
    places: int
    waiting: int
    limits: Limits


worlds = st.builds(
    World,
    gold=st.tuples(a_plan, a_plan),
    fast=a_plan,
    otherwise=st.sampled_from(["best_effort", "shed"]),
    erratic=st.sampled_from([0.0, 0.5]),
    seed=st.integers(0, 1 << 32),
    script=st.lists(slow_to_cancel, max_size=60),
    fleets=st.lists(fleets, max_size=3),
    places=st.integers(1, 6),
    waiting=st.integers(0, 6),
    limits=st.builds(
        Limits,
        at_deadline=st.sampled_from(["abandon", "cancel"]),
        abandon_s=st.just(ABANDON_S),
    ),
)


class Erratic(Router):
    """A router whose every decision may be to shed, or for another plan."""

    def __init__(self, tiers: TierTable, world: World) -> None:
        super().__init__(tiers)
        self._plans = (*world.gold, world.fast)
        self._share = world.erratic
        self._random = random.Random(world.seed)

    def decide(self, ask: Ask, elapsed_s: float, load: Load) -> Decision:
        """See Router."""
        assert 0 <= elapsed_s < math.inf
        decision = super().decide(ask, elapsed_s, load)
        drawn = self._random.random()
        if drawn < self._share / 4:
            return replace(decision, shed=True)
        if drawn < self._share:
            return replace(decision, plan=self._random.choice(self._plans))
        return decision


def _option(plan: Plan) -> Option:
    """Whichever variant answers, it is right nine times of ten."""
    count = len(plan.variants)
    return Option(
        plan=plan,
        stops=(Stop(share=1 / count, quality=(0.9,) * count),) * count,
        work_s=sum(SERVICE_S[variant] for variant in plan.variants),
    )


def _served(service_s: float) -> Served:
    """Twice as slow behind a tenth of a second of work."""
    quantiles = tuple(
        LatencyQuantile(
            level=level,
            latency_s=(factor * service_s, 2 * factor * service_s),
            exceeded=1 - level,
        )
        for level, factor in ((0.5, 1.0), (0.99, 3.0))
    )
    model = LatencyUnderLoad(outstanding_s=(0.0, 0.1), quantiles=quantiles)
    return Served(service_s=service_s, under_load=model)


def _tiers(world: World) -> TierTable:
    """Two tiers: the first decides by the model of latency under load, the other knows of none."""
    tighter, looser = world.gold

    def foreseen(plan: Plan, other: Plan, deadline_s: float) -> Promise:
        options = tuple(_option(each) for each in dict.fromkeys((plan, other)))
        return promise(plan, deadline_s, 0.85).model_copy(update={"options": options})

    gold = tier(
        "gold",
        0.0,
        foreseen(tighter, world.fast, 0.2),
        foreseen(looser, tighter, LONGEST_DEADLINE_S),
    )
    fast = tier("fast", 0.1, promise(world.fast, 0.05))
    return table(
        gold.model_copy(update={"otherwise": world.otherwise}),
        fast.model_copy(update={"priority": 2}),
        max_outstanding=3,
    ).model_copy(update={"served": {name: _served(seconds) for name, seconds in SERVICE_S.items()}})


class Run:
    """A world in virtual time, and what became of the requests in it."""

    def __init__(self, world: World) -> None:
        self.clock = VirtualClock()
        usual = dict.fromkeys(VARIANTS, says(0.01, 0.6))
        self.upstream = ScriptedUpstream(self.clock, list(world.script), usual)
        self.records = Records()
        self.account = Account(SERVICE_S)
        self.admission = Admission(
            self.account, self.clock, places=world.places, waiting=world.waiting
        )
        self.plane = Dataplane(
            Erratic(_tiers(world), world),
            self.upstream,
            self.clock,
            self.records,
            world.limits,
            account=self.account,
            admission=self.admission,
            read=told,
        )
        for fleet in world.fleets:
            self.clock.call_at(fleet.at_s, lambda f=fleet: self._change(f))  # type: ignore[misc]

    def _change(self, fleet: Fleet) -> None:
        self.upstream.endpoints, self.upstream.absent = fleet.endpoints, fleet.absent
        self.admission.scale(fleet.endpoints)

    def arrive(self, arrival: Arrival, answers: list[tuple[float, Answer]]) -> None:
        """A request, whose answers come into the list."""
        clock = self.clock
        execution = self.plane.open(
            Ask(tier=arrival.tier, deadline_s=arrival.deadline_s),
            clock.now(),
            lambda answer: answers.append((clock.now(), answer)),
        )
        if arrival.leaves_s is not None:
            clock.call_at(clock.now() + arrival.leaves_s, execution.leave)
        if arrival.body_s:
            clock.call_at(clock.now() + arrival.body_s, lambda: self._send(execution))
        else:
            self._send(execution)

    def _send(self, execution: Execution) -> None:
        execution.send(Payload([b""]))

    def holds_nothing(self) -> bool:
        """Whether nothing is left of any request."""
        return (
            self.clock.armed() == 0
            and (self.account.own, self.account.own_s) == (0, 0.0)
            and not any(self.account.in_flight.values())
            and self.admission.waiting == 0
        )


def _fits(answer: Answer) -> bool:
    """Whether outcome, result and the rest of an answer belong together."""
    result = answer.result
    match answer.outcome:
        case "on_time" | "rescued":
            return isinstance(result, Reply) and answer.best_effort is None
        case "best_effort":
            return isinstance(result, Reply) and answer.best_effort is not None
        case "failed":
            return isinstance(result, Failure)
        case "invalid":
            return isinstance(result, Refusal)
        case "late" | "shed" | "cancelled":
            return result is None


@settings(max_examples=300)
@given(worlds, st.lists(arrivals, max_size=30))
def test_every_request_has_one_outcome_by_its_deadline(
    world: World, requests: list[Arrival]
) -> None:
    """One outcome each, none after the deadline, and nothing left once upstream has ended."""
    run = Run(world)
    answers: list[list[tuple[float, Answer]]] = [[] for _ in requests]
    for arrival, mine in zip(requests, answers, strict=True):
        run.clock.call_at(arrival.at_s, lambda a=arrival, m=mine: run.arrive(a, m))  # type: ignore[misc]
    run.clock.run_until(LAST_ARRIVAL_S + LONGEST_DEADLINE_S + 3.0 + ABANDON_S + LONGEST_CANCEL_S)

    assert len(run.records.answers) == len(requests)
    for arrival, got in zip(requests, answers, strict=True):
        assert len(got) <= 1
        assert got or arrival.leaves_s is not None
        for at_s, answer in got:
            deadline_s = min(
                answer.decision.tier.deadline_s,
                math.inf if arrival.deadline_s is None else arrival.deadline_s,
            )
            assert answer.decision.deadline_s == deadline_s
            assert at_s <= arrival.at_s + deadline_s + LATE_BY_S
            assert isinstance(answer.result, Reply) <= (at_s < arrival.at_s + deadline_s)
    assert all(_fits(answer) for answer in run.records.answers)
    assert all(
        not isinstance(answer.result, Reply) or answer.variant in answer.asked
        for answer in run.records.answers
    )
    outcomes = Counter(answer.outcome for answer in run.records.answers)
    assert outcomes["cancelled"] == len(requests) - sum(map(len, answers))
    assert len(run.upstream.asked) == sum(len(answer.asked) for answer in run.records.answers)
    assert len(run.upstream.asked) == len(run.records.upstream)
    assert run.holds_nothing()

"""Random requests, faults and departures in virtual time: what must hold whatever happens."""

from collections import Counter
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from gateway.dataplane import Answer, Dataplane, Execution, Limits
from gateway.upstream.base import Failure, Payload, Refusal
from tailq.route import Ask, Router
from tests.gateway.virtual import REPLY, Behaviour, Records, ScriptedUpstream, VirtualClock
from tests.tables import promise, table, tier

TABLE = table(
    tier("gold", 0.0, promise("large", 0.2), promise("large", 0.5)),
    tier("fast", 0.1, promise("small", 0.05)),
    max_outstanding=3,
)
ABANDON_S = 2.0
LONGEST_CANCEL_S = 1.0

behaviours = st.builds(
    Behaviour,
    after_s=st.one_of(st.none(), st.floats(0, 3)),
    result=st.sampled_from([REPLY, Refusal("wrong"), Failure("lost", "gone")]),
    cancel_s=st.floats(0, LONGEST_CANCEL_S),
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
    at_s=st.floats(0, 2),
    tier=st.sampled_from(["gold", "fast"]),
    deadline_s=st.one_of(st.none(), st.floats(0.001, 1)),
    body_s=st.one_of(st.just(0.0), st.floats(0, 0.3)),
    leaves_s=st.one_of(st.none(), st.floats(0, 0.5)),
)
limits = st.builds(
    Limits,
    max_in_flight=st.integers(1, 6),
    at_deadline=st.sampled_from(["abandon", "cancel"]),
    abandon_s=st.just(ABANDON_S),
)


@given(st.lists(arrivals, max_size=30), st.lists(behaviours, max_size=30), limits)
def test_every_request_has_one_outcome_by_its_deadline(
    requests: list[Arrival], script: list[Behaviour], limit: Limits
) -> None:
    """One outcome each, none after the deadline, bounded in flight, and nothing left behind."""
    clock = VirtualClock()
    upstream = ScriptedUpstream(clock, script)
    records = Records()
    plane = Dataplane(Router(TABLE), upstream, clock, records, limit)
    answers: list[list[tuple[float, Answer]]] = [[] for _ in requests]
    highest = 0

    def arrive(number: int, arrival: Arrival) -> None:
        mine = answers[number]
        execution = plane.open(
            Ask(tier=arrival.tier, deadline_s=arrival.deadline_s),
            clock.now(),
            lambda answer: mine.append((clock.now(), answer)),
        )
        if arrival.leaves_s is not None:
            clock.call_at(clock.now() + arrival.leaves_s, execution.leave)
        if arrival.body_s:
            clock.call_at(clock.now() + arrival.body_s, lambda: send(execution))
        else:
            send(execution)

    def send(execution: Execution) -> None:
        nonlocal highest
        execution.send(Payload([b""]))
        highest = max(highest, plane.outstanding)

    for number, arrival in enumerate(requests):
        clock.call_at(arrival.at_s, lambda n=number, a=arrival: arrive(n, a))  # type: ignore[misc]
    # Beyond the last arrival: the longest deadline, the bound of abandoned work, its cancellation.
    clock.run_until(2.0 + 0.5 + 3.0 + ABANDON_S + LONGEST_CANCEL_S)

    assert len(records.answers) == len(requests)
    for arrival, got in zip(requests, answers, strict=True):
        assert len(got) <= 1
        assert got or arrival.leaves_s is not None
        for at_s, answer in got:
            assert at_s <= arrival.at_s + answer.decision.deadline_s + 1e-9
    assert highest <= limit.max_in_flight
    assert plane.outstanding == 0
    assert clock.armed() == 0
    outcomes = Counter(answer.outcome for answer in records.answers)
    assert len(upstream.asked) == sum(answer.queue_s is not None for answer in records.answers)
    assert outcomes["cancelled"] == len(requests) - sum(map(len, answers))

"""By what load, and by how much time gone, a request that will have to wait is decided."""

from dataclasses import replace

from gateway.dataplane import Answer
from tailq.plan import Race
from tailq.route import Ask, Decision, Load, Router
from tests.gateway.dataplane.bench import BODY, Bench, Guided, bench, near, says
from tests.tables import promise, table, tier

TABLE = table(tier("gold", 0.0, promise("large", 0.2)), tier("fast", 0.1, promise("small", 0.1)))
GOLD = Ask(tier="gold")
ON_LARGE = Router(TABLE).decide(GOLD, 0.0, Load())
RACE = replace(ON_LARGE, plan=Race(fast="small", accurate="large", threshold=0.5))
UNKEPT = replace(ON_LARGE, best_effort="load")


def outstanding(b: Bench) -> list[int]:
    """What was in flight, as it was told for each decision."""
    router = b.plane.router
    assert isinstance(router, Guided)
    return [load.outstanding for _, load in router.seen]


def hanging(*decisions: Decision, places: int, service_s: float = 0.01) -> Bench:
    """A bench of which no call ends."""
    costs = {"large": service_s, "small": service_s}
    usual = {"large": says(None), "small": says(None)}
    return bench(Guided(TABLE, *decisions), usual=usual, places=places, service_s=costs)


def test_what_others_have_in_flight_is_asked_for_each_decision() -> None:
    """It may be another number from one request to the next."""
    b = hanging(ON_LARGE, places=8)
    for others in (3, 1):
        b.plane.account.others = lambda n=others: (n, 0.0)  # type: ignore[misc]
        b.open(GOLD)
    assert outstanding(b) == [3, 1]


def test_a_race_that_waits_for_a_limited_variant_is_first_thought_to_have_one_place() -> None:
    """Though there are more; and where only a race will do, as many as there really are."""
    b = hanging(ON_LARGE, RACE, UNKEPT, RACE, places=4)
    for number in range(20):
        b.clock.run_until(number + 1.0)
        b.plane.admission.ended("large", 0.5, good=False)
    assert b.plane.admission.limits["large"] == 1
    b.ask(GOLD)
    b.open(GOLD)
    router = b.plane.router
    assert isinstance(router, Guided)
    assert outstanding(b) == [0, 1, 3, 1]
    assert [load.outstanding_s for _, load in router.seen] == [0.0, *[near(0.01)] * 3]


def test_a_race_on_a_device_with_one_place_is_decided_for_an_idle_one() -> None:
    """It takes more than there is, once nothing is in flight: never less than nothing is."""
    b = hanging(ON_LARGE, RACE, UNKEPT, RACE, places=1)
    b.ask(GOLD)
    b.open(GOLD)
    router = b.plane.router
    assert isinstance(router, Guided)
    assert outstanding(b) == [0, 1, 0, 0]
    assert [load.outstanding_s for _, load in router.seen] == [0.0, near(0.01), 0.0, 0.0]


def test_no_wait_counts_as_more_time_than_there_is() -> None:
    """Whoever would wait for minutes is decided for having no time left."""
    b = hanging(ON_LARGE, places=1, service_s=100.0)
    b.ask(GOLD)
    b.open(GOLD)
    router = b.plane.router
    assert isinstance(router, Guided)
    assert [elapsed_s for elapsed_s, _ in router.seen] == [0.0, 0.0, 0.2]


def test_the_wait_foreseen_is_that_for_those_with_earlier_deadlines() -> None:
    """Of one priority the earliest goes first: a long deadline waits for all, a short one not."""
    short, long = replace(ON_LARGE, deadline_s=1.0), replace(ON_LARGE, deadline_s=9.0)
    usual = replace(ON_LARGE, deadline_s=3.0)
    b = hanging(usual, places=1)
    for _ in range(5):
        b.ask(GOLD)
    router = b.plane.router
    assert isinstance(router, Guided)
    waits = []
    for decision in (short, long):
        router.decisions = [decision]
        b.open(GOLD)
        waits.append(router.seen[-1][0])
    assert waits == [near(0.01), near(0.05)]


def test_a_request_that_comes_while_another_is_answered_finds_its_place_taken() -> None:
    """As one that a client sent ahead: its place is for who waits, though nothing is in flight."""
    b = bench(TABLE, usual={"small": says(0.01)}, places=1, service_s={"small": 0.01})
    late: list[list[Answer]] = []
    execution = b.plane.open(Ask(tier="fast"), 0.0, lambda _: late.append(b.ask(Ask(tier="fast"))))
    execution.send(BODY)
    waiting = b.ask(Ask(tier="fast"))
    b.clock.run_until(1.0)
    assert [a.outcome for a in waiting + late[0]] == ["on_time", "on_time"]
    assert [at for at, _ in b.asked] == [0.0, near(0.01), near(0.02)]
    assert (waiting[0].total_s, late[0][0].total_s) == (near(0.02), near(0.02))
    assert b.is_idle()


def test_a_decision_knows_whether_others_wait_for_the_place() -> None:
    """Not only whether it is free: it would be taken from them."""
    b = hanging(ON_LARGE, places=1)
    b.ask(GOLD)
    b.ask(GOLD)
    b.open(GOLD)
    router = b.plane.router
    assert isinstance(router, Guided)
    assert [bool(load.contended) for _, load in router.seen] == [False, False, False, True, True]

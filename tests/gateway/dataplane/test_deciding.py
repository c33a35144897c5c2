"""When a plan is chosen, by what load, and what becomes of requests that wait for a place."""

from dataclasses import replace

import pytest

from gateway.dataplane import Reading
from tailq.plan import Cascade, Race
from tailq.route import Ask, Decision, Load, Router
from tests.gateway.dataplane.bench import BODY, Guided, bench, near, says, sure
from tests.tables import promise, table, tier

TABLE = table(tier("gold", 0.0, promise("large", 0.2)), tier("fast", 0.1, promise("small", 0.1)))
GOLD = Ask(tier="gold")
ON_LARGE = Router(TABLE).decide(GOLD, 0.0, Load())
ON_SMALL = replace(ON_LARGE, plan=TABLE.tiers[1].promises[0].plan, best_effort="load", work_s=0.01)
SHED = replace(ON_LARGE, shed=True)


def guided(*decisions: Decision) -> Guided:
    """A router that decides like this."""
    return Guided(TABLE, *decisions)


def test_what_is_shed_is_answered_within_open() -> None:
    """Before the body is read; what comes of it is ignored."""
    b = bench(guided(SHED))
    execution, answers = b.open(GOLD)
    assert [(a.outcome, a.total_s, a.asked) for a in answers] == [("shed", 0.0, ())]
    execution.send(BODY)
    execution.leave()
    b.clock.run_until(1.0)
    assert len(answers) == len(b.records.answers) == 1
    assert not b.upstream.asked
    assert b.is_idle()


def test_a_request_that_is_there_as_a_whole_is_decided_once() -> None:
    """Nothing has changed between its head and its body."""
    router = guided(ON_LARGE)
    b = bench(router)
    b.ask(GOLD)
    assert len(router.seen) == 1


def test_the_load_that_counts_is_the_one_when_it_goes_upstream() -> None:
    """If the load has changed since the head came it is decided again, with the real time gone."""
    router = guided(ON_LARGE, ON_LARGE, ON_SMALL)
    b = bench(router)
    execution, _ = b.open(GOLD)
    b.ask(GOLD)
    b.clock.run_until(0.0005)
    execution.send(BODY)
    assert [(elapsed_s, load.outstanding) for elapsed_s, load in router.seen] == [
        (0.0, 0),
        (0.0, 0),
        (0.0005, 1),
    ]
    assert b.asked == [(0.0, "large"), (0.0005, "small")]


def test_a_body_that_took_its_time_has_it_decided_again() -> None:
    """The same load leaves less time for the plan."""
    router = guided(ON_LARGE, ON_SMALL)
    b = bench(router)
    execution, answers = b.open(GOLD)
    b.clock.run_until(0.07)
    execution.send(BODY)
    b.clock.run_until(0.2)
    assert [elapsed_s for elapsed_s, _ in router.seen] == [0.0, 0.07]
    assert [(a.outcome, a.best_effort, a.variant) for a in answers] == [
        ("best_effort", "load", "small")
    ]


def test_a_place_that_others_took_while_the_body_came_is_not_taken_again() -> None:
    """There are as many as were profiled, of all gateways together."""
    b = bench(guided(ON_LARGE), says(0.05), says(0.01), places=2)
    b.ask(GOLD)
    execution, answers = b.open(GOLD)
    b.plane.account.others = lambda: (1, 0.02)
    b.clock.run_until(0.01)
    execution.send(BODY)
    assert b.plane.admission.waiting == 1
    b.clock.run_until(0.2)
    assert [at for at, _ in b.asked] == [0.0, near(0.05)]
    assert [a.outcome for a in answers] == ["on_time"]


def test_what_turns_out_hopeless_is_shed_without_asking() -> None:
    """The second decision may be to refuse."""
    b = bench(guided(ON_LARGE, SHED))
    execution, answers = b.open(GOLD)
    b.clock.run_until(0.1)
    execution.send(BODY)
    assert [a.outcome for a in answers] == ["shed"]
    assert not b.upstream.asked
    assert b.is_idle()


def test_a_reload_does_not_touch_what_was_opened_before() -> None:
    """A request is decided by the tiers that its clock was started by, were they gone since."""
    b = bench(table(tier("gold", 0.0, promise("large", 0.2))), usual={"large": says(0.01)})
    execution, answers = b.open(GOLD)
    b.plane.router = Router(table(tier("other", 0.1, promise("small", 0.1))))
    b.clock.run_until(0.1)
    execution.send(BODY)
    b.clock.run_until(1.0)
    assert [(a.outcome, a.variant) for a in answers] == [("on_time", "large")]


def test_a_reload_does_not_touch_how_confidences_are_read() -> None:
    """A plan's thresholds are for the scale of confidence that it was compiled with."""
    plan = Cascade(stages=("small", "large"), thresholds=(0.5,))
    cascading = table(tier("gold", 0.0, promise(plan, 0.2)))
    b = bench(cascading, says(0.05, 0.6))
    answers = b.ask(GOLD)
    b.plane.read = lambda _variant, _reply: Reading((0.4,))
    b.clock.run_until(1.0)
    assert [(a.outcome, sure(a), a.asked) for a in answers] == [("on_time", 0.6, ("small",))]


@pytest.mark.parametrize("endpoints", [1, 2, 3])
def test_load_is_own_and_others_work_shared_by_the_endpoints(endpoints: int) -> None:
    """Requests are all there are, work is that of one endpoint."""
    router = guided(ON_LARGE)
    b = bench(router, service_s={"large": 0.06})
    b.upstream.endpoints = endpoints
    b.plane.account.others = lambda: (3, 0.18)
    b.plane.foreign = frozenset({"medium"})
    b.upstream.absent = frozenset({"tiny"})
    b.plane.admission.scale(10)
    b.ask(GOLD)
    b.ask(GOLD)
    b.clock.run_until(0.001)
    b.open(GOLD)
    load = router.seen[-1][1]
    assert (load.now, load.outstanding, load.endpoints) == (0.001, 5, endpoints)
    assert load.outstanding_s == near(0.3 / endpoints)
    assert (load.foreign, load.absent) == (b.plane.foreign, b.upstream.absent)


def test_who_waits_goes_when_there_is_a_place() -> None:
    """The next request is asked upstream in the moment that the one before has ended there."""
    b = bench(TABLE, says(0.05), says(0.02), places=1)
    first, second = b.ask(), b.ask()
    b.clock.run_until(0.01)
    assert (b.asked, b.plane.admission.waiting) == ([(0.0, "small")], 1)
    b.clock.run_until(0.05)
    assert b.asked[1] == (0.05, "small")
    b.clock.run_until(1.0)
    assert [a.outcome for a in first + second] == ["on_time", "on_time"]
    assert (second[0].queue_s, second[0].upstream_s) == (0.05, near(0.02))
    assert b.is_idle()


def test_the_wait_foreseen_counts_as_time_gone() -> None:
    """The first decision is made for the time that will be left when there is a place."""
    router = guided(ON_LARGE)
    b = bench(router, usual={"large": says(0.06)}, places=1, service_s={"large": 0.06})
    b.ask(GOLD)
    b.open(GOLD)
    elapsed_s, _ = router.seen[-1]
    assert 0.0 < elapsed_s <= 0.2


def test_who_has_to_wait_is_decided_for_the_load_at_its_turn() -> None:
    """Then a place is free: a tier that refuses above the profiled load lets its requests wait."""
    refusing = tier("gold", 0.0, promise("large", 0.2)).model_copy(update={"otherwise": "shed"})
    usual, service_s = {"large": says(0.03)}, {"large": 0.03}
    tiers = table(refusing, max_outstanding=2)
    b = bench(tiers, usual=usual, places=2, service_s=service_s)
    answers = [b.ask(GOLD) for _ in range(3)]
    assert (b.plane.account.own, b.plane.admission.waiting) == (2, 1)
    b.clock.run_until(1.0)
    assert [answer.outcome for [answer] in answers] == ["on_time"] * 3

    guide = guided(ON_LARGE)
    b = bench(guide, usual=usual, places=2, service_s=service_s)
    for _ in range(3):
        b.ask(GOLD)
    load = guide.seen[-1][1]
    assert (load.outstanding, load.outstanding_s) == (1, near(0.03))


def test_who_waits_past_the_deadline_is_shed_and_never_asked() -> None:
    """It leaves the queue at its deadline where nothing is known of how long answers take."""
    b = bench(TABLE, says(None), places=1)
    b.ask(GOLD)
    b.clock.run_until(0.01)
    answers = b.ask()
    b.clock.run_until(0.11)
    assert [(a.outcome, a.asked, a.queue_s) for a in answers] == [("shed", (), None)]
    assert b.plane.admission.waiting == 0
    assert [variant for _, variant in b.asked] == ["large"]


def test_more_than_may_wait_are_shed() -> None:
    """Places count abandoned work too; with a full queue requests are answered at once."""
    b = bench(TABLE, says(5.0), says(5.0), places=2, waiting=0)
    b.ask()
    b.ask()
    b.clock.run_until(1.0)  # both are late by now, and still running
    assert [a.outcome for a in b.ask()] == ["shed"]
    b.clock.run_until(5.0)
    assert b.answer()[1].outcome == "on_time"


def test_a_client_that_leaves_while_it_waits_is_forgotten() -> None:
    """Its place in the queue is free, and upstream never hears of it."""
    b = bench(TABLE, says(0.05), places=1)
    b.ask()
    execution, answers = b.open()
    execution.send(BODY)
    execution.leave()
    b.clock.run_until(1.0)
    assert not answers
    assert [a.outcome for a in b.records.answers] == ["cancelled", "on_time"]
    assert b.asked == [(0.0, "small")]
    assert b.is_idle()


def test_a_race_waits_for_two_places() -> None:
    """Both or none."""
    racing = table(
        tier("gold", 0.0, promise(Race(fast="small", accurate="large", threshold=0.5), 0.2)),
        tier("fast", 0.1, promise("small", 0.1)),
    )
    b = bench(racing, says(0.05), says(0.03), places=2)
    b.ask()
    b.ask()
    b.ask(GOLD)
    b.clock.run_until(0.04)
    assert len(b.asked) == 2
    b.clock.run_until(0.05)
    assert b.asked[2:] == [(0.05, "small"), (0.05, "large")]


def test_a_plan_that_is_chosen_at_its_turn_needs_a_place_of_its_own() -> None:
    """Decided again for a race, or for a variant at its limit, a request waits for that."""
    race = promise(Race(fast="small", accurate="large", threshold=0.5), 0.2).plan
    guide = guided(ON_SMALL, ON_SMALL, replace(ON_SMALL, plan=race))
    b = bench(guide, says(0.05), says(0.01, 0.9), says(0.01), places=2)
    execution, _ = b.open(GOLD)
    b.ask(GOLD)
    execution.send(BODY)
    b.clock.run_until(0.04)
    assert (b.asked, b.plane.admission.waiting) == ([(0.0, "small")], 1)
    b.clock.run_until(1.0)
    assert b.asked[1:] == [(0.05, "small"), (0.05, "large")]
    assert b.is_idle()


def test_a_stage_asked_next_keeps_its_place_from_those_who_wait() -> None:
    """A request that is in goes through, before any that waits."""
    cascading = table(
        tier("gold", 0.0, promise(Cascade(stages=("small", "large"), thresholds=(0.5,)), 0.2)),
        tier("fast", 0.1, promise("medium", 0.1)),
    )
    b = bench(cascading, says(0.01, 0.1), says(0.02), places=1)
    b.ask(GOLD)
    b.ask()
    b.clock.run_until(1.0)
    assert b.asked == [(0.0, "small"), (0.01, "large"), (near(0.03), "medium")]
    assert b.is_idle()


RACE = replace(
    ON_LARGE, plan=promise(Race(fast="small", accurate="large", threshold=0.5), 0.2).plan
)


def test_a_race_does_not_wait_where_one_place_keeps_the_promise() -> None:
    """It is decided anew for a device with one free place, which a race has no room on."""
    guide = guided(ON_LARGE, RACE, ON_LARGE)
    b = bench(guide, usual={"large": says(0.03)}, places=2, service_s={"large": 0.03})
    b.ask(GOLD)
    b.ask(GOLD)
    assert [load.outstanding for _, load in guide.seen] == [0, 1, 1]
    assert b.asked == [(0.0, "large"), (0.0, "large")]


def test_a_race_waits_for_two_places_where_nothing_else_keeps_the_promise() -> None:
    """Then it is decided for a device on which there are two."""
    guide = guided(ON_LARGE, RACE, ON_SMALL, RACE)
    usual = {"large": says(0.03), "small": says(0.01, 0.9)}
    b = bench(guide, usual=usual, places=2, service_s={"large": 0.03, "small": 0.01})
    b.ask(GOLD)
    b.ask(GOLD)
    assert [load.outstanding for _, load in guide.seen] == [0, 1, 1, 0]
    assert (b.asked, b.plane.admission.waiting) == ([(0.0, "large")], 1)
    b.clock.run_until(1.0)
    assert b.asked[1:] == [(0.03, "small"), (0.03, "large")]
    assert b.is_idle()

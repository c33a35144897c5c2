"""By what requests that wait for a place are decided, and when they are told that it is no use.

Variants answer one after another: "large" in 20 ms, "small" in 2 ms on an idle device.
"""

from collections.abc import Mapping

import pytest

from tailq.outlook import Outlook
from tailq.plan import Plan, Race, Single
from tailq.route import Ask, Router
from tailq.tier import Otherwise, TierTable
from tests import tables
from tests.gateway.dataplane.bench import Bench, bench, says
from tests.gateway.virtual import Behaviour
from tests.served import option, promise, served

SERVICE_S = {"large": 0.02, "small": 0.002}
FAMILY = {name: served(seconds) for name, seconds in SERVICE_S.items()}
RACE = Race(fast="small", accurate="large", threshold=0.5)
GOLD, FAST = Ask(tier="gold"), Ask(tier="fast")


def tiers(gold: Plan | str = "large", otherwise: Otherwise = "shed", places: int = 2) -> TierTable:
    """`gold` within 200 ms by a plan of choice; `fast`, less urgent, within 50 ms by "small"."""
    plan = Single(variant=gold) if isinstance(gold, str) else gold
    stops = ((0.5, 0.95, 0.95),) * 2 if isinstance(plan, Race) else ((1.0, 0.95),)
    made = tables.table(
        tables.tier("gold", 0.01, promise(0.2, 0.9, option(plan, *stops))),
        tables.tier("fast", 0.1, promise(0.05, 0.9, option("small", (1.0, 0.95)))),
        max_outstanding=places,
    )
    return made.model_copy(
        update={
            "served": FAMILY,
            "tiers": tuple(
                tier.model_copy(update={"otherwise": otherwise, "priority": 1 + number})
                for number, tier in enumerate(made.tiers)
            ),
        }
    )


def waiting_bench(made: TierTable, usual: Mapping[str, Behaviour], places: int = 2) -> Bench:
    """A bench whose upstream does as `usual` says."""
    return bench(made, usual=usual, places=places, service_s=SERVICE_S)


@pytest.mark.parametrize("before", [1, 2])
def test_a_race_waits_for_its_places_where_the_tier_would_rather_refuse(before: int) -> None:
    """Whether one place is free or none: with its two there will be as many as were profiled."""
    b = waiting_bench(tiers(RACE), {"large": says(0.02, 0.9), "small": says(0.01, 0.9)})
    for _ in range(before):
        assert not b.ask(FAST)
    answers = b.ask(GOLD)
    assert (answers, b.plane.admission.waiting) == ([], 1)
    b.clock.run_until(1.0)
    assert [a.outcome for a in answers] == ["on_time"]
    assert b.is_idle()


def test_a_limited_variant_holds_up_nobody_who_asks_another() -> None:
    """A tier that asks "small" is kept while many wait for "large", which hangs."""
    b = waiting_bench(tiers(places=8), {"large": says(None), "small": says(0.002)}, places=8)
    while b.plane.admission.limits["large"] > 1:
        b.clock.run_until(b.clock.now() + 1)
        b.plane.admission.ended("large", 0.5, good=False)
    for _ in range(20):
        b.ask(GOLD)
    assert b.plane.admission.waiting > 0
    assert b.ask(FAST) == []
    answers = b.ask(FAST)
    b.clock.run_until(b.clock.now() + 0.05)
    assert [a.outcome for a in answers] == ["on_time"]


def test_a_gamble_takes_a_place_that_nobody_waits_for() -> None:
    """Those who wait for "large", which hangs, have no use for it; for "large" itself they do."""
    made = tiers(places=4, otherwise="best_effort")
    b = waiting_bench(made, {"large": says(None), "small": says(0.002)}, places=4)
    while b.plane.admission.limits["large"] > 1:
        b.clock.run_until(b.clock.now() + 1)
        b.plane.admission.ended("large", 0.5, good=False)
    b.ask(GOLD)
    load = b.plane.load(b.clock.now())
    gambles = [Ask(tier="fast", deadline_s=0.0235), Ask(tier="gold", deadline_s=0.0425)]
    for ask in gambles:
        assert not b.plane.router.decide(ask, 0.0, load).shed
    b.ask(GOLD)
    assert b.plane.admission.waiting == 1
    answers = [b.ask(ask) for ask in gambles]
    b.clock.run_until(b.clock.now() + 0.01)
    assert [[a.outcome for a in answer] for answer in answers] == [["best_effort"], ["shed"]]


@pytest.mark.parametrize(("otherwise", "least_s"), [("shed", 0.04), ("best_effort", 0.02)])
def test_who_cannot_be_answered_in_time_any_more_is_told_before_its_deadline(
    otherwise: Otherwise, least_s: float
) -> None:
    """When the promise cannot be kept any more, or the answer would more likely be late."""
    b = waiting_bench(tiers(otherwise=otherwise, places=1), {"large": says(None)}, places=1)
    first, second = b.ask(GOLD), b.ask(GOLD)
    b.clock.run_until(0.2)
    assert [a.outcome for a in first] == ["late"]
    [shed] = second
    assert (shed.outcome, shed.asked) == ("shed", ())
    assert 0.2 - 2 * least_s < shed.total_s <= 0.2 - least_s + 0.005
    assert b.plane.admission.waiting == 0


def test_who_would_still_be_in_time_on_a_faster_machine_waits_on() -> None:
    """What counts is what answers take at present, not what they took in the profile."""
    made = tiers(places=1)
    outlook = Outlook(made.served)
    for _ in range(200):
        outlook.observe("large", 0.001, 0.0, 0.0, ended=True)
    b = bench(Router(made, outlook), says(0.19), says(0.001), places=1, service_s=SERVICE_S)
    b.ask(GOLD)
    answers = b.ask(GOLD)
    b.clock.run_until(0.2)
    assert [(a.outcome, a.queue_s) for a in answers] == [("on_time", 0.19)]

"""The decision: tier by name or tolerance, plan by deadline, best effort never in silence.

Of tables that say no more than plans; test_route_under_load.py has those that say how long
answers take.
"""

import pytest

from tailq.errors import UnknownTier
from tailq.plan import Race, Single
from tailq.route import Ask, Load, Router
from tests.tables import promise, table, tier

TABLE = table(
    tier("gold", 0.01, promise("large", 0.05), promise("large", 0.1)),
    tier("silver", 0.03, promise("small", 0.02), promise("medium", 0.05)),
    tier("thrift", 0.03, promise("small", 0.05), objective="cost"),
    default="silver",
    max_outstanding=4,
)


def test_a_named_tier_gets_its_loosest_deadline_by_default() -> None:
    """Without a deadline of its own a request gets the tier's, and the plan compiled for it."""
    decision = Router(TABLE).decide(Ask(tier="silver"), 0.0, Load())
    assert (decision.tier.name, decision.plan) == ("silver", Single(variant="medium"))
    assert (decision.deadline_s, decision.best_effort) == (0.05, None)


def test_a_tighter_deadline_gets_the_plan_promised_within_it() -> None:
    """The last promise that fits the asked deadline decides the plan; the asked one applies."""
    decision = Router(TABLE).decide(Ask(tier="silver", deadline_s=0.03), 0.0, Load())
    assert (decision.plan, decision.promise.deadline_s) == (Single(variant="small"), 0.02)
    assert (decision.deadline_s, decision.best_effort) == (0.03, None)


def test_a_looser_deadline_than_the_tiers_is_tightened() -> None:
    """The tightest of tier and request wins."""
    assert Router(TABLE).decide(Ask(tier="gold", deadline_s=9.0), 0.0, Load()).deadline_s == 0.1


def test_a_deadline_nothing_was_promised_for_is_best_effort() -> None:
    """Tighter than every promise: the fastest-promised plan is tried and nothing is promised."""
    decision = Router(TABLE).decide(Ask(tier="gold", deadline_s=0.001), 0.0, Load())
    assert (decision.deadline_s, decision.best_effort) == (0.001, "deadline")


@pytest.mark.parametrize(("outstanding", "best_effort"), [(3, None), (4, "load"), (99, "load")])
def test_load_beyond_the_profiled_one_is_best_effort(
    outstanding: int, best_effort: str | None
) -> None:
    """With this request there may be as many in flight as were profiled, not more."""
    assert (
        Router(TABLE).decide(Ask(tier="gold"), 0.0, Load(outstanding=outstanding)).best_effort
        == best_effort
    )


@pytest.mark.parametrize(
    ("ask", "name"),
    [
        (Ask(tolerance=0.02), "gold"),
        (Ask(tolerance=0.03, objective="cost"), "thrift"),
        (Ask(tolerance=0.5, objective="response-time"), "silver"),
    ],
)
def test_a_tolerance_gets_the_cheapest_tier_at_least_as_strict(ask: Ask, name: str) -> None:
    """Of the tiers within the tolerance, and of the objective, the most tolerant one serves."""
    assert Router(TABLE).decide(ask, 0.0, Load()).tier.name == name


def test_no_ask_gets_the_declared_default() -> None:
    """A table may declare which tier those get who name none."""
    assert Router(TABLE).decide(Ask(), 0.0, Load()).tier.name == "silver"


@pytest.mark.parametrize(
    "ask", [Ask(tier="platinum"), Ask(tolerance=0.001), Ask(tolerance=0.02, objective="cost")]
)
def test_what_is_not_offered_is_refused_with_what_is(ask: Ask) -> None:
    """An unknown or too strict wish names the tiers there are."""
    with pytest.raises(UnknownTier, match=r"there are: gold .*silver .*thrift"):
        Router(TABLE).decide(ask, 0.0, Load())


def test_without_a_default_a_tier_must_be_named() -> None:
    """No silent default: a table without one refuses requests that name no tier."""
    with pytest.raises(UnknownTier, match="name a tier"):
        Router(table(*TABLE.tiers)).decide(Ask(), 0.0, Load())


def test_a_table_without_models_promises_what_it_has_measured() -> None:
    """Time gone and work outstanding say nothing where no latencies are known."""
    decision = Router(TABLE).decide(Ask(tier="gold"), 0.099, Load(outstanding_s=9.0))
    assert (decision.best_effort, decision.shed) == (None, False)
    assert decision.expected_quality == decision.promise.expected_quality


def test_a_variant_that_is_missing_is_not_asked() -> None:
    """Another plan of the tier is tried, or nothing; and an operator sees why."""
    router = Router(TABLE)
    load = Load(absent=frozenset({"medium"}))
    decision = router.decide(Ask(tier="silver"), 0.0, load)
    assert (decision.plan, decision.best_effort) == (Single(variant="small"), "unavailable")
    assert not decision.shed
    nothing = router.decide(Ask(tier="gold"), 0.0, Load(absent=frozenset({"large"})))
    assert (nothing.shed, nothing.best_effort) == (True, "unavailable")


def test_a_variant_that_is_not_the_profiled_one_is_best_effort() -> None:
    """It is asked, and nothing promised of it."""
    decision = Router(TABLE).decide(Ask(tier="gold"), 0.0, Load(foreign=frozenset({"large"})))
    assert (decision.best_effort, decision.shed) == ("fingerprint", False)


@pytest.mark.parametrize(("outstanding", "best_effort"), [(2, None), (3, "load")])
def test_a_race_counts_as_the_two_requests_that_it_is(
    outstanding: int, best_effort: str | None
) -> None:
    """Also in a table that says nothing of how long answers take."""
    race = Race(fast="small", accurate="large", threshold=0.5)
    router = Router(table(tier("gold", 0.0, promise(race, 0.1)), max_outstanding=4))
    decision = router.decide(Ask(tier="gold"), 0.0, Load(outstanding=outstanding))
    assert decision.best_effort == best_effort

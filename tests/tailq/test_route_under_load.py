"""Load-aware decisions: the best option that is foreseen to keep the promise, or else openly not.

"large" answers in 20 ms on an idle device, "small" in 2 ms, one after another; each in time for
99 % of requests within three times that.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailq.foresight import beside, foresee
from tailq.offer import WORTH_TRYING
from tailq.outlook import Outlook
from tailq.plan import Race, Rescue, Single
from tailq.route import Ask, Load, Router
from tailq.tier import Option, Otherwise, Promise, TierTable
from tests.served import option, options, promise, served, table

LARGE, SMALL = Single(variant="large"), Single(variant="small")
FAMILY = {"large": served(0.02), "small": served(0.002)}


def gold(
    quality: float = 0.9, small: float = 0.94, otherwise: Otherwise = "best_effort"
) -> TierTable:
    """Within 100 ms: "large" (0.95), or else "small"."""
    return table(
        FAMILY,
        promise(0.1, quality, option("large", (1.0, 0.95)), option("small", (1.0, small))),
        otherwise=otherwise,
    )


def learned(made: TierTable, variant: str, factor: float, now: float = 0.0) -> Router:
    """A router that has seen a hundred answers of a variant, so many times slower than profiled."""
    outlook = Outlook(made.served)
    for _ in range(100):
        outlook.observe(variant, made.served[variant].service_s * factor, 0.0, now, ended=True)
    return Router(made, outlook)


def test_an_idle_device_gets_the_promised_plan() -> None:
    """And what it is expected to yield and to take is said."""
    decision = Router(gold()).decide(Ask(), 0.0, Load())
    assert (decision.plan, decision.best_effort, decision.shed) == (LARGE, None, False)
    assert decision.work_s == 0.01
    assert 0.94 < decision.expected_quality < 0.95


@given(
    st.lists(
        st.tuples(
            st.sampled_from([None, 0.06, 0.0601, 0.11]),
            st.sampled_from([0.0, 0.04, 0.07]),
            st.sampled_from([0.0, 0.01, 0.034]),
            st.booleans(),
        ),
        max_size=12,
    )
)
def test_what_was_decided_before_has_no_part_in_it(
    asked: list[tuple[float | None, float, float, bool]],
) -> None:
    """A decision is remembered only for as long as it would be made again."""
    either = option("large", (1.0, 0.95)), option("small", (1.0, 0.94))
    made = table(FAMILY, promise(0.05, 0.9, *either), promise(0.1, 0.9, *either))
    outlook = Outlook(made.served)
    router = Router(made, outlook)
    for deadline_s, elapsed_s, work_s, slow in asked:
        if slow:
            for _ in range(20):
                outlook.observe("large", 0.04, 0.0, 0.0, ended=True)
        ask, load = Ask(deadline_s=deadline_s), Load(outstanding=1, outstanding_s=work_s)
        anew = Router(made, outlook).decide(ask, elapsed_s, load)
        assert router.decide(ask, elapsed_s, load) == anew


def test_work_outstanding_leaves_time_only_for_a_faster_option() -> None:
    """The promise is kept by another plan that was proven to keep it."""
    decision = Router(gold()).decide(Ask(), 0.0, Load(outstanding=2, outstanding_s=0.034))
    assert (decision.plan, decision.best_effort) == (SMALL, None)


def test_time_gone_leaves_time_only_for_a_faster_option() -> None:
    """Waiting for a place costs as much as work outstanding."""
    decision = Router(gold()).decide(Ask(), 0.07, Load())
    assert (decision.plan, decision.best_effort, decision.deadline_s) == (SMALL, None, 0.1)


def test_a_variant_that_has_become_slow_is_passed_over() -> None:
    """What was observed of it counts, and silence is forgiven."""
    router = learned(gold(), "large", 10)
    assert router.decide(Ask(), 0.0, Load(now=0.0)).plan == SMALL
    later = router.decide(Ask(), 0.0, Load(now=10.0))
    assert (later.plan, later.best_effort) == (LARGE, None)


@pytest.mark.parametrize("otherwise", ["best_effort", "shed"])
def test_where_nothing_keeps_the_promise_the_tier_says_what_becomes_of_it(
    otherwise: Otherwise,
) -> None:
    """Refused at once, or what is foreseen to yield most; never the tier's promise."""
    made = gold(small=0.8, otherwise=otherwise)
    decision = Router(made).decide(Ask(), 0.0, Load(outstanding=2, outstanding_s=0.04))
    assert (decision.shed, decision.best_effort) == (otherwise == "shed", "load")
    if otherwise == "best_effort":
        # "small" would yield 0.79, nearly always in time.
        assert decision.plan == LARGE
        assert 0.79 < decision.expected_quality < 0.9


@pytest.mark.parametrize("contended", ["", "small", "large"])
def test_a_place_that_others_wait_for_is_not_given_to_a_gamble(contended: str) -> None:
    """More likely in time than not is enough only while nobody else could use the place."""
    router, wanted = Router(gold(small=0.8)), frozenset({contended})
    load = Load(outstanding=2, outstanding_s=0.04, contended=wanted)
    decision = router.decide(Ask(), 0.0, load)
    assert decision.plan == LARGE
    assert (decision.shed, decision.best_effort) == (contended == "large", "load")
    strange = Load(foreign=frozenset({"large", "small"}), contended=wanted)
    decision = router.decide(Ask(), 0.0, strange)
    assert (decision.shed, decision.best_effort) == (False, "fingerprint")


def test_best_effort_takes_a_plan_of_another_deadline_of_the_tier_if_that_yields_more() -> None:
    """Such as one whose deadline is looser; and it says which promise it comes from."""
    made = table(
        FAMILY,
        promise(0.05, 0.9, option("large", (1.0, 0.95))),
        promise(0.2, 0.9, option("large", (1.0, 0.95)), option("small", (1.0, 0.9))),
        max_outstanding=1,
    )
    decision = Router(made).decide(Ask(deadline_s=0.05), 0.03, Load())
    assert (decision.plan, decision.best_effort, decision.shed) == (SMALL, "load", False)
    assert (decision.promise.deadline_s, decision.deadline_s) == (0.2, 0.05)


@pytest.mark.parametrize(("left_s", "shed"), [(0.0025, False), (0.0018, True), (0.0, True)])
def test_what_is_more_likely_late_than_not_is_not_tried(left_s: float, shed: bool) -> None:
    """Half of the answers of "small" take more than 2 ms: with less time it would take a place."""
    decision = Router(gold()).decide(Ask(), 0.1 - left_s, Load())
    assert (decision.shed, decision.best_effort) == (shed, "load")


def test_a_tighter_deadline_than_any_promised_is_tried_by_what_is_fast_enough() -> None:
    """With its reason, and shed only where it is hopeless."""
    router = Router(gold())
    decision = router.decide(Ask(deadline_s=0.02), 0.0, Load())
    assert (decision.plan, decision.best_effort, decision.shed) == (SMALL, "deadline", False)
    assert router.decide(Ask(deadline_s=0.001), 0.0, Load()).shed


def test_a_missing_variants_option_is_replaced_by_the_next() -> None:
    """As long as one of the proven options is there, the promise is kept."""
    router = Router(gold())
    decision = router.decide(Ask(), 0.0, Load(absent=frozenset({"large"})))
    assert (decision.plan, decision.best_effort) == (SMALL, None)
    nothing = router.decide(Ask(), 0.0, Load(absent=frozenset({"large", "small"})))
    assert (nothing.shed, nothing.best_effort) == (True, "unavailable")
    late = router.decide(Ask(), 0.0999, Load(absent=frozenset({"large", "small"})))
    assert (late.shed, late.best_effort) == (True, "unavailable")
    worse = Router(gold(small=0.8)).decide(Ask(), 0.0, Load(absent=frozenset({"large"})))
    assert (worse.plan, worse.best_effort, worse.shed) == (SMALL, "unavailable", False)


def test_a_foreign_variant_is_asked_only_where_nothing_else_keeps_the_promise() -> None:
    """Then for best effort, since what it answers was not measured."""
    load = Load(foreign=frozenset({"large"}))
    assert Router(gold()).decide(Ask(), 0.0, load).plan == SMALL
    decision = Router(gold(small=0.8)).decide(Ask(), 0.0, load)
    assert (decision.plan, decision.best_effort) == (LARGE, "fingerprint")


@pytest.mark.parametrize("where", ["own", "other"])
def test_another_deployment_turns_no_tier_away(where: str) -> None:
    """A tier that would rather refuse answers best effort by variants that were not profiled.

    But what is more likely late than not is not tried whatever serves it.
    """
    made = gold(small=0.8 if where == "own" else 0.94, otherwise="shed")
    load = Load(foreign=frozenset({"large"} if where == "own" else {"large", "small"}))
    decision = Router(made).decide(Ask(), 0.0, load)
    assert (decision.plan, decision.best_effort, decision.shed) == (LARGE, "fingerprint", False)
    hopeless = Router(made).decide(Ask(), 0.0995, load)
    assert hopeless.shed


def test_more_in_flight_than_profiled_is_best_effort_by_the_plan_it_would_have_been() -> None:
    """Its own request counts: of four profiled three others may be in flight, of a race two."""
    router = Router(gold())
    assert router.decide(Ask(), 0.0, Load(outstanding=3)).best_effort is None
    decision = router.decide(Ask(), 0.0, Load(outstanding=4))
    assert (decision.plan, decision.best_effort, decision.shed) == (LARGE, "load", False)
    thrifty = promise(0.1, 0.9, option("small", (1.0, 0.94)), option("large", (1.0, 0.95)))
    decision = Router(table(FAMILY, thrifty)).decide(Ask(), 0.0, Load(outstanding=4))
    assert (decision.plan, decision.best_effort) == (SMALL, "load")
    race = Race(fast="small", accurate="large", threshold=0.8)
    raced = Router(
        table(FAMILY, promise(0.2, 0.8, option(race, (0.5, 0.9, 0.95), (0.5, 0.5, 0.95))))
    )
    assert raced.decide(Ask(), 0.0, Load(outstanding=2)).best_effort is None
    assert raced.decide(Ask(), 0.0, Load(outstanding=3)).best_effort == "load"


@pytest.mark.parametrize(("outstanding", "best_effort"), [(6, None), (7, "load")])
def test_what_was_profiled_of_one_device_holds_for_each_of_several(
    outstanding: int, best_effort: str | None
) -> None:
    """Of two devices with four requests each a race may have the last two places."""
    race = Race(fast="small", accurate="large", threshold=0.8)
    by_race = option(race, (0.5, 0.9, 0.95), (0.5, 0.5, 0.95))
    router = Router(table(FAMILY, promise(0.2, 0.8, by_race)))
    decision = router.decide(Ask(), 0.0, Load(outstanding=outstanding, endpoints=2))
    assert decision.best_effort == best_effort


@given(options(("small", "large", "large2")), st.floats(0.004, 0.3), st.floats(0.1, 1))
def test_at_the_profiled_load_the_promised_plan_is_found_to_keep_its_promise(
    one: Option, deadline_s: float, quality: float
) -> None:
    """That is proven; where the model of latencies says otherwise, the model is wrong.

    The load: as many requests as were profiled, at their mean work; up to 2 ms in the gateway.
    """
    family = {**FAMILY, "large2": served(0.03)}
    router = Router(table(family, promise(deadline_s, quality, one), max_outstanding=4))
    others = 2 if isinstance(one.plan, Race) else 3
    load = Load(outstanding=others, outstanding_s=others * 0.052 / 3)
    for elapsed_s in (0.0, 0.0019):
        assert router.decide(Ask(), elapsed_s, load).best_effort is None


def test_other_options_are_held_to_the_promised_quality() -> None:
    """Only the promised plan has been proven to be of that quality."""
    made = table(
        FAMILY,
        promise(0.1, 0.94, option("large", (1.0, 0.95)), option("small", (1.0, 0.93))),
    )
    decision = Router(made).decide(Ask(), 0.0, Load(outstanding=3, outstanding_s=0.06))
    assert decision.best_effort == "load"


observed = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c"]), st.floats(1e-3, 1), st.booleans()), max_size=30
)
some = st.frozensets(st.sampled_from(["a", "b", "c"]), max_size=2)


@st.composite
def promises(draw: st.DrawFn) -> tuple[Promise, ...]:
    deadlines = sorted(draw(st.lists(st.floats(0.005, 1), min_size=1, max_size=3, unique=True)))
    return tuple(
        promise(at, draw(st.floats(0.1, 0.95)), *draw(st.lists(options(), min_size=1, max_size=4)))
        for at in deadlines
    )


def nearly(
    one: Option, of: Promise, outlook: Outlook, left_s: float, load: Load, *, spare: bool
) -> float:
    """Its quality, plainly reckoned: at best (a little more time), or with some to spare."""
    work = load.outstanding_s * 1.06 + 1e-4 if spare else load.outstanding_s
    latencies = [
        outlook.latency(name, work + sum(map(outlook.service_s.__getitem__, others)), load.now)
        for name, others in zip(one.plan.variants, beside(one.plan), strict=True)
    ]
    left_s = left_s * 0.8 if spare else left_s / (1 - 3 / 64)
    return foresee(one, latencies, left_s, of.deadline_s).quality


def proven(one: Option, load: Load) -> bool:
    """Whether its promise holds under these conditions, given the time."""
    places = 2 if isinstance(one.plan, Race) else 1
    names = frozenset(one.plan.variants)
    return not names & (load.absent | load.foreign) and load.outstanding + places <= 4


@given(
    promises(),
    observed,
    st.sampled_from(["best_effort", "shed"]),
    st.none() | st.floats(0.001, 2),
    st.floats(0, 1),
    st.builds(Load, st.floats(0, 15), st.integers(0, 6), st.floats(0, 1), some, some),
)
def test_decisions_agree_with_a_plain_reckoning(
    made: tuple[Promise, ...],
    seen: list[tuple[str, float, bool]],
    otherwise: Otherwise,
    deadline_s: float | None,
    elapsed_s: float,
    load: Load,
) -> None:
    """Up to the resolution of the grid, on the safe side; the same question has the same answer."""
    tiers = table(
        {"a": served(0.004), "b": served(0.02), "c": served(0.05)}, *made, otherwise=otherwise
    )
    outlook = Outlook(tiers.served)
    for name, took, ended in seen:
        outlook.observe(name, took, 0.01, 0.0, ended=ended)
    outlook.settle()
    router, ask = Router(tiers, outlook), Ask(deadline_s=deadline_s)
    decision = router.decide(ask, elapsed_s, load)
    assert router.decide(ask, elapsed_s, load) == decision
    assert decision.deadline_s == min(made[-1].deadline_s, deadline_s or 9.0)
    assert decision.shed or not load.absent & frozenset(decision.plan.variants)
    left_s = decision.deadline_s - elapsed_s
    fitting = [one for one in made if one.deadline_s <= decision.deadline_s][-1:]
    keeping = [(one, of) for of in fitting for one in of.options if proven(one, load)]
    if decision.best_effort is None:
        assert not decision.shed
        mine = [(one, of) for one, of in keeping if one.plan == decision.plan]
        most = max(nearly(*each, outlook, left_s, load, spare=False) for each in mine)
        assert most >= decision.promise.quality - 1e-6 or decision.plan == decision.promise.plan
    else:
        assert decision.shed or otherwise == "best_effort" or decision.best_effort == "fingerprint"
        for one, of in keeping:
            assert nearly(one, of, outlook, left_s, load, spare=True) < of.quality


def test_a_rescue_of_another_deadline_keeps_the_time_for_its_rescuer() -> None:
    """Found for 200 ms it leaves "small" 20 ms at the end, also of a request that has only 100."""
    rescue = option(
        Rescue(primary="large", rescuer="small", after_s=0.18), (1.0, 0.95, 0.9), (0.0, 0.0, 0.0)
    )
    made = table(
        FAMILY,
        promise(0.1, 0.94, option("large", (1.0, 0.95))),
        promise(0.2, 0.94, rescue),
    )
    decision = Router(made).decide(
        Ask(deadline_s=0.1), 0.0, Load(outstanding=3, outstanding_s=0.06)
    )
    assert (decision.plan, decision.best_effort) == (rescue.plan, "load")
    assert decision.promise.deadline_s == 0.2
    assert decision.expected_quality > WORTH_TRYING

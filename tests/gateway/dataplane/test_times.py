"""Times are those since a request's arrival, at whatever time of the clock that was."""

from dataclasses import replace

import pytest

from gateway.upstream.base import Failure
from tailq.plan import Cascade
from tailq.route import Ask, Load, Router
from tests.gateway.dataplane.bench import BODY, Bench, Guided, bench, executing, near, says
from tests.gateway.virtual import Behaviour
from tests.tables import promise, table, tier

FAILS = Behaviour(0.01, Failure("lost", "gone"))
LATER_S = 1000.0
TABLE = table(tier("gold", 0.0, promise("large", 0.2)))
GOLD = Ask(tier="gold")
ON_LARGE = Router(TABLE).decide(GOLD, 0.0, Load())
CASCADE = Cascade(stages=("small", "large"), thresholds=(0.5,))


def later(b: Bench) -> Bench:
    """The same, a quarter of an hour later."""
    b.clock.run_until(LATER_S)
    return b


def test_an_answer_tells_when_upstream_was_first_asked_and_how_long_that_took() -> None:
    """Of a cascade from its first stage, however many it asks; the body took its time before."""
    b = later(executing(CASCADE, {"small": says(0.01, 0.1), "large": says(0.02)}))
    execution, answers = b.open()
    b.clock.run_until(LATER_S + 0.03)
    execution.send(BODY)
    b.clock.run_until(LATER_S + 1.0)
    [answer] = answers
    assert (answer.queue_s, answer.upstream_s) == (near(0.03), near(0.03))
    assert answer.total_s == near(0.06)


def test_the_time_gone_is_that_since_the_arrival() -> None:
    """Of a body that was slow, a decision is made anew with the time it took."""
    router = Guided(TABLE, ON_LARGE)
    b = later(bench(router))
    execution, _ = b.open(GOLD)
    b.clock.run_until(LATER_S + 0.07)
    execution.send(BODY)
    assert [elapsed_s for elapsed_s, _ in router.seen] == [0.0, near(0.07)]


def test_the_time_gone_while_it_waited_is_that_since_the_arrival() -> None:
    """Who waits is looked at once more before its deadline, by the time that is left then."""
    router = Guided(TABLE, ON_LARGE, ON_LARGE, ON_LARGE, replace(ON_LARGE, shed=True))
    b = later(bench(router, says(None), places=1, service_s={"large": 0.01}))
    b.ask(GOLD)
    seen, answers = len(router.seen), b.ask(GOLD)
    b.clock.run_until(LATER_S + 0.2)
    assert [a.outcome for a in answers] == ["shed"]
    assert len(router.seen) > seen
    assert all(0.0 <= elapsed_s <= 0.2 for elapsed_s, _ in router.seen)


def test_other_work_in_flight_has_it_decided_again_though_it_is_as_many_calls() -> None:
    """A short call that ended and a long one that began meanwhile are another load."""
    router = Guided(TABLE, ON_LARGE)
    b = later(bench(router, service_s={"small": 0.001, "large": 0.1}))
    account = b.plane.account
    worth_s = account.add("small")
    execution, _ = b.open(GOLD)
    account.remove("small", worth_s)
    account.add("large")
    execution.send(BODY)
    assert [load.outstanding_s for _, load in router.seen] == [near(0.001), near(0.1)]


def test_a_later_stage_meets_the_others_load_of_its_own_time() -> None:
    """What others have in flight is asked again when the next stage is."""
    b = later(executing(CASCADE, {"small": says(0.01, 0.1), "large": says(0.02)}))
    b.plane.account.others = lambda: (1, b.clock.now() - LATER_S)
    b.ask()
    b.clock.run_until(LATER_S + 1.0)
    assert [(one.variant, one.outstanding_s) for one in b.observer.seen] == [
        ("small", near(0.0)),
        ("large", near(0.01)),
    ]


@pytest.mark.parametrize("why", ["leaves", "is refused"])
def test_work_of_a_request_that_ends_before_its_deadline_has_not_outlasted_it(why: str) -> None:
    """Nothing is known of its latency until it ends."""
    b = executing(CASCADE, {"small": says(0.05, 0.9)})
    execution, _ = b.open()
    execution.send(BODY)
    b.clock.run_until(0.01)
    execution.leave() if why == "leaves" else execution.fail("invalid")
    assert b.observer.seen == []
    b.clock.run_until(1.0)
    assert [one.ended for one in b.observer.seen] == [True]


def test_the_first_reason_for_best_effort_is_told() -> None:
    """An answer of unknown confidence, and then a stage that fails: the former came first."""
    b = executing(CASCADE, {"small": says(0.01), "large": FAILS})
    _, answer = b.answer()
    assert (answer.variant, answer.best_effort) == ("small", "confidence")

"""The moment of the deadline, when what happens comes before its own timer, or that is late."""

from collections.abc import Callable

import pytest

from gateway.clock import Alarm
from gateway.dataplane import MARGIN_S
from gateway.upstream.base import Refusal, Result
from loadtest.simulation.clock import VirtualClock
from tailq.plan import Cascade, Race
from tests.gateway.dataplane.bench import BODY, Bench, bench, executing, near, says
from tests.gateway.virtual import REPLY
from tests.tables import promise, table, tier

DEADLINE_S = 0.1
TABLE = table(tier("fast", 0.1, promise("small", DEADLINE_S)))


def at_deadline(b: Bench, happens: Callable[[], object]) -> None:
    """Armed before the requests of this moment come, so it happens before their timers fire."""
    b.clock.call_at(b.clock.now() + DEADLINE_S, happens)


def test_a_body_that_is_complete_at_the_deadline_is_late() -> None:
    """It is not sent on, nor does it look for a place."""
    b = bench(TABLE)
    at_deadline(b, lambda: execution.send(BODY))
    execution, answers = b.open()
    b.clock.run_until(1.0)
    assert [(a.outcome, a.asked, a.total_s) for a in answers] == [("late", (), DEADLINE_S)]
    assert b.is_idle()


def test_a_place_that_is_free_at_the_deadline_is_of_no_use() -> None:
    """Who waited for it is shed, and upstream never asked."""
    b = bench(TABLE, says(None), places=1)
    b.ask()
    at_deadline(b, lambda: b.upstream.calls[0].end(REPLY))
    answers = b.ask()
    b.clock.run_until(1.0)
    assert [(a.outcome, a.asked, a.total_s) for a in answers] == [("shed", (), DEADLINE_S)]
    assert len(b.asked) == 1
    assert b.is_idle()


@pytest.mark.parametrize("result", [REPLY, Refusal("wrong shape")])
def test_what_upstream_says_at_the_deadline_is_late(result: Result) -> None:
    """It is no answer in time, and a refusal is not the client's to hear any more."""
    b = bench(TABLE, says(None))
    at_deadline(b, lambda: b.upstream.calls[0].end(result))
    answers = b.ask()
    b.clock.run_until(1.0)
    assert [(a.outcome, a.result) for a in answers] == [("late", None)]
    assert b.is_idle()


def test_what_is_still_at_work_when_another_answers_at_the_deadline_has_outlasted_it() -> None:
    """The outlook hears of both: the one that ended, and the one that takes longer."""
    race = Race(fast="small", accurate="large", threshold=0.5)
    b = executing(race, {"small": says(None), "large": says(0.3)})
    at_deadline(b, lambda: b.upstream.calls[0].end(REPLY))
    b.ask()
    b.clock.run_until(DEADLINE_S)
    seen = {(one.variant, one.ended): one.seconds for one in b.observer.seen}
    assert seen == {("small", True): near(DEADLINE_S), ("large", False): near(DEADLINE_S)}


class LateClock(VirtualClock):
    """A clock whose timers are late, as those of a busy loop are."""

    def __init__(self, late_s: float) -> None:
        super().__init__()
        self._late_s = late_s

    def call_at(self, when: float, callback: Callable[[], object]) -> Alarm:
        """See VirtualClock."""
        return super().call_at(when + self._late_s, callback)


@pytest.mark.parametrize(("late_s", "outcome"), [(0.0005, "on_time"), (MARGIN_S + 0.0001, "late")])
def test_an_answer_in_hand_is_in_time_only_if_it_leaves_in_time(
    late_s: float, outcome: str
) -> None:
    """Where the timer that should send it off is later than the margin, the request is late."""
    usual = {"small": says(0.01, 0.1), "large": says(None)}
    b = executing(Cascade(stages=("small", "large"), thresholds=(0.5,)), usual)
    b.plane.clock = LateClock(late_s)
    b.upstream.clock = b.plane.clock
    answers = b.ask()
    b.plane.clock.run_until(0.2)
    assert [a.outcome for a in answers] == [outcome]
    assert (answers[0].total_s < DEADLINE_S) == (outcome == "on_time")

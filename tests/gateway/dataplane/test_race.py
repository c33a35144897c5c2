"""A race, by who comes first."""

import pytest

from gateway.dataplane import MARGIN_S, Limits
from gateway.upstream.base import Failure, Refusal
from tailq.plan import Race
from tests.gateway.dataplane.bench import executing, near, says, sure
from tests.gateway.virtual import Behaviour

PLAN = Race(fast="small", accurate="large", threshold=0.9)
TO_THE_END = Race(fast="small", accurate="large", threshold=0.9, terminate=False)
FAILS = Behaviour(after_s=0.02, result=Failure("lost", "gone"))


def test_both_are_asked_at_once() -> None:
    """Two calls are in flight from the start."""
    b = executing(PLAN, {})
    b.ask()
    assert b.asked == [(0.0, "small"), (0.0, "large")]
    assert b.plane.outstanding == 2


def test_a_confident_fast_answer_is_kept_and_the_loser_cancelled() -> None:
    """The accurate one's work is ended as soon as it is not needed."""
    b = executing(PLAN, {"small": says(0.01, 0.9), "large": says(0.05)})
    answers = b.ask()
    b.clock.run_until(0.01)
    assert [(a.outcome, a.variant, sure(a)) for a in answers] == [("on_time", "small", 0.9)]
    assert b.upstream.calls[1].cancelled
    assert b.plane.outstanding == 0


def test_a_cancelled_loser_counts_as_load_until_it_has_ended() -> None:
    """A cancellation that takes its time keeps its place."""
    loser = Behaviour(after_s=None, cancel_s=0.3)
    b = executing(PLAN, {"small": says(0.01, 0.9), "large": loser})
    b.ask()
    b.clock.run_until(0.3)
    assert b.plane.outstanding == 1
    b.clock.run_until(0.31)
    assert b.is_idle()


def test_a_race_to_the_end_leaves_the_loser_alone() -> None:
    """Without termination its work goes on, counts as load, and its answer is ignored."""
    b = executing(TO_THE_END, {"small": says(0.01, 0.9), "large": says(0.05)})
    answers = b.ask()
    b.clock.run_until(0.049)
    assert [a.variant for a in answers] == ["small"]
    assert (b.upstream.calls[1].abandoned, b.upstream.calls[1].cancelled) == (True, False)
    assert b.plane.outstanding == 1
    b.clock.run_until(0.05)
    assert len(answers) == 1
    assert b.is_idle()


def test_a_loser_that_hangs_is_cancelled_in_the_end() -> None:
    """It holds its place for abandon_s from when it lost."""
    usual = {"small": says(0.01, 0.9), "large": says(None)}
    b = executing(TO_THE_END, usual, limits=Limits(abandon_s=2.0))
    b.ask()
    b.clock.run_until(2.005)
    assert b.plane.outstanding == 1
    b.clock.run_until(2.01)
    assert b.is_idle()


def test_an_unsure_fast_answer_waits_for_the_accurate_one() -> None:
    """The accurate answer is taken when it comes."""
    b = executing(PLAN, {"small": says(0.01, 0.89), "large": says(0.05)})
    at, answer = b.answer()
    assert (at, answer.outcome, answer.variant) == (0.05, "on_time", "large")
    assert answer.asked == ("small", "large")


def test_an_accurate_answer_that_comes_first_is_taken_at_once() -> None:
    """The fast one has lost, and is cancelled."""
    b = executing(PLAN, {"small": says(0.05, 1.0), "large": says(0.01)})
    at, answer = b.answer()
    assert (at, answer.outcome, answer.variant) == (0.01, "on_time", "large")
    assert b.upstream.calls[0].cancelled


def test_an_unsure_fast_answer_leaves_before_the_deadline() -> None:
    """If the accurate one is late the fast answer is what there is; late work is let end."""
    b = executing(PLAN, {"small": says(0.01, 0.5), "large": says(0.3)})
    at, answer = b.answer()
    assert at == near(0.1 - MARGIN_S)
    assert (answer.outcome, answer.variant, sure(answer)) == ("on_time", "small", 0.5)
    assert not b.upstream.calls[1].cancelled
    assert b.is_idle()


@pytest.mark.parametrize("failing", ["small", "large"])
@pytest.mark.parametrize("after_s", [0.01, 0.05])
def test_if_one_fails_the_others_answer_is_taken(failing: str, after_s: float) -> None:
    """Before or after it, whatever its confidence, at once, as best effort."""
    [other] = {"small", "large"} - {failing}
    b = executing(PLAN, {failing: FAILS, other: says(after_s, 0.1)})
    at, answer = b.answer()
    sooner = other == "large" and after_s < 0.02  # an accurate answer waits for nobody
    assert at == (after_s if sooner else max(after_s, 0.02))
    assert answer.variant == other
    assert answer.best_effort == (None if sooner else "unavailable")


def test_if_both_fail_the_race_has_failed() -> None:
    """When the second one has."""
    b = executing(PLAN, {"small": FAILS, "large": Behaviour(0.04, Failure("lost", "gone"))})
    at, answer = b.answer()
    assert (at, answer.outcome) == (0.04, "failed")
    assert b.is_idle()


def test_a_refusal_ends_a_race() -> None:
    """Whoever it comes from; the other one's work is abandoned."""
    b = executing(PLAN, {"small": Behaviour(0.01, Refusal("wrong shape")), "large": says(0.05)})
    at, answer = b.answer()
    assert (at, answer.outcome) == (0.01, "invalid")
    assert b.is_idle()


def test_a_fast_answer_that_does_not_tell_its_confidence_waits() -> None:
    """What leaves is best effort, since which of them is right to leave cannot be told."""
    b = executing(PLAN, {"small": says(0.01), "large": says(0.05)})
    at, answer = b.answer()
    assert (at, answer.variant, answer.best_effort) == (0.05, "large", "confidence")
    assert answer.outcome == "best_effort"

"""A cascade, stage by stage."""

import pytest

from gateway.dataplane import MARGIN_S
from gateway.upstream.base import Failure, Refusal
from tailq.plan import Cascade
from tests.gateway.dataplane.bench import executing, near, says, sure
from tests.gateway.virtual import Behaviour

PLAN = Cascade(stages=("small", "medium", "large"), thresholds=(0.9, 0.8))
FAILS = Behaviour(after_s=0.01, result=Failure("lost", "gone"))


@pytest.mark.parametrize("confidence", [0.9, 1.0])
def test_a_confident_first_answer_is_taken_at_once(confidence: float) -> None:
    """At its threshold an answer is confident, and nobody else is asked."""
    b = executing(PLAN, {"small": says(0.01, confidence)})
    at, answer = b.answer()
    assert (at, answer.outcome, answer.variant) == (0.01, "on_time", "small")
    assert (sure(answer), answer.asked) == (confidence, ("small",))
    assert b.is_idle()


def test_an_unsure_answer_has_the_next_stage_asked() -> None:
    """Each stage is asked when the one before has answered, the last one's answer is taken."""
    usual = {"small": says(0.01, 0.89), "medium": says(0.02, 0.79), "large": says(0.03, 0.1)}
    b = executing(PLAN, usual)
    at, answer = b.answer()
    assert b.asked == [(0.0, "small"), (0.01, "medium"), (near(0.03), "large")]
    assert at == near(0.06)
    assert (answer.outcome, answer.variant) == ("on_time", "large")
    assert (answer.asked, sure(answer)) == (PLAN.stages, None)
    assert b.is_idle()


def test_the_next_stage_takes_the_place_of_the_one_before() -> None:
    """A cascade never has two calls in flight."""
    b = executing(PLAN, {"small": says(0.01, 0.0), "medium": says(0.01, 0.0)})
    b.ask()
    for _ in range(3):
        assert b.plane.outstanding == 1
        b.clock.run_until(b.clock.now() + 0.01)
    assert b.plane.outstanding == 0


def test_the_best_answer_in_hand_leaves_before_the_deadline() -> None:
    """A later stage that does not make it leaves the last answer that came, as on time."""
    usual = {"small": says(0.01, 0.2), "medium": says(0.02, 0.3), "large": says(None)}
    at, answer = executing(PLAN, usual).answer()
    assert at == near(0.1 - MARGIN_S)
    assert (answer.outcome, answer.variant, sure(answer)) == ("on_time", "medium", 0.3)


def test_an_unsure_answer_just_before_the_deadline_leaves_at_once() -> None:
    """With no time left nobody else is asked."""
    b = executing(PLAN, {"small": says(0.0995, 0.2)})
    at, answer = b.answer()
    assert (at, answer.variant, answer.outcome) == (0.0995, "small", "on_time")
    assert answer.asked == ("small",)
    assert b.is_idle()


def test_a_first_stage_that_fails_is_passed_over() -> None:
    """The next one is asked at once; what it answers is best effort."""
    b = executing(PLAN, {"small": FAILS, "medium": says(0.01, 0.9)})
    at, answer = b.answer()
    assert (at, answer.outcome, answer.variant) == (0.02, "best_effort", "medium")
    assert answer.best_effort == "unavailable"


def test_a_later_stage_that_fails_leaves_the_answer_in_hand() -> None:
    """At once, as best effort: nothing better is to be waited for."""
    b = executing(PLAN, {"small": says(0.01, 0.2), "medium": FAILS})
    at, answer = b.answer()
    assert (at, answer.outcome, answer.variant) == (0.02, "best_effort", "small")
    assert (answer.best_effort, sure(answer)) == ("unavailable", 0.2)
    assert b.is_idle()


def test_a_cascade_whose_stages_all_fail_has_failed() -> None:
    """With nothing in hand and nobody left to ask the last failure is passed on."""
    b = executing(PLAN, dict.fromkeys(PLAN.stages, FAILS))
    at, answer = b.answer()
    assert (at, answer.outcome, answer.asked) == (near(0.03), "failed", PLAN.stages)


def test_a_refusal_ends_a_cascade() -> None:
    """What is wrong with the request will be wrong for the next stage, too."""
    b = executing(PLAN, {"small": Behaviour(0.01, Refusal("wrong shape"))})
    assert b.answer()[1].outcome == "invalid"
    assert b.asked == [(0.0, "small")]


def test_an_answer_that_does_not_tell_its_confidence_is_not_confident() -> None:
    """The next stage is asked, and what it answers is best effort: the plan was not kept to."""
    b = executing(PLAN, {"small": says(0.01), "medium": says(0.01, 1.0)})
    _, answer = b.answer()
    assert (answer.variant, answer.outcome) == ("medium", "best_effort")
    assert answer.best_effort == "confidence"


def test_a_stage_that_is_late_leaves_nothing() -> None:
    """Without an answer in hand the request is late at the deadline itself, not before."""
    at, answer = executing(PLAN, {"small": says(None)}).answer()
    assert (at, answer.outcome) == (0.1, "late")

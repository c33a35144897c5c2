"""A rescue, by when the primary answers."""

import pytest

from gateway.dataplane import MARGIN_S
from gateway.upstream.base import Failure, Refusal
from tailq.plan import Rescue
from tailq.route import Ask
from tests.gateway.dataplane.bench import BODY, bench, executing, near, says
from tests.gateway.virtual import Behaviour
from tests.tables import promise, table, tier

PLAN = Rescue(primary="large", rescuer="small", after_s=0.06)
FAILS = Behaviour(after_s=0.02, result=Failure("lost", "gone"))


def test_a_primary_in_good_time_needs_no_rescuer() -> None:
    """The rescuer is not asked at all."""
    b = executing(PLAN, {"large": says(0.05)})
    at, answer = b.answer()
    assert (at, answer.outcome, answer.variant) == (0.05, "on_time", "large")
    assert b.asked == [(0.0, "large")]
    assert b.is_idle()


def test_a_rescuers_answer_waits_for_the_primary_until_the_deadline() -> None:
    """Asked at after_s, its answer leaves just before the deadline and says that it rescued."""
    b = executing(PLAN, {"large": says(None), "small": says(0.01)})
    at, answer = b.answer()
    assert b.asked == [(0.0, "large"), (near(0.06), "small")]
    assert at == near(0.1 - MARGIN_S)
    assert (answer.outcome, answer.variant) == ("rescued", "small")
    assert (answer.best_effort, answer.asked) == (None, ("large", "small"))


@pytest.mark.parametrize("rescuer_s", [0.01, 0.035, None])
def test_the_primarys_answer_is_taken_whenever_it_comes(rescuer_s: float | None) -> None:
    """Whether the rescuer's is in hand or not."""
    b = executing(PLAN, {"large": says(0.09), "small": says(rescuer_s)})
    at, answer = b.answer(within_s=20)
    assert (at, answer.outcome, answer.variant) == (0.09, "on_time", "large")
    assert b.is_idle()


@pytest.mark.parametrize(("deadline_s", "asked_at"), [(0.07, 0.03), (0.04, 0.0), (0.02, 0.0)])
def test_a_tighter_deadline_has_the_rescuer_asked_earlier(
    deadline_s: float, asked_at: float
) -> None:
    """It has as long as under the promise, as far as there is time at all."""
    b = executing(PLAN, {"large": says(None), "small": says(0.01)})
    at, answer = b.answer(Ask(tier="fast", deadline_s=deadline_s))
    assert b.asked == [(0.0, "large"), (near(asked_at), "small")]
    assert at == near(deadline_s - MARGIN_S)
    assert (answer.variant, answer.best_effort) == ("small", "deadline")


def test_a_looser_deadline_has_the_rescuer_asked_when_it_was_proven() -> None:
    """Its answer is held until the deadline that applies."""
    b = bench(
        table(tier("fast", 0.1, promise(PLAN, 0.1), promise("large", 0.5))),
        usual={"large": says(None), "small": says(0.01)},
    )
    at, answer = b.answer(Ask(tier="fast", deadline_s=0.2))
    assert b.asked[1] == (near(0.06), "small")
    assert (at, answer.outcome) == (near(0.2 - MARGIN_S), "rescued")


def test_time_spent_before_it_was_sent_counts() -> None:
    """after_s is from the request's arrival: past it both are asked at once."""
    b = executing(PLAN, {"large": says(None), "small": says(0.01)})
    execution, answers = b.open()
    b.clock.run_until(0.07)
    execution.send(BODY)
    assert b.asked == [(0.07, "large"), (0.07, "small")]
    b.clock.run_until(0.1)
    assert [a.outcome for a in answers] == ["rescued"]


def test_a_rescuer_that_could_only_come_too_late_is_not_asked() -> None:
    """If after_s is not before the deadline there is nothing to rescue."""
    b = executing(PLAN, {"large": says(None)}, deadline_s=0.05)
    at, answer = b.answer()
    assert (at, answer.outcome) == (0.05, "late")
    assert b.asked == [(0.0, "large")]


def test_a_primary_that_fails_is_rescued_at_once() -> None:
    """Nothing better is to be waited for, so the rescuer's answer leaves when it comes."""
    b = executing(PLAN, {"large": FAILS, "small": says(0.01)})
    at, answer = b.answer()
    assert b.asked == [(0.0, "large"), (0.02, "small")]
    assert (at, answer.outcome, answer.variant) == (near(0.03), "rescued", "small")
    assert b.is_idle()


@pytest.mark.parametrize("rescuer_s", [0.01, 0.03])
def test_a_primary_that_fails_late_leaves_the_rescuers_answer(rescuer_s: float) -> None:
    """At once if it is in hand, otherwise when it comes; the rescuer is asked once."""
    usual = {"large": Behaviour(0.08, Failure("lost", "gone")), "small": says(rescuer_s)}
    b = executing(PLAN, usual)
    at, answer = b.answer()
    assert at == near(max(0.08, 0.06 + rescuer_s))
    assert (answer.outcome, answer.asked) == ("rescued", ("large", "small"))
    assert b.is_idle()


def test_a_rescuer_that_fails_changes_nothing_for_the_primary() -> None:
    """Its answer in time is as promised."""
    b = executing(PLAN, {"large": says(0.09), "small": FAILS})
    at, answer = b.answer()
    assert (at, answer.outcome, answer.variant) == (0.09, "on_time", "large")


@pytest.mark.parametrize("primary_s", [0.02, 0.09])
def test_if_both_fail_the_rescue_has_failed(primary_s: float) -> None:
    """When the second one has, whichever that is."""
    failure = Failure("lost", "gone")
    b = executing(PLAN, {"large": Behaviour(primary_s, failure), "small": FAILS})
    at, answer = b.answer()
    assert at == near(max(primary_s, 0.04))
    assert answer.outcome == "failed"
    assert b.is_idle()


def test_a_refusal_ends_a_rescue() -> None:
    """The rescuer would refuse the request, too."""
    b = executing(PLAN, {"large": Behaviour(0.01, Refusal("wrong shape"))})
    assert b.answer()[1].outcome == "invalid"
    assert b.asked == [(0.0, "large")]
    assert b.is_idle()


def test_a_rescue_outside_of_the_promise_is_best_effort() -> None:
    """`rescued` is an answer as promised; this one is not."""
    b = executing(PLAN, {"large": says(None), "small": says(0.01)})
    _, answer = b.answer(Ask(tier="fast", deadline_s=0.09))
    assert (answer.outcome, answer.variant) == ("best_effort", "small")


def test_a_rescuer_that_is_still_at_work_when_it_would_be_asked_is_not_asked_again() -> None:
    """The primary failed early, and the rescuer, asked then, takes longer than till after_s."""
    b = executing(PLAN, {"large": FAILS, "small": says(0.06)})
    at, answer = b.answer()
    assert b.asked == [(0.0, "large"), (0.02, "small")]
    assert (at, answer.outcome, answer.asked) == (near(0.08), "rescued", ("large", "small"))

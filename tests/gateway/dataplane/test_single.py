"""A request for a single variant, and what holds for any: deadlines, faults, departures."""

import pytest

from gateway.dataplane import Limits
from gateway.upstream.base import Failure, Refusal
from tailq.errors import UnknownTier
from tailq.route import Ask
from tests.gateway.dataplane.bench import BODY, bench
from tests.gateway.virtual import REPLY, Behaviour
from tests.tables import promise, table, tier

TABLE = table(
    tier("gold", 0.0, promise("large", 0.2), promise("large", 0.5)),
    tier("fast", 0.1, promise("small", 0.05), promise("small", 0.1)),
    max_outstanding=2,
)


def test_an_answer_in_time_is_on_time() -> None:
    """A reply before the deadline is handed on as on_time, with its timings."""
    b = bench(TABLE, Behaviour(after_s=0.03))
    answers = b.ask()
    b.clock.run_until(1.0)
    assert [(a.outcome, a.result, a.variant, a.asked) for a in answers] == [
        ("on_time", REPLY, "small", ("small",))
    ]
    assert (answers[0].queue_s, answers[0].upstream_s) == (0.0, 0.03)
    assert b.upstream.asked == [(0.0, "small", b"body")]
    assert b.is_idle()


@pytest.mark.parametrize("after_s", [None, 0.1, 0.3])
def test_a_slow_upstream_makes_the_request_late_at_its_deadline(after_s: float | None) -> None:
    """At the deadline the client has its answer, `late`, though upstream works on."""
    b = bench(TABLE, Behaviour(after_s=after_s))
    answers = b.ask()
    b.clock.run_until(0.0999)
    assert not answers
    b.clock.run_until(0.1)
    assert [(a.outcome, a.variant) for a in answers] == [("late", "small")]
    assert answers[0].total_s == pytest.approx(0.1)


def test_abandoned_work_counts_as_load_until_it_ends() -> None:
    """Work abandoned at the deadline keeps its place in the load account until upstream ends."""
    b = bench(TABLE, Behaviour(after_s=0.4), service_s={"small": 0.01})
    b.ask()
    b.clock.run_until(0.3)
    assert (b.plane.account.own, b.plane.account.own_s) == (1, 0.01)
    assert b.upstream.calls[0].abandoned
    b.clock.run_until(0.4)
    assert b.records.upstream == [("small", 0.4)]
    assert b.is_idle()


def test_work_that_never_ends_is_cancelled_in_the_end() -> None:
    """An upstream that hangs holds its place for abandon_s, not for ever."""
    b = bench(TABLE, Behaviour(after_s=None), limits=Limits(abandon_s=3.0))
    b.ask()
    b.clock.run_until(3.05)
    assert b.plane.outstanding == 1
    b.clock.run_until(3.2)
    assert b.is_idle()


def test_late_work_can_be_cancelled_at_once() -> None:
    """With at_deadline="cancel" upstream hears of the deadline itself."""
    b = bench(TABLE, Behaviour(after_s=None), limits=Limits(at_deadline="cancel"))
    answers = b.ask()
    b.clock.run_until(0.1)
    assert [a.outcome for a in answers] == ["late"]
    assert b.is_idle()


@pytest.mark.parametrize("kind", ["unreachable", "lost", "unavailable", "broken"])
def test_an_upstream_failure_is_passed_on_at_once(kind: str) -> None:
    """No answer to be had: the client hears it when we do, not at the deadline."""
    failure = Failure(kind, "why")  # type: ignore[arg-type]
    b = bench(TABLE, Behaviour(after_s=0.02, result=failure))
    answers = b.ask()
    b.clock.run_until(0.02)
    assert [(a.outcome, a.result) for a in answers] == [("failed", failure)]


def test_a_refusal_is_the_requests_fault() -> None:
    """What upstream finds wrong with a request makes it invalid, not failed."""
    b = bench(TABLE, Behaviour(result=Refusal("wrong shape")))
    answers = b.ask()
    b.clock.run_until(1.0)
    assert [a.outcome for a in answers] == ["invalid"]


def test_an_expired_request_never_goes_upstream() -> None:
    """A body that is complete only after the deadline is not sent on."""
    b = bench(TABLE)
    execution, answers = b.open()
    b.clock.run_until(0.2)
    execution.send(BODY)
    assert [a.outcome for a in answers] == ["late"]
    assert not b.upstream.asked
    assert b.is_idle()


def test_the_deadline_counts_from_arrival_not_from_the_end_of_the_body() -> None:
    """A slow body eats its own time."""
    b = bench(TABLE, Behaviour(after_s=0.05))
    execution, answers = b.open()
    b.clock.run_until(0.07)
    execution.send(BODY)
    b.clock.run_until(0.1)
    assert [a.outcome for a in answers] == ["late"]


def test_load_beyond_the_profiled_one_makes_answers_best_effort() -> None:
    """With as many outstanding as were profiled, the next answer is best effort, and says so."""
    b = bench(TABLE, places=3)
    answers = [b.ask() for _ in range(3)]
    b.clock.run_until(1.0)
    assert [a[0].outcome for a in answers] == ["on_time", "on_time", "best_effort"]
    assert answers[2][0].best_effort == "load"


def test_a_deadline_tighter_than_any_promise_is_best_effort() -> None:
    """What was not promised is tried all the same, and called best effort."""
    b = bench(TABLE, Behaviour(after_s=0.01))
    _, answer = b.answer(Ask(tier="fast", deadline_s=0.02))
    assert (answer.outcome, answer.best_effort) == ("best_effort", "deadline")
    assert answer.decision.deadline_s == 0.02


def test_a_client_that_leaves_is_not_answered() -> None:
    """A request whose client left ends as cancelled; its work upstream still counts as load."""
    b = bench(TABLE, Behaviour(after_s=0.08))
    execution, answers = b.open()
    execution.send(BODY)
    b.clock.run_until(0.01)
    execution.leave()
    execution.leave()
    assert [a.outcome for a in b.records.answers] == ["cancelled"]
    assert b.plane.outstanding == 1
    b.clock.run_until(1.0)
    assert not answers
    assert b.is_idle()


def test_a_request_that_the_adapter_ends_is_recorded_and_not_answered() -> None:
    """fail() counts the outcome; the adapter answers by itself, and a body is of no use then."""
    b = bench(TABLE)
    execution, answers = b.open()
    execution.fail("invalid")
    execution.send(BODY)
    b.clock.run_until(1.0)
    assert not answers
    assert not b.upstream.asked
    assert [a.outcome for a in b.records.answers] == ["invalid"]
    assert b.is_idle()


def test_an_unknown_tier_is_refused_before_anything_is_counted() -> None:
    """Never a silent default."""
    b = bench(TABLE)
    with pytest.raises(UnknownTier, match="fast"):
        b.open(Ask(tier="silver"))
    assert not b.records.answers
    assert b.is_idle()

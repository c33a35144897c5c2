"""The dataplane in virtual time: one outcome each, by the deadline, whatever upstream does."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from gateway.dataplane import Answer, Dataplane, Execution, Limits
from gateway.upstream.base import Failure, Payload, Refusal
from tailq.errors import UnknownTier
from tailq.route import Ask, Router
from tests.gateway.virtual import REPLY, Behaviour, Records, ScriptedUpstream, VirtualClock
from tests.tables import promise, table, tier

TABLE = table(
    tier("gold", 0.0, promise("large", 0.2), promise("large", 0.5)),
    tier("fast", 0.1, promise("small", 0.05), promise("small", 0.1)),
    max_outstanding=2,
)
BODY = Payload([b"body"])


@dataclass
class Bench:
    """A dataplane with all that surrounds it."""

    clock: VirtualClock
    upstream: ScriptedUpstream
    records: Records
    plane: Dataplane

    def open(self, ask: Ask = Ask(tier="fast")) -> tuple[Execution, list[Answer]]:  # noqa: B008
        answers: list[Answer] = []
        return self.plane.open(ask, self.clock.now(), answers.append), answers

    def ask(self, ask: Ask = Ask(tier="fast")) -> list[Answer]:  # noqa: B008
        execution, answers = self.open(ask)
        execution.send(BODY)
        return answers


MakeBench = Callable[..., Bench]


@pytest.fixture
def bench() -> MakeBench:
    def make(*script: Behaviour, limits: Limits | None = None) -> Bench:
        clock = VirtualClock()
        upstream = ScriptedUpstream(clock, list(script))
        records = Records()
        return Bench(
            clock, upstream, records, Dataplane(Router(TABLE), upstream, clock, records, limits)
        )

    return make


def test_an_answer_in_time_is_on_time(bench: MakeBench) -> None:
    """A reply before the deadline is handed on as on_time, with its timings."""
    b = bench(Behaviour(after_s=0.03))
    answers = b.ask()
    b.clock.run_until(1.0)
    assert [(a.outcome, a.result) for a in answers] == [("on_time", REPLY)]
    assert (answers[0].queue_s, answers[0].upstream_s) == (0.0, 0.03)
    assert b.upstream.asked == [(0.0, "small", b"body")]


@pytest.mark.parametrize("after_s", [None, 0.1, 0.3])
def test_a_slow_upstream_makes_the_request_late_at_its_deadline(
    bench: MakeBench, after_s: float | None
) -> None:
    """At the deadline the client has its answer, `late`, though upstream works on."""
    b = bench(Behaviour(after_s=after_s))
    answers = b.ask()
    b.clock.run_until(0.0999)
    assert not answers
    b.clock.run_until(0.1)
    assert [a.outcome for a in answers] == ["late"]
    assert answers[0].total_s == pytest.approx(0.1)


def test_abandoned_work_counts_as_load_until_it_ends(bench: MakeBench) -> None:
    """Work abandoned at the deadline keeps its place in the load account until upstream ends."""
    b = bench(Behaviour(after_s=0.4))
    b.ask()
    b.clock.run_until(0.3)
    assert b.plane.outstanding == 1
    assert b.upstream.calls[0].abandoned
    b.clock.run_until(0.4)
    assert b.plane.outstanding == 0
    assert b.records.upstream == [("small", 0.4)]


def test_work_that_never_ends_is_cancelled_in_the_end(bench: MakeBench) -> None:
    """An upstream that hangs holds its place for abandon_s, not for ever."""
    b = bench(Behaviour(after_s=None), limits=Limits(abandon_s=3.0))
    b.ask()
    b.clock.run_until(3.05)
    assert b.plane.outstanding == 1
    b.clock.run_until(3.2)
    assert b.plane.outstanding == 0
    assert b.clock.armed() == 0


def test_late_work_can_be_cancelled_at_once(bench: MakeBench) -> None:
    """With at_deadline="cancel" upstream hears of the deadline itself."""
    b = bench(Behaviour(after_s=None), limits=Limits(at_deadline="cancel"))
    answers = b.ask()
    b.clock.run_until(0.1)
    assert [a.outcome for a in answers] == ["late"]
    assert b.plane.outstanding == 0


@pytest.mark.parametrize("kind", ["unreachable", "lost", "unavailable", "broken"])
def test_an_upstream_failure_is_passed_on_at_once(bench: MakeBench, kind: str) -> None:
    """No answer to be had: the client hears it when we do, not at the deadline."""
    failure = Failure(kind, "why")  # type: ignore[arg-type]
    b = bench(Behaviour(after_s=0.02, result=failure))
    answers = b.ask()
    b.clock.run_until(0.02)
    assert [(a.outcome, a.result) for a in answers] == [("failed", failure)]


def test_a_refusal_is_the_requests_fault(bench: MakeBench) -> None:
    """What upstream finds wrong with a request makes it invalid, not failed."""
    b = bench(Behaviour(result=Refusal("wrong shape")))
    answers = b.ask()
    b.clock.run_until(1.0)
    assert [a.outcome for a in answers] == ["invalid"]


def test_an_expired_request_never_goes_upstream(bench: MakeBench) -> None:
    """A body that is complete only after the deadline is not sent on."""
    b = bench()
    execution, answers = b.open()
    b.clock.run_until(0.2)
    execution.send(BODY)
    assert [a.outcome for a in answers] == ["late"]
    assert not b.upstream.asked


def test_the_deadline_counts_from_arrival_not_from_the_end_of_the_body(bench: MakeBench) -> None:
    """A slow body eats its own time."""
    b = bench(Behaviour(after_s=0.05))
    execution, answers = b.open()
    b.clock.run_until(0.07)
    execution.send(BODY)
    b.clock.run_until(0.1)
    assert [a.outcome for a in answers] == ["late"]


def test_load_beyond_the_profiled_one_makes_answers_best_effort(bench: MakeBench) -> None:
    """With as many outstanding as were profiled, the next answer is best effort, and says so."""
    b = bench()
    answers = [b.ask() for _ in range(3)]
    b.clock.run_until(1.0)
    assert [a[0].outcome for a in answers] == ["on_time", "on_time", "best_effort"]
    assert answers[2][0].decision.best_effort == "load"


def test_the_load_that_counts_is_the_one_when_the_body_is_complete(bench: MakeBench) -> None:
    """A promise is not kept from the time of the head if the load has changed since."""
    b = bench(Behaviour(after_s=None), Behaviour(after_s=None))
    execution, answers = b.open(Ask(tier="gold"))
    b.ask()
    b.ask()
    b.clock.run_until(0.01)
    execution.send(BODY)
    b.clock.run_until(0.4)
    assert [a.outcome for a in answers] == ["best_effort"]


def test_a_deadline_tighter_than_any_promise_is_best_effort(bench: MakeBench) -> None:
    """What was not promised is tried all the same, and called best effort."""
    b = bench(Behaviour(after_s=0.01))
    answers = b.ask(Ask(tier="fast", deadline_s=0.02))
    b.clock.run_until(1.0)
    assert [a.outcome for a in answers] == ["best_effort"]
    assert answers[0].decision.deadline_s == 0.02


def test_more_than_max_in_flight_are_shed(bench: MakeBench) -> None:
    """The bound counts abandoned work too; beyond it requests are answered at once."""
    b = bench(*[Behaviour(after_s=5.0)] * 2, limits=Limits(max_in_flight=2))
    b.ask()
    b.ask()
    b.clock.run_until(1.0)  # both are late by now, and still running
    assert [a.outcome for a in b.ask()] == ["shed"]
    b.clock.run_until(5.0)
    answers = b.ask()
    b.clock.run_until(6.0)
    assert [a.outcome for a in answers] == ["on_time"]


def test_a_client_that_leaves_is_not_answered(bench: MakeBench) -> None:
    """A request whose client left ends as cancelled; its work upstream still counts as load."""
    b = bench(Behaviour(after_s=0.08))
    execution, answers = b.open()
    execution.send(BODY)
    b.clock.run_until(0.01)
    execution.leave()
    execution.leave()
    assert [a.outcome for a in b.records.answers] == ["cancelled"]
    assert b.plane.outstanding == 1
    b.clock.run_until(1.0)
    assert not answers
    assert b.plane.outstanding == 0
    assert b.clock.armed() == 0


def test_an_unknown_tier_is_refused_before_anything_is_counted(bench: MakeBench) -> None:
    """Never a silent default."""
    b = bench()
    with pytest.raises(UnknownTier, match="fast"):
        b.open(Ask(tier="silver"))
    assert not b.records.answers
    assert b.clock.armed() == 0


def test_an_answered_request_leaves_nothing_behind(bench: MakeBench) -> None:
    """No timer stays armed after an answer in time."""
    b = bench()
    b.ask()
    b.clock.run_until(0.05)
    assert b.clock.armed() == 0

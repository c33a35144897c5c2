"""One request from arrival to answer: its clock, its place, what it asked, its one outcome."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

from gateway.admission import Ticket
from gateway.clock import Timer
from gateway.dataplane.outcome import NOTHING_READ, Answer, Outcome, Recorder
from gateway.dataplane.plans import COURSES
from gateway.dataplane.work import Work
from gateway.upstream.base import Failure, Payload, Refusal, Reply, Result
from tailq.route import Ask, BestEffort, Decision, Load, Router

if TYPE_CHECKING:
    from gateway.dataplane.plane import Dataplane

# Seconds by which the time gone may differ from what a decision was made for. Less is what passes
# between the head of a request and its body in the same piece.
_SAME_S: Final = 0.001


@dataclass(slots=True, eq=False)
class Hand:
    """An answer that leaves unless a better one comes."""

    reply: Reply
    variant: str
    rescued: bool


class Execution:
    """One request. Open until answered (or left); its work upstream may outlive it.

    An adapter feeds it: send(), leave(), fail(). Its plan's course (`plans/`) conducts it: ask(),
    take(), hold(), give_up(). decision: the last one made for it.
    """

    __slots__ = (
        "_alarm",
        "_answer",
        "_arrived",
        "_ask",
        "_asked",
        "_deadline",
        "_decided",
        "_first_asked",
        "_hand",
        "_leaves",
        "_payload",
        "_plane",
        "_read",
        "_readings",
        "_recorder",
        "_request_id",
        "_router",
        "_ticket",
        "_timer",
        "_why",
        "_works",
        "decision",
    )

    def __init__(
        self,
        plane: "Dataplane",
        router: Router,
        ask: Ask,
        decision: Decision,
        arrived: float,
        elapsed_s: float,
        answer: Callable[[Answer], None],
        request_id: bytes,
        recorder: Recorder,
    ) -> None:
        self._plane = plane
        self._request_id = request_id
        self._recorder = recorder
        # A reload may put others in their places, without this tier, or for other thresholds.
        self._router = router
        self._read = plane.read
        self._readings = NOTHING_READ
        self._ask = ask
        self.decision = decision
        self._note_decided(elapsed_s)
        self._arrived = arrived
        self._deadline = arrived + decision.deadline_s
        self._answer: Callable[[Answer], None] | None = answer  # None: has been answered
        self._payload: Payload | None = None
        self._ticket: Ticket | None = None  # while it waits for a place
        self._asked: tuple[str, ...] = ()
        self._first_asked: float | None = None
        self._works: list[Work] = []  # that it waits for
        self._hand: Hand | None = None
        self._leaves: float | None = None  # when what is in hand leaves
        self._why: BestEffort | None = None
        self._alarm: Timer | None = None
        self._timer: Timer | None = None
        if decision.shed:
            self._finish("shed", None, arrived)
        else:
            self._timer = plane.clock.call_at(self._deadline, self._on_deadline)

    # For the adapter

    def send(self, payload: Payload) -> None:
        """The request is complete: ask upstream. At most once; ignored if answered already."""
        if self._answer is None:
            return
        now = self._plane.clock.now()
        if now >= self._deadline:
            self._finish("late", None, now)
            return
        self._payload = payload
        if now - self._arrived > _SAME_S:
            self._plane.account.look()  # others may have taken the place meanwhile
        self._enter(now)

    def leave(self) -> None:
        """The client is gone: no answer is wanted."""
        self._drop("cancelled")

    def fail(self, outcome: Literal["invalid", "shed"]) -> None:
        """End for a reason of the adapter's, which answers by itself."""
        self._drop(outcome)

    def _drop(self, outcome: Outcome) -> None:
        if self._answer is not None:
            self._answer = _nobody
            self._finish(outcome, None, self._plane.clock.now())

    # For admission

    def _enter(self, now: float) -> None:
        """Ask for the places that the plan takes at once."""
        decision, admission = self.decision, self._plane.admission
        plan, priority = decision.plan, decision.tier.priority
        work_s = admission.taken.mean_s(plan, decision.work_s, now)
        ticket = Ticket(self, plan.at_once, priority, self._deadline, work_s)
        self._ticket = ticket
        admission.enter(ticket)
        if self._ticket is ticket:  # it has to wait
            self.wake(self._router.hopeless_s(self._ask), now, self._on_waiting_long)

    def admitted(self) -> None:
        """See admission.Waiter."""
        ticket, self._ticket = self._ticket, None
        assert ticket is not None
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        now = self._plane.clock.now()
        if now >= self._deadline:
            self._finish("shed", None, now)
            return
        if self._is_other(now):
            # The applied deadline stays the one that the clock was started for.
            load, elapsed_s = self._plane.load(now), now - self._arrived
            self._note_decided(elapsed_s)
            self.decision = self._router.decide(self._ask, elapsed_s, load)
            if self.decision.shed:
                self._finish("shed", None, now)
                return
        plan = self.decision.plan
        if plan.at_once != ticket.variants:
            self._enter(now)  # it is not these places that it needs
            return
        COURSES[type(plan)].begin(self, plan, now)

    def turned_away(self) -> None:
        """See admission.Waiter."""
        self._finish("shed", None, self._plane.clock.now())

    def _on_waiting_long(self, now: float) -> None:
        """Wait no longer if it would be no use, were there a place and nothing else to do."""
        idle = Load(now, absent=self._plane.upstream.absent, foreign=self._plane.foreign)
        if self._router.decide(self._ask, now - self._arrived, idle).shed:
            self._finish("shed", None, now)

    def _note_decided(self, elapsed_s: float) -> None:
        account = self._plane.account
        self._decided = (elapsed_s, account.own, account.own_s)

    def _is_other(self, now: float) -> bool:
        """Whether the load or the time gone is another than the decision was made for."""
        elapsed_s, own, own_s = self._decided
        account = self._plane.account
        return (
            account.own != own
            or account.own_s != own_s
            or not -_SAME_S < now - self._arrived - elapsed_s < _SAME_S
        )

    # For the plan's course

    def ask(self, variant: str, now: float) -> None:
        """Ask `variant` upstream; the course hears of its end unless there is an answer before."""
        assert self._payload is not None
        if self._first_asked is None:
            self._first_asked = now
        else:
            self._plane.account.look()
        self._asked += (variant,)
        work = Work(
            self._plane,
            self._router.outlook,
            self,
            variant,
            self._payload,
            self._deadline,
            now,
            self._recorder,
        )
        self._works.append(work)

    def has_asked(self, variant: str) -> bool:
        """Whether `variant` was asked, whatever came of it."""
        return variant in self._asked

    def awaits(self, variant: str) -> bool:
        """Whether `variant` is at work for this request."""
        return any(work.variant == variant for work in self._works)

    def confidence(self, variant: str, reply: Reply) -> float | None:
        """How sure `variant` is of its answer, of a batch of the least sure one. None: not told.

        That counts as unsure, and whatever answer leaves is best effort: the plan was proven with
        answers that tell.
        """
        reading = self._read(variant, reply)
        self._readings = {**self._readings, variant: reading}
        if reading is None:
            self.note("confidence")
            return None
        return min(reading.confidence)

    def note(self, why: BestEffort) -> None:
        """Whatever answer leaves now is best effort; the first reason is told."""
        if self._why is None:
            self._why = why

    @property
    def in_hand(self) -> bool:
        """Whether there is an answer that could leave."""
        return self._hand is not None

    def take(
        self,
        reply: Reply,
        variant: str,
        now: float,
        *,
        rescued: bool = False,
        cancel: bool = False,
        overdue: bool = False,
    ) -> None:
        """Answer with this.

        rescued: since the primary was late. cancel: what is still at work upstream; otherwise it
        is left to end. overdue: because of the deadline.
        """
        why = self.decision.best_effort or self._why
        outcome: Outcome = "best_effort" if why else "rescued" if rescued else "on_time"
        self._finish(outcome, reply, now, variant, cancel=cancel, overdue=overdue)

    def hold(
        self,
        reply: Reply,
        variant: str,
        now: float,
        *,
        rescued: bool = False,
    ) -> bool:
        """Answer with this unless a better one comes: it leaves a Margin before the deadline.

        False: it has left, since that moment has come already.
        """
        self._hand = Hand(reply, variant, rescued)
        leaves = self._leaves
        if leaves is None:
            leaves = self._deadline - self._plane.margin.before(self.decision.deadline_s)
        if now >= leaves:
            self._on_deadline()
            return False
        if self._leaves is None:
            self._leaves = leaves
            assert self._timer is not None
            self._timer.cancel()
            self._timer = self._plane.clock.call_at(leaves, self._on_deadline)
        return True

    def give_up(self, failure: Failure, now: float) -> None:
        """Nothing better can come: what is in hand leaves, else `failure` does."""
        if self._hand is None:
            self._finish("failed", failure, now)
        else:
            self._take_hand(self._hand, now, overdue=False)

    def wake(self, before_deadline_s: float, now: float, callback: Callable[[float], None]) -> None:
        """Call back, with the time, so long before the deadline unless there is an answer before.

        Within this call if that moment has come already.
        """
        when = self._deadline - before_deadline_s
        if when <= now:
            callback(now)
        else:
            self._alarm = self._plane.clock.call_at(when, partial(self._on_alarm, callback))

    def _on_alarm(self, callback: Callable[[float], None]) -> None:
        self._alarm = None
        callback(self._plane.clock.now())

    # For Work

    def ended(self, work: Work, result: Result, now: float) -> None:
        """`work`, which this request waited for, has ended."""
        self._works.remove(work)
        if now >= self._deadline:
            self._finish("late", None, now, overdue=True)
        elif isinstance(result, Refusal):
            self._finish("invalid", result, now)
        else:
            plan = self.decision.plan
            course = COURSES[type(plan)]
            if isinstance(result, Reply):
                course.replied(self, plan, work.variant, result, now)
            else:
                course.failed(self, plan, work.variant, result, now)

    # The end

    def _on_deadline(self) -> None:
        now = self._plane.clock.now()
        if self._leaves is not None:
            self._plane.margin.learn(now - self._leaves)
        if self._ticket is not None:
            self._finish("shed", None, now)
        elif self._hand is None or now >= self._deadline:
            self._finish("late", None, now, overdue=True)
        else:
            self._take_hand(self._hand, now, overdue=True)

    def _take_hand(self, hand: Hand, now: float, *, overdue: bool) -> None:
        self.take(hand.reply, hand.variant, now, rescued=hand.rescued, overdue=overdue)

    def _finish(
        self,
        outcome: Outcome,
        result: Result | None,
        now: float,
        variant: str | None = None,
        *,
        cancel: bool = False,
        overdue: bool = False,
    ) -> None:
        answer, self._answer = self._answer, None
        assert answer is not None
        decision, arrived, first = self.decision, self._arrived, self._first_asked
        record = Answer(
            outcome,
            decision,
            result,
            now - arrived,
            None if first is None else first - arrived,
            None if first is None else now - first,
            decision.plan.variants[0] if variant is None else variant,
            decision.best_effort or self._why,
            self._readings,
            self._asked,
            self._request_id,
        )
        try:
            answer(record)  # first: it travels while the rest is done
        finally:
            self._recorder.answered(record)
            self._let_go(now, cancel=cancel, overdue=overdue)

    def _let_go(self, now: float, *, cancel: bool, overdue: bool) -> None:
        """Nothing calls back any more, and nothing is held; what works upstream ends one day."""
        if self._timer is not None:
            self._timer.cancel()
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._payload = self._hand = None
        plane = self._plane
        if self._asked:
            plane.admission.taken.note(self.decision.plan, self._asked, now)
        if self._ticket is not None:
            ticket, self._ticket = self._ticket, None
            plane.admission.withdraw(ticket)
        if self._works:
            works, self._works = self._works, []
            cancel = cancel or plane.limits.at_deadline == "cancel"
            for work in works:
                work.let_go(now, cancel=cancel, overdue=overdue)


def _nobody(answer: Answer) -> None:
    """Stands for a client that is not to be answered."""

"""One request from arrival to answer: transport-free, and the owner of the clock.

Whatever upstream does, an answer or a clean error leaves at the deadline, which counts from the
request's arrival. Protocols translate at one side (rest/), upstreams at the other (upstream/);
the clock is passed in, so the same code runs in virtual time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from gateway.clock import Clock, Timer
from gateway.dataplane.outcome import Answer, Outcome, Recorder
from gateway.upstream.base import Call, Failure, Payload, Refusal, Reply, Result, Upstream
from tailq.route import Ask, Decision, Load, Router


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the dataplane.

    max_in_flight: upstream requests at once, abandoned ones included; more are shed.
    at_deadline: what becomes of upstream's work when its answer comes too late. "abandon": it
        goes on and keeps its place in the load account until it ends. "cancel": it is cancelled
        at once (cancellation storms crashed Tritons before 24.12).
    abandon_s: seconds after which abandoned work that has not ended is cancelled all the same, so
        that an upstream that hangs holds no place for ever.
    """

    max_in_flight: int = 256
    at_deadline: Literal["abandon", "cancel"] = "abandon"
    abandon_s: float = 10.0


class Dataplane:
    """Decides and executes. `outstanding` is the load account: upstream requests in flight."""

    def __init__(
        self,
        router: Router,
        upstream: Upstream,
        clock: Clock,
        recorder: Recorder,
        limits: Limits | None = None,
    ) -> None:
        self.router = router
        self.upstream = upstream
        self.clock = clock
        self.recorder = recorder
        self.limits = limits or Limits()
        self.outstanding = 0

    def open(self, ask: Ask, arrived: float, answer: Callable[[Answer], None]) -> "Execution":
        """Take in a request of which the head is known, and start its clock.

        arrived: when the head was complete, seconds on the dataplane's clock. answer: is called
        once, by the deadline, unless leave() comes first. Raises UnknownTier.
        """
        decision = self.router.decide(ask, 0.0, Load(outstanding=self.outstanding))
        return Execution(self, ask, decision, arrived, answer)


class Execution:
    """One request. Open until answered (or left); its work upstream may outlive it."""

    __slots__ = (
        "_answer",
        "_arrived",
        "_ask",
        "_asked",
        "_call",
        "_deadline",
        "_decided_at",
        "_plane",
        "_timer",
        "decision",
    )

    def __init__(
        self,
        plane: Dataplane,
        ask: Ask,
        decision: Decision,
        arrived: float,
        answer: Callable[[Answer], None],
    ) -> None:
        self._plane = plane
        self._ask = ask
        self.decision = decision
        self._decided_at = plane.outstanding
        self._arrived = arrived
        self._deadline = arrived + decision.deadline_s
        self._answer: Callable[[Answer], None] | None = answer  # None: has been answered
        self._call: Call | None = None  # None: not asked upstream, or ended there
        self._asked: float | None = None
        self._timer: Timer = plane.clock.call_at(self._deadline, self._on_timer)

    def send(self, payload: Payload) -> None:
        """The request is complete: ask upstream. At most once; ignored if answered already."""
        if self._answer is None:
            return
        plane = self._plane
        now = plane.clock.now()
        if now >= self._deadline:
            self._finish("late", None, now)
            return
        if plane.outstanding >= plane.limits.max_in_flight:
            self._finish("shed", None, now)
            return
        if plane.outstanding != self._decided_at:
            # The body took its time and the load is another: so may be the plan. The applied
            # deadline stays the one that the clock was started for.
            self.decision = plane.router.decide(
                self._ask, now - self._arrived, Load(outstanding=plane.outstanding)
            )
        self._asked = now
        plane.outstanding += 1
        self._call = plane.upstream.infer(
            self.decision.plan.variants[0], payload, self._deadline, self
        )

    def leave(self) -> None:
        """The client is gone: no answer is wanted."""
        self._drop("cancelled")

    def fail(self, outcome: Literal["invalid", "shed"]) -> None:
        """End for a reason of the adapter's, which answers by itself."""
        self._drop(outcome)

    def _drop(self, outcome: Outcome) -> None:
        if self._answer is not None:
            self._answer = None
            self._record(outcome, None, self._plane.clock.now())
            self._let_go()

    def ended(self, result: Result) -> None:
        """See upstream.base.Listener."""
        assert self._asked is not None
        plane = self._plane
        now = plane.clock.now()
        self._call = None
        plane.outstanding -= 1
        plane.recorder.upstream_ended(self.decision.plan.variants[0], now - self._asked)
        if self._answer is None:
            self._timer.cancel()
        elif now >= self._deadline:
            self._finish("late", None, now)
        else:
            self._finish(self._outcome(result), result, now)

    def _outcome(self, result: Result) -> Outcome:
        match result:
            case Reply():
                return "best_effort" if self.decision.best_effort else "on_time"
            case Refusal():
                return "invalid"
            case Failure():
                return "failed"

    def _on_timer(self) -> None:
        now = self._plane.clock.now()
        if self._answer is None:
            # Abandoned work that did not end within its bound.
            if self._call is not None:
                self._call.cancel()
        else:
            self._finish("late", None, now)

    def _finish(self, outcome: Outcome, result: Result | None, now: float) -> None:
        answer, self._answer = self._answer, None
        assert answer is not None
        record = self._record(outcome, result, now)
        self._let_go()
        answer(record)

    def _record(self, outcome: Outcome, result: Result | None, now: float) -> Answer:
        queue_s = upstream_s = None
        if self._asked is not None:
            queue_s, upstream_s = self._asked - self._arrived, now - self._asked
        answer = Answer(
            outcome,
            self.decision,
            result,
            now - self._arrived,
            queue_s,
            upstream_s,
            self.decision.plan.variants[0],
            self.decision.best_effort,
        )
        self._plane.recorder.answered(answer)
        return answer

    def _let_go(self) -> None:
        """Disarm the deadline; see to it that work still going on upstream ends one day."""
        self._timer.cancel()
        if self._call is None:
            return
        limits = self._plane.limits
        if limits.at_deadline == "cancel":
            self._call.cancel()
            return
        self._timer = self._plane.clock.call_at(
            self._plane.clock.now() + limits.abandon_s, self._on_timer
        )
        self._call.abandon()

"""Virtual time, and an upstream that does as told: the dataplane's surroundings in tests."""

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.dataplane import Answer
from gateway.upstream.base import Call, Failure, Listener, Payload, Reply, Result

REPLY = Reply(b'{"model_name":"small","model_version":"1","outputs":[]}')


@dataclass(slots=True)
class VirtualTimer:
    """A timer on the virtual clock."""

    callback: Callable[[], object] | None

    def cancel(self) -> None:
        """See gateway.clock.Timer."""
        self.callback = None


class VirtualClock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self._now = 0.0
        self._order = itertools.count()
        self._timers: list[tuple[float, int, VirtualTimer]] = []

    def now(self) -> float:
        """Virtual seconds."""
        return self._now

    def call_at(self, when: float, callback: Callable[[], object]) -> VirtualTimer:
        """See gateway.clock.Clock."""
        timer = VirtualTimer(callback)
        heapq.heappush(self._timers, (max(when, self._now), next(self._order), timer))
        return timer

    def run_until(self, when: float) -> None:
        """Let time pass, with all that happens on the way."""
        while self._timers and self._timers[0][0] <= when:
            self._now, _, timer = heapq.heappop(self._timers)
            if timer.callback is not None:
                timer.callback()
        self._now = when

    def armed(self) -> int:
        """How many timers are still to fire."""
        return sum(timer.callback is not None for _, _, timer in self._timers)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What the upstream does with one call.

    after_s: how long it works, seconds; None: for ever. cancel_s: how long a cancellation takes.
    """

    after_s: float | None = 0.01
    result: Result = REPLY
    cancel_s: float = 0.0


@dataclass(slots=True)
class ScriptedCall:
    """One call of a ScriptedUpstream."""

    clock: VirtualClock
    behaviour: Behaviour
    listener: Listener | None
    abandoned: bool = False

    def abandon(self) -> None:
        """See gateway.upstream.base.Call."""
        self.abandoned = True

    def cancel(self) -> None:
        """See gateway.upstream.base.Call."""
        failure = Failure("cancelled", "as told")
        self.clock.call_at(self.clock.now() + self.behaviour.cancel_s, lambda: self.end(failure))

    def end(self, result: Result) -> None:
        """Tell the listener, once."""
        listener, self.listener = self.listener, None
        if listener is not None:
            listener.ended(result)


@dataclass(slots=True)
class ScriptedUpstream:
    """An upstream that follows `script`, one behaviour a call, then the default one."""

    clock: VirtualClock
    script: list[Behaviour] = field(default_factory=list)
    calls: list[ScriptedCall] = field(default_factory=list)
    asked: list[tuple[float, str, bytes]] = field(default_factory=list)

    def infer(self, variant: str, payload: Payload, deadline: float, listener: Listener) -> Call:
        """See gateway.upstream.base.Upstream."""
        behaviour = self.script.pop(0) if self.script else Behaviour()
        call = ScriptedCall(self.clock, behaviour, listener)
        self.asked.append((self.clock.now(), variant, b"".join(payload.body)))
        self.calls.append(call)
        if behaviour.after_s is not None:
            self.clock.call_at(
                self.clock.now() + behaviour.after_s, lambda: call.end(behaviour.result)
            )
        return call


@dataclass(slots=True)
class Records:
    """A recorder that keeps everything."""

    answers: list[Answer] = field(default_factory=list)
    upstream: list[tuple[str, float]] = field(default_factory=list)
    refusals: int = 0

    def answered(self, answer: Answer) -> None:
        """See gateway.dataplane.Recorder."""
        self.answers.append(answer)

    def refused(self) -> None:
        """See gateway.dataplane.Recorder."""
        self.refusals += 1

    def upstream_ended(self, variant: str, seconds: float) -> None:
        """See gateway.dataplane.Recorder."""
        self.upstream.append((variant, seconds))

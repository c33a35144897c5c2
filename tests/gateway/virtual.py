"""Virtual time, and an upstream that does as told: the dataplane's surroundings in tests."""

from dataclasses import dataclass, field

from gateway.dataplane import Answer
from gateway.upstream.base import Call, Failure, Listener, Payload, Reply, Result
from loadtest.simulation.clock import VirtualClock

__all__ = [
    "REPLY",
    "Behaviour",
    "Records",
    "ScriptedCall",
    "ScriptedUpstream",
    "VirtualClock",
]

REPLY = Reply(b'{"model_name":"small","model_version":"1","outputs":[]}')


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
    cancelled: bool = False

    def abandon(self) -> None:
        """See gateway.upstream.base.Call."""
        self.abandoned = True

    def cancel(self) -> None:
        """See gateway.upstream.base.Call."""
        self.cancelled = True
        failure = Failure("cancelled", "as told")
        self.clock.call_at(self.clock.now() + self.behaviour.cancel_s, lambda: self.end(failure))

    def end(self, result: Result) -> None:
        """Tell the listener, once."""
        listener, self.listener = self.listener, None
        if listener is not None:
            listener.ended(result)


@dataclass(slots=True)
class ScriptedUpstream:
    """An upstream that follows `script`, one behaviour a call, then `usual`, by variant."""

    clock: VirtualClock
    script: list[Behaviour] = field(default_factory=list)
    usual: dict[str, Behaviour] = field(default_factory=dict)
    endpoints: int = 1
    absent: frozenset[str] = frozenset()
    calls: list[ScriptedCall] = field(default_factory=list)
    asked: list[tuple[float, str, bytes]] = field(default_factory=list)

    def infer(self, variant: str, payload: Payload, deadline: float, listener: Listener) -> Call:
        """See gateway.upstream.base.Upstream."""
        behaviour = self.script.pop(0) if self.script else self.usual.get(variant, Behaviour())
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
    beyond: list[tuple[str, int]] = field(default_factory=list)
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

    def compared(self, variant: str, beyond: int) -> None:
        """See gateway.dataplane.Recorder."""
        self.beyond.append((variant, beyond))

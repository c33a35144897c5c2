"""Tritons in virtual time, and a fleet of them."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.upstream.base import Call, Failure, Listener, Payload, Result
from gateway.upstream.endpoint import Endpoint
from gateway.upstream.fleet import Fleet
from tests.gateway.virtual import REPLY, Behaviour, ScriptedUpstream, VirtualClock

WORK: Mapping[str, float] = {"small": 0.01, "large": 0.1}
REFUSED = Failure("unreachable", "connection refused", "untried")
LOST = Failure("lost", "connection closed")
GONE = Failure("unavailable", "Request for unknown model", "missing")
ILL = Failure("unavailable", "CUDA error")
FULL = Failure("unavailable", "Exceeds maximum queue size", "busy")


class VirtualTriton(ScriptedUpstream):
    """One endpoint that behaves as told: `now` when its script is at its end."""

    def __init__(self, clock: VirtualClock, number: int) -> None:
        super().__init__(clock)
        self.endpoint = Endpoint("triton", 8000 + number)
        self.now = Behaviour()
        self.dropped = 0
        self.retired = False

    def infer(self, variant: str, payload: Payload, deadline: float, listener: Listener) -> Call:
        """See gateway.upstream.base.Upstream."""
        self.script = self.script or [self.now]
        return super().infer(variant, payload, deadline, listener)

    def always(self, result: Result, after_s: float | None = 0.01) -> None:
        """Behave like that from now on."""
        self.now = Behaviour(after_s, result)

    def drop_idle(self) -> None:
        """See gateway.upstream.member.Triton."""
        self.dropped += 1

    def retire(self) -> None:
        """See gateway.upstream.member.Triton."""
        self.retired = True


@dataclass
class Asker:
    """A listener that remembers how its call ended."""

    results: list[Result] = field(default_factory=list)

    def ended(self, result: Result) -> None:
        """See gateway.upstream.base.Listener."""
        self.results.append(result)

    @property
    def result(self) -> Result:
        """The only one."""
        (result,) = self.results
        return result


class World:
    """A fleet of `count` virtual Tritons that all are up and serve every variant."""

    def __init__(self, count: int, seed: int = 0, work: Mapping[str, float] = WORK) -> None:
        self.clock = VirtualClock()
        self.tritons = [VirtualTriton(self.clock, number) for number in range(count)]
        self.fleet = Fleet[VirtualTriton](work, self.clock, random.Random(seed).random)
        self.fleet.become(self.tritons)
        for member in self.fleet.members:
            member.serves(dict.fromkeys(work, True))

    def ask(self, variant: str = "small", within_s: float = 10.0) -> Asker:
        """Ask, without waiting."""
        asker = Asker()
        self.fleet.infer(variant, Payload((b"x",)), self.clock.now() + within_s, asker)
        return asker

    def get(self, variant: str = "small") -> Result:
        """Ask, and let time pass until the answer is there."""
        asker = self.ask(variant)
        while not asker.results:
            self.sleep(0.01)
        return asker.result

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.run_until(self.clock.now() + seconds)

    def asked(self) -> list[int]:
        """How often each Triton was asked."""
        return [len(triton.asked) for triton in self.tritons]


__all__ = ["FULL", "GONE", "ILL", "LOST", "REFUSED", "REPLY", "WORK", "Asker", "World"]

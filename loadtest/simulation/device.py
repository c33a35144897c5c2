"""A simulated Triton at one or more endpoints: a `gateway.upstream.base.Upstream`."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from gateway.upstream.base import Call, Failure, Listener, Payload, Result
from loadtest.simulation.clock import VirtualClock
from loadtest.simulation.faults import Schedule
from loadtest.simulation.latency import Latency
from loadtest.simulation.samples import Answers, Told
from tailq.tier import Served

# Seconds until an endpoint that is down or has no such variant says so.
_REFUSED_S: Final = 0.0005
# Seconds until a cancellation is heard of, by an endpoint that is not deaf to it.
_CANCELLED_S: Final = 0.001
# Seconds after which it is known that an endpoint or a variant has gone or come back: the gateway
# looks once a second.
NOTICED_S: Final = 1.0


@dataclass(slots=True, eq=False)
class Endpoint:
    """One Triton with a device of its own. serves: as far as is known."""

    number: int
    outstanding_s: float = 0.0
    calls: int = 0
    serves: bool = True


class SimulatedCall:
    """See gateway.upstream.base.Call. What becomes of it was settled when it was made.

    ends_s: when. endpoint: where it is work; None: nowhere.
    """

    __slots__ = ("_ends_s", "_listener", "_triton", "endpoint", "variant")

    def __init__(
        self,
        triton: "SimulatedTriton",
        variant: str,
        endpoint: Endpoint | None,
        listener: Listener,
        ends_s: float,
        result: Result,
    ) -> None:
        self._triton = triton
        self.variant = variant
        self.endpoint = endpoint
        self._listener: Listener | None = listener  # None: has been told
        self._ends_s = ends_s
        triton.clock.call_at(ends_s, partial(self._end, result))

    def abandon(self) -> None:
        """All of it has reached Triton, so it goes on."""

    def cancel(self) -> None:
        """End early, unless it will have ended by then."""
        heard_s = self._triton.cancellation_heard_s(self)
        if heard_s < self._ends_s:
            self._ends_s = heard_s
            cancelled = Failure("cancelled", "given up")
            self._triton.clock.call_at(heard_s, partial(self._end, cancelled))

    def _end(self, result: Result) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            self._triton.done(self)
            listener.ended(result)


class SimulatedTriton:
    """Serves `variants` as their latency under load has it, with the faults of a schedule.

    A call goes to the endpoint with the least work outstanding of those that are known to serve.
    Its latency is drawn at the work outstanding there when it comes; everything drawn is `rng`'s.
    changed: is called when it was noticed that endpoints or variants have gone or come back.
    """

    def __init__(
        self,
        variants: Mapping[str, Served],
        answers: Answers,
        schedule: Schedule,
        clock: VirtualClock,
        rng: random.Random,
        endpoints: int = 1,
    ) -> None:
        self.clock = clock
        self.endpoints = endpoints
        self.absent: frozenset[str] = frozenset()
        self.changed: Callable[[], None] = _nothing
        self.asked = 0
        self._answers = answers
        self._schedule = schedule
        self._rng = rng
        self._service_s = {name: served.service_s for name, served in variants.items()}
        self._latency = {
            name: Latency(served.under_load)
            for name, served in variants.items()
            if served.under_load is not None
        }
        self._endpoints = [Endpoint(number) for number in range(endpoints)]
        for fault in schedule.faults:
            if fault.kind in ("gone", "unloaded"):
                for when in (fault.from_s, fault.to_s):
                    clock.call_at(when + NOTICED_S, partial(self._look, when))

    @property
    def in_flight(self) -> int:
        """Calls that have not ended."""
        return sum(endpoint.calls for endpoint in self._endpoints)

    def infer(
        self,
        variant: str,
        payload: Payload,
        deadline: float,  # noqa: ARG002 - nothing is tried twice
        listener: Listener,
    ) -> Call:
        """See gateway.upstream.base.Upstream. The payload's first piece is the sample's number."""
        self.asked += 1
        now = self.clock.now()
        endpoint = self._choose(now)
        if endpoint is None:
            result: Result = Failure("unreachable", "no endpoint listens", because="untried")
            return SimulatedCall(self, variant, None, listener, now + _REFUSED_S, result)
        number, schedule = endpoint.number, self._schedule
        if schedule.faults and schedule.at("unloaded", now, variant, number):
            result = Failure("unavailable", f"{variant} is not loaded", because="missing")
            return SimulatedCall(self, variant, None, listener, now + _REFUSED_S, result)
        took_s = self._latency[variant].at(self._rng.random(), endpoint.outstanding_s)
        confidence, score = self._answers.of(variant, int(payload.body[0]))
        result, ends_s = Told(b"", None, None, confidence, score), now + took_s
        if schedule.faults:
            result, ends_s = self._befallen(result, now, took_s, variant, number)
        endpoint.calls += 1
        endpoint.outstanding_s += self._service_s[variant]
        return SimulatedCall(self, variant, endpoint, listener, ends_s, result)

    def done(self, call: SimulatedCall) -> None:
        """For calls: it is work no more."""
        endpoint = call.endpoint
        if endpoint is not None:
            endpoint.calls -= 1
            rest_s = endpoint.outstanding_s - self._service_s[call.variant]
            endpoint.outstanding_s = rest_s if endpoint.calls else 0.0

    def cancellation_heard_s(self, call: SimulatedCall) -> float:
        """For calls: when a cancellation of now has its effect."""
        now = self.clock.now()
        number = None if call.endpoint is None else call.endpoint.number
        deaf = self._schedule.at("deaf", now, call.variant, number)
        return now + (deaf.factor if deaf else _CANCELLED_S)

    def _choose(self, now: float) -> Endpoint | None:
        if len(self._endpoints) == 1 and not self._schedule.faults:
            return self._endpoints[0]
        # One that has just died refuses the connection, so the next one is asked.
        listening = [
            e for e in self._endpoints if not self._schedule.at("gone", now, None, e.number)
        ]
        known = [endpoint for endpoint in listening if endpoint.serves]
        return min(known or listening, key=_outstanding, default=None)

    def _befallen(
        self, told: Told, now: float, took_s: float, variant: str, number: int
    ) -> tuple[Result, float]:
        """What comes of an undisturbed answer under the faults of the schedule, and when."""
        schedule, rng = self._schedule, self._rng
        result: Result = told
        ends_s = schedule.finish_s(now, took_s, variant, number)
        if schedule.strikes("wrong", now, variant, number, rng):
            told.score = 0.0
        if schedule.strikes("broken", now, variant, number, rng):
            result = Failure("broken", "no answer, but something else")
        if schedule.strikes("dropped", now, variant, number, rng):
            result = Failure("lost", "the connection broke")
            ends_s = now + rng.random() * (ends_s - now)
        dies_s = schedule.dies_s(now, number)
        if dies_s < ends_s:
            result, ends_s = Failure("lost", "Triton died"), dies_s
        return result, ends_s

    def _look(self, when: float) -> None:
        """Notice what was so at `when`."""
        for endpoint in self._endpoints:
            endpoint.serves = not self._schedule.at("gone", when, None, endpoint.number)
        serving = [endpoint for endpoint in self._endpoints if endpoint.serves]
        self.endpoints = max(1, len(serving))
        self.absent = frozenset(
            variant
            for variant in self._service_s
            if all(self._schedule.at("unloaded", when, variant, e.number) for e in serving)
        )
        self.changed()


def _outstanding(endpoint: Endpoint) -> tuple[float, int]:
    return endpoint.outstanding_s, endpoint.number


def _nothing() -> None:
    """Nobody wants to know."""

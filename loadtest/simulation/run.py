"""Plays traffic through the gateway's dataplane in virtual time, and looks whether it behaved."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from gateway.dataplane import Answer, Dataplane, Outcome, Recorder
from gateway.upstream.base import Payload
from loadtest import arrivals
from loadtest.openloop import Reply
from loadtest.simulation import samples
from loadtest.simulation.clock import VirtualClock
from loadtest.simulation.device import NOTICED_S, SimulatedTriton
from loadtest.simulation.faults import Fault, Schedule
from tailq.route import Ask, Router
from tailq.tier import Served, TierTable

# Seconds after its deadline at which a request must have ended. In virtual time nothing takes any,
# so this only leaves room for a decision to end early or late on purpose.
GRACE_S = 0.005


@dataclass(frozen=True)
class Setting:
    """All that a run depends on: the same setting gives the same run, bit for bit.

    variants: as they really are, which need not be what the table has of them; each with its
    latency under load. rates: requests a second, by tier. leaving: share of clients that leave
    before the deadline of their tier.
    """

    table: TierTable
    variants: Mapping[str, Served]
    rates: Mapping[str, float]
    seconds: float
    seed: int
    answers: samples.Answers = samples.UNTOLD
    faults: Sequence[Fault] = ()
    endpoints: int = 1
    leaving: float = 0.0


@dataclass
class Played:
    """What came of it.

    replies: one for each request that was answered, in the order of the answers. came_s: when each
    of these requests came, seconds. opened: requests that came. outcomes: as they were recorded.
    left: clients that left unanswered. twice: answers to requests that had been answered.
    overrun_s: the longest time by which one was answered after its deadline, seconds. asked: calls
    upstream. calls: those that ended, by variant. leaked: what was left at the end, by name.
    """

    replies: list[Reply] = field(default_factory=list)
    came_s: list[float] = field(default_factory=list)
    opened: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    left: int = 0
    twice: int = 0
    overrun_s: float = 0.0
    asked: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    leaked: dict[str, float] = field(default_factory=dict)

    def violations(self) -> list[str]:
        """What must never be, whatever the traffic and the faults: empty if all is well."""
        found = [f"{count:g} {what} left behind" for what, count in self.leaked.items() if count]
        if self.outcomes.total() != self.opened:
            found.append(f"{self.opened} requests had {self.outcomes.total()} outcomes")
        if self.outcomes["cancelled"] != self.left:
            found.append(f"{self.left} clients left, {self.outcomes['cancelled']} are recorded")
        if self.calls.total() != self.asked:
            found.append(f"{self.asked} calls upstream, {self.calls.total()} ended")
        if len(self.replies) + self.left != self.opened:
            found.append(
                f"{self.opened} requests: {len(self.replies)} answered and {self.left} left"
            )
        if self.twice:
            found.append(f"{self.twice} answered twice")
        if self.overrun_s > GRACE_S:
            found.append(f"one was answered {self.overrun_s * 1000:.3g} ms after its deadline")
        return found


def play(setting: Setting, recorder: Recorder | None = None) -> Played:
    """Run the setting from the first arrival until nothing can happen any more.

    recorder: is told of it all, as the gateway's would be.
    """
    return _Run(setting, recorder).play()


class _Run:
    """Recorder of the dataplane, and its clients."""

    def __init__(self, setting: Setting, recorder: Recorder | None) -> None:
        self._setting = setting
        self._recorder = recorder
        self._schedule = Schedule(setting.faults)
        self._clock = VirtualClock()
        # Triton's draws and the clients' are kept apart, so that traffic is the same whatever
        # Triton does.
        self._clients = random.Random(f"clients {setting.seed}")  # noqa: S311
        self._triton = SimulatedTriton(
            setting.variants,
            setting.answers,
            self._schedule,
            self._clock,
            random.Random(f"triton {setting.seed}"),  # noqa: S311
            setting.endpoints,
        )
        self._plane = Dataplane(
            Router(setting.table), self._triton, self._clock, self, read=samples.told
        )
        self._plane.admission.scale(setting.endpoints)
        self._triton.changed = self._on_change
        self._played = Played()

    def play(self) -> Played:
        setting, played, plane = self._setting, self._played, self._plane
        longest_s = max(tier.deadline_s for tier in setting.table.tiers)
        for order, (tier, rate) in enumerate(setting.rates.items()):
            self._start(tier, rate, order)
        last_s = max(setting.seconds, self._schedule.ends_s + NOTICED_S)
        deaf_s = max((f.factor for f in setting.faults if f.kind == "deaf"), default=0.0)
        self._clock.run_until(last_s + longest_s + plane.limits.abandon_s + deaf_s + 1.0)
        played.asked = self._triton.asked
        played.leaked = {
            "calls": self._triton.in_flight,
            "calls in the load account": plane.account.own,
            "device-seconds in the load account": plane.account.own_s,
            "waiting requests": plane.admission.waiting,
            "timers": self._clock.armed(),
        }
        return played

    def _start(self, tier: str, rate: float, order: int) -> None:
        """Let the requests of one tier come, each when the one before it has."""
        setting = self._setting
        rng = np.random.default_rng([setting.seed, order])
        bursts = [(f.from_s, f.to_s, f.factor) for f in setting.faults if f.kind == "burst"]
        times = arrivals.with_bursts(rate, setting.seconds, bursts, rng).tolist()
        asked = np.resize(rng.permutation(setting.answers.count), len(times)).tolist()
        deadline_s = next(t.deadline_s for t in setting.table.tiers if t.name == tier)
        pairs = zip(times, asked, strict=True)
        ask = Ask(tier=tier)

        def arrive(sample: int) -> None:
            self._open(ask, deadline_s, sample)
            go_on()

        def go_on() -> None:
            following = next(pairs, None)
            if following is not None:
                self._clock.call_at(following[0], partial(arrive, following[1]))

        go_on()

    def _open(self, ask: Ask, deadline_s: float, sample: int) -> None:
        self._played.opened += 1
        client = _Client(self._played, ask.tier or "", self._clock)
        execution = self._plane.open(ask, client.came_s, client.answered)
        execution.send(Payload([b"%d" % sample]))
        leaving = self._setting.leaving
        if leaving and self._clients.random() < leaving and not client.has_answer:

            def leave() -> None:
                if not client.has_answer:
                    self._played.left += 1
                    execution.leave()

            self._clock.call_at(client.came_s + self._clients.random() * deadline_s, leave)

    def _on_change(self) -> None:
        self._plane.admission.scale(self._triton.endpoints)

    def answered(self, answer: Answer) -> None:
        """See gateway.dataplane.Recorder."""
        self._played.outcomes[answer.outcome] += 1
        if self._recorder is not None:
            self._recorder.answered(answer)

    def refused(self) -> None:
        """See gateway.dataplane.Recorder."""

    def upstream_ended(self, variant: str, seconds: float) -> None:
        """See gateway.dataplane.Recorder."""
        self._played.calls[variant] += 1
        if self._recorder is not None:
            self._recorder.upstream_ended(variant, seconds)

    def compared(self, variant: str, beyond: int) -> None:
        """See gateway.dataplane.Recorder."""
        if self._recorder is not None:
            self._recorder.compared(variant, beyond)


class _Client:
    """Who asked, and what he got."""

    __slots__ = ("_clock", "_played", "_tier", "came_s", "has_answer")

    def __init__(self, played: Played, tier: str, clock: VirtualClock) -> None:
        self._played = played
        self._tier = tier
        self._clock = clock
        self.came_s = clock.now()
        self.has_answer = False

    def answered(self, answer: Answer) -> None:
        played = self._played
        if self.has_answer:
            played.twice += 1
        self.has_answer = True
        took_s = self._clock.now() - self.came_s
        played.overrun_s = max(played.overrun_s, took_s - answer.decision.deadline_s)
        result = answer.result
        if isinstance(result, samples.Told):
            right, variant, error = result.score >= 0.5, answer.variant, None
        else:
            right, variant, error = False, None, answer.outcome
        played.came_s.append(self.came_s)
        played.replies.append(Reply(self._tier, took_s, right, variant, answer.outcome, error))

"""A dataplane in virtual time with all that surrounds it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from gateway.account import Account
from gateway.admission import Admission
from gateway.dataplane import Answer, Dataplane, Execution, Limits, Reading
from gateway.upstream.base import Payload, Reply
from tailq.outlook import Outlook
from tailq.plan import Plan
from tailq.route import Ask, Decision, Load, Router
from tailq.tier import TierTable
from tests.gateway.virtual import Behaviour, Records, ScriptedUpstream, VirtualClock
from tests.tables import promise, table, tier

BODY = Payload([b"body"])
FAST = Ask(tier="fast")
VARIANTS = ("small", "medium", "large", "huge")


def says(after_s: float | None, confidence: float | None = None) -> Behaviour:
    """An answer after so many seconds that tells how sure it is."""
    body = b"" if confidence is None else repr(confidence).encode()
    return Behaviour(after_s=after_s, result=Reply(body))


def told(_variant: str, reply: Reply) -> Reading | None:
    """What an answer of `says` says."""
    return Reading((float(reply.body),)) if reply.body else None


def sure(answer: Answer) -> float | None:
    """The confidence of the answer that left, if its plan went by it."""
    reading = answer.readings.get(answer.variant)
    return None if reading is None else min(reading.confidence)


@dataclass
class Observation:
    """What an outlook was told."""

    variant: str
    seconds: float
    outstanding_s: float
    now: float
    ended: bool


class Observer(Outlook):
    """An outlook that keeps what it is told. beyond: what it says to it."""

    def __init__(self) -> None:
        super().__init__({})
        self.seen: list[Observation] = []
        self.beyond: int | None = None

    def observe(
        self, variant: str, seconds: float, outstanding_s: float, now: float, *, ended: bool
    ) -> int | None:
        """See tailq.outlook.Outlook."""
        self.seen.append(Observation(variant, seconds, outstanding_s, now, ended))
        return self.beyond


def near(figure: float) -> Any:
    """A figure up to rounding."""
    return pytest.approx(figure)


@dataclass
class Bench:
    """One dataplane, and the ways to ask it."""

    clock: VirtualClock
    upstream: ScriptedUpstream
    records: Records
    plane: Dataplane
    observer: Observer

    def open(self, ask: Ask = FAST) -> tuple[Execution, list[Answer]]:
        """A request whose head is there; its answers come into the list."""
        answers: list[Answer] = []
        return self.plane.open(ask, self.clock.now(), answers.append), answers

    def ask(self, ask: Ask = FAST) -> list[Answer]:
        """A request that is there as a whole."""
        execution, answers = self.open(ask)
        execution.send(BODY)
        return answers

    def answer(self, ask: Ask = FAST, within_s: float = 5.0) -> tuple[float, Answer]:
        """The one answer to a request, and when it left."""
        answers: list[tuple[float, Answer]] = []
        execution = self.plane.open(
            ask, self.clock.now(), lambda answer: answers.append((self.clock.now(), answer))
        )
        execution.send(BODY)
        self.clock.run_until(self.clock.now() + within_s)
        [answer] = answers
        return answer

    @property
    def asked(self) -> list[tuple[float, str]]:
        """When upstream was asked for which variant."""
        return [(at, variant) for at, variant, _ in self.upstream.asked]

    def is_idle(self) -> bool:
        """Whether nothing is left of any request."""
        plane = self.plane
        return (
            plane.account.own == 0
            and plane.account.own_s == 0
            and not any(plane.account.in_flight.values())
            and plane.admission.waiting == 0
            and self.clock.armed() == 0
        )


def bench(
    tiers: TierTable | Router,
    *script: Behaviour,
    usual: Mapping[str, Behaviour] | None = None,
    limits: Limits | None = None,
    places: int | None = None,
    waiting: int = 1024,
    service_s: Mapping[str, float] | None = None,
) -> Bench:
    """A bench whose upstream follows `script`, then `usual`. places: None: the default."""
    clock = VirtualClock()
    upstream = ScriptedUpstream(clock, list(script), dict(usual or {}))
    records = Records()
    router = tiers if isinstance(tiers, Router) else Router(tiers)
    account = Account(service_s or {})
    admission = None
    if places is not None:
        admission = Admission(account, clock, places=places, waiting=waiting)
    observer = Observer()
    router.outlook = observer
    plane = Dataplane(
        router,
        upstream,
        clock,
        records,
        limits,
        account=account,
        admission=admission,
        read=told,
    )
    return Bench(clock, upstream, records, plane, observer)


def executing(
    plan: Plan,
    usual: Mapping[str, Behaviour],
    *,
    deadline_s: float = 0.1,
    limits: Limits | None = None,
) -> Bench:
    """A bench with one tier, `fast`, that is promised with `plan`."""
    return bench(table(tier("fast", 0.1, promise(plan, deadline_s))), usual=usual, limits=limits)


class Guided(Router):
    """A router that decides as it is told, the last time for good."""

    def __init__(self, tiers: TierTable, *decisions: Decision) -> None:
        super().__init__(tiers)
        self.decisions = list(decisions)
        self.seen: list[tuple[float, Load]] = []

    def decide(self, ask: Ask, elapsed_s: float, load: Load) -> Decision:
        """See Router."""
        self.seen.append((elapsed_s, load))
        return self.decisions.pop(0) if len(self.decisions) > 1 else self.decisions[0]

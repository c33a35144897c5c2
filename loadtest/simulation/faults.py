"""What goes wrong, where and when: a schedule that is known in advance. Pure."""

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from tailq.errors import TailqError

# slow: works `factor` times as long. stuck: does nothing, and goes on afterwards (SIGSTOP).
# gone: killed, what it works on is lost, and back at the end. unloaded: the variant cannot be
# asked. dropped: the connection breaks before the answer is there. broken: what comes is no answer.
# wrong: a good answer to another question. deaf: a cancellation is not heard for `factor` seconds.
# burst: not of Triton; `factor` times as many requests come.
Kind = Literal["slow", "stuck", "gone", "unloaded", "dropped", "broken", "wrong", "deaf", "burst"]
_TAKES: dict[str, tuple[str, ...]] = {
    "slow": ("variant", "endpoint", "factor"),
    "stuck": ("variant", "endpoint"),
    "gone": ("endpoint",),
    "unloaded": ("variant", "endpoint"),
    "dropped": ("variant", "endpoint", "share"),
    "broken": ("variant", "endpoint", "share"),
    "wrong": ("variant", "endpoint", "share"),
    "deaf": ("variant", "endpoint", "factor"),
    "burst": ("factor",),
}
_NAMES = ("variant", "endpoint", "factor", "share")
_SHAPE = "KIND@FROM-TO[:variant=NAME,endpoint=NUMBER,factor=NUMBER,share=NUMBER], seconds"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong in [from_s, to_s), seconds of the simulation.

    variant, endpoint: of which; None: all. factor: see Kind. share: of calls it befalls, where
    it is not all of them (dropped, broken, wrong).
    """

    kind: Kind
    from_s: float
    to_s: float
    variant: str | None = None
    endpoint: int | None = None
    factor: float = 10.0
    share: float = 1.0

    def befalls(self, variant: str | None, endpoint: int | None) -> bool:
        """Whether it concerns this variant at this endpoint; None: never mind which."""
        return self.variant in (None, variant) and self.endpoint in (None, endpoint)

    def is_at(self, when: float) -> bool:
        """Whether it goes on at this moment."""
        return self.from_s <= when < self.to_s


def parse(text: str, variants: Iterable[str], endpoints: int) -> Fault:
    """A fault from its description, for example `slow@60-90:variant=large,factor=5`.

    Raises TailqError naming what is wrong with it.
    """
    head, _, tail = text.partition(":")
    kind, _, window = head.partition("@")
    if kind not in _TAKES:
        raise TailqError(f"--fault {text}: the kind is one of {', '.join(_TAKES)}")
    from_s, to_s = _numbers(text, window.split("-"), 2)
    values = _values(text, kind, tail)
    variant, known = values.get("variant"), sorted(variants)
    if variant is not None and variant not in known:
        raise TailqError(f"--fault {text}: there are the variants {', '.join(known)}")
    words = [values.get("factor", "10"), values.get("share", "1"), values.get("endpoint", "0")]
    factor, share, endpoint = _numbers(text, words, 3)
    if not (from_s < to_s and factor > 0 and 0 < share <= 1):
        raise TailqError(f"--fault {text}: wants FROM < TO, factor > 0 and share in (0, 1]")
    if kind == "burst" and factor < 1:
        raise TailqError(f"--fault {text}: a burst has a factor of at least 1")
    if endpoint not in range(endpoints):
        raise TailqError(f"--fault {text}: endpoints are numbered 0 to {endpoints - 1}")
    where = int(endpoint) if "endpoint" in values else None
    return Fault(kind, from_s, to_s, variant, where, factor, share)  # type: ignore[arg-type]


def _values(text: str, kind: str, tail: str) -> dict[str, str]:
    """What a description of this kind says behind its window, by name."""
    values: dict[str, str] = {}
    for pair in filter(None, tail.split(",")):
        name, _, value = pair.partition("=")
        if name not in _NAMES or not value:
            raise TailqError(f"--fault {text}: wants {_SHAPE}")
        if name not in _TAKES[kind]:
            takes = " and ".join(_TAKES[kind])
            raise TailqError(f"--fault {text}: {kind} takes {takes}, but no {name}")
        values[name] = value
    return values


def _numbers(text: str, words: Sequence[str], count: int) -> list[float]:
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        numbers = []
    if len(numbers) != count or not all(math.isfinite(n) and n >= 0 for n in numbers):
        raise TailqError(f"--fault {text}: wants {_SHAPE}")
    return numbers


class Schedule:
    """All that goes wrong in a run."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        self._pace = [fault for fault in faults if fault.kind in ("slow", "stuck")]
        self.ends_s = max((fault.to_s for fault in faults), default=0.0)

    def at(
        self, kind: Kind, when: float, variant: str | None, endpoint: int | None
    ) -> Fault | None:
        """The first fault of a kind that goes on there at this moment."""
        for fault in self.faults:
            if fault.kind == kind and fault.is_at(when) and fault.befalls(variant, endpoint):
                return fault
        return None

    def strikes(
        self,
        kind: Kind,
        when: float,
        variant: str,
        endpoint: int,
        rng: random.Random,
    ) -> bool:
        """Whether a call that begins now is among the share that such a fault befalls."""
        fault = self.at(kind, when, variant, endpoint)
        return fault is not None and (fault.share >= 1 or rng.random() < fault.share)

    def dies_s(self, when: float, endpoint: int) -> float:
        """When the endpoint is killed next, after `when`; infinity: never."""
        return min(
            (
                fault.from_s
                for fault in self.faults
                if fault.kind == "gone" and fault.befalls(None, endpoint) and fault.from_s > when
            ),
            default=math.inf,
        )

    def finish_s(self, begun: float, seconds: float, variant: str, endpoint: int) -> float:
        """When work that takes `seconds` undisturbed is done: slower, or at rest, in between."""
        pace = [fault for fault in self._pace if fault.befalls(variant, endpoint)]
        now, left = begun, seconds
        for until in sorted({edge for fault in pace for edge in (fault.from_s, fault.to_s)}):
            if until <= now:
                continue
            rate = _rate(pace, now)
            if rate and now + left / rate <= until:
                break
            left -= rate * (until - now)
            now = until
        return now + left / _rate(pace, now)


def _rate(pace: Sequence[Fault], when: float) -> float:
    """Seconds of work done in a second; after the last fault it is 1."""
    rate = 1.0
    for fault in pace:
        if fault.is_at(when):
            rate = 0.0 if fault.kind == "stuck" else rate / fault.factor
            if not rate:
                return rate
    return rate

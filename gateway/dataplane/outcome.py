"""How requests end, and who is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal, Protocol

from gateway.dataplane.reading import Reading
from gateway.upstream.base import Result
from tailq.route import BestEffort, Decision

# Exactly one of them for each request.
# on_time: answered by the deadline, as promised. rescued: the same, by the rescuer of its plan,
# since the primary was late. best_effort: by the deadline, but outside of the promise's
# conditions. late: nothing by the deadline, neither from upstream nor, where the body was not there
# by then, from the client. shed: not tried: it would be no use, the tier would rather refuse, or
# there was no place in time. failed: upstream gave no answer. invalid: the request is at fault.
# cancelled: the client left.
Outcome = Literal[
    "on_time", "rescued", "best_effort", "late", "shed", "failed", "invalid", "cancelled"
]


# With an answer by the deadline.
IN_TIME: Final[frozenset[Outcome]] = frozenset(("on_time", "rescued", "best_effort"))
# For a reason of the client's: nobody was kept from anything.
NOT_COUNTED: Final[frozenset[Outcome]] = frozenset(("invalid", "cancelled"))
NOTHING_READ: Final[Mapping[str, Reading | None]] = MappingProxyType({})


@dataclass(slots=True)
class Answer:
    """How a request ended.

    decision: the last one made for it. result: what upstream said, if it counts. total_s: arrival
    to answer. queue_s: arrival to upstream first asked. upstream_s: first asked to answered, or to
    when we gave up; both None when upstream was not asked. variant: whose answer it is, otherwise
    the first one of the plan. best_effort: why the promise is not held to; None: it is. confidence:
    of the answer that left, in [0, 1]; None: not looked at, or it has none. asked: the variants
    that upstream was asked for, in this order. request_id: see Dataplane.open(); empty if nobody
    knows it.
    """

    outcome: Outcome
    decision: Decision
    result: Result | None
    total_s: float
    queue_s: float | None = None
    upstream_s: float | None = None
    variant: str = ""
    best_effort: BestEffort | None = None
    readings: Mapping[str, Reading | None] = field(default_factory=lambda: NOTHING_READ)
    asked: tuple[str, ...] = ()
    request_id: bytes = b""


class Recorder(Protocol):
    """Where the numbers go. Called on the hot path."""

    def answered(self, answer: Answer) -> None:
        """A request has ended."""

    def refused(self) -> None:
        """A request was at fault before anything could be decided."""

    def upstream_ended(self, variant: str, seconds: float) -> None:
        """Upstream's work on one call has ended, `seconds` after it was asked."""

    def compared(self, variant: str, beyond: int) -> None:
        """A latency of `variant` exceeded so many of the profile's quantiles at the same load.

        Once for each call that was answered or that outlasted its deadline.
        """

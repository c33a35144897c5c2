"""What a method of selection is asked, and what it answers."""

from dataclasses import dataclass
from typing import Protocol, TypeVar

from tailq.guarantee import Floats
from tailq.plan import Plan
from tailq.tier import Limit


@dataclass(frozen=True)
class Proof:
    """How far a plan keeps a limit at a deadline, with everything the method allows for.

    slack: quality by which the limit is kept; negative: by which it is missed. quality: what may
    be promised. lost_at_most: of it to lateness, bound. load: the profiled one that is worst.
    """

    slack: float
    quality: float
    lost_at_most: float
    load: int


class Method(Protocol):
    """Decides which plans keep a limit. Deadlines are those where latencies were measured.

    joint: whether everything it says holds together, so that besides the chosen plan any other
    one it allows may be used as well.
    """

    joint: bool

    def keeps(self, plan: Plan, limit: Limit, deadline_s: float) -> bool:
        """Whether the plan may be promised: `proof(...).slack >= 0`, quicker."""
        ...

    def proof(self, plan: Plan, limit: Limit, deadline_s: float) -> Proof:
        """By how much, and what."""
        ...


Quality = TypeVar("Quality", float, Floats)


def required(limit: Limit, reference: Quality) -> Quality:
    """The quality that the limit asks for when the reference has this one."""
    if limit.kind == "relative":
        return reference * (1 - limit.value)
    if limit.kind == "absolute":
        return reference - limit.value
    return reference * 0 + limit.value

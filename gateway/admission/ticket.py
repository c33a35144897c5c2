"""A request's wish for a place."""

from dataclasses import dataclass, field
from typing import Protocol

# (priority, deadline, number of the ticket): the least goes first.
Rank = tuple[int, float, int]


class Waiter(Protocol):
    """Who entered a ticket. Hears exactly one of the two, unless the ticket is withdrawn."""

    def admitted(self) -> None:
        """There is a place, now: add what you ask to the load account before you return.

        Who adds nothing gives it back, and may enter anew.
        """

    def turned_away(self) -> None:
        """There is none: too many wait, and all of them are more urgent."""


@dataclass(slots=True, eq=False)
class Ticket:
    """One request's wish for a place in each of `variants`, all at once.

    priority: 1 goes first. deadline: on the admission's clock, seconds; within a priority the
    earliest goes first. work_s: device-seconds the request is expected to take in all.
    rank: None unless it waits.
    """

    waiter: Waiter
    variants: tuple[str, ...]
    priority: int
    deadline: float
    work_s: float
    rank: Rank | None = field(default=None, init=False)

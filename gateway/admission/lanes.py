"""Those who wait, by what they wait for."""

import itertools
from bisect import bisect_left
from collections.abc import Iterator

from gateway.admission.ticket import Rank, Ticket


class Lane:
    """The tickets that ask the same variants, in the order of their ranks.

    If its first one cannot go, none of them can.
    """

    __slots__ = ("_ranks", "_tickets", "_work_s", "variants")

    def __init__(self, variants: tuple[str, ...]) -> None:
        self.variants = variants
        self._ranks: list[Rank] = []
        self._tickets: list[Ticket] = []
        self._work_s: list[float] = []

    def __len__(self) -> int:
        return len(self._ranks)

    @property
    def first(self) -> Ticket:
        """The most urgent one."""
        return self._tickets[0]

    @property
    def last(self) -> Ticket:
        """The least urgent one."""
        return self._tickets[-1]

    @property
    def head(self) -> Rank:
        """The rank of the first one."""
        return self._ranks[0]

    @property
    def tail(self) -> Rank:
        """The rank of the last one."""
        return self._ranks[-1]

    def add(self, ticket: Ticket, rank: Rank, work_s: float) -> None:
        """`ticket` waits here now, for what will be so many device-seconds."""
        at = bisect_left(self._ranks, rank)
        self._ranks.insert(at, rank)
        self._tickets.insert(at, ticket)
        self._work_s.insert(at, work_s)

    def remove(self, rank: Rank) -> None:
        """The ticket of this rank, which waits here, does so no more."""
        at = bisect_left(self._ranks, rank)
        del self._ranks[at], self._tickets[at], self._work_s[at]

    def ahead(self, priority: int, deadline: float) -> tuple[int, float]:
        """Calls and device-seconds of those who go before a newcomer of this rank."""
        at = bisect_left(self._ranks, (priority, deadline, self._NEWCOMER))
        return at * len(self.variants), sum(self._work_s[:at])

    _NEWCOMER = 1 << 62  # of equals, who came first goes first


class Lanes:
    """All who wait."""

    def __init__(self) -> None:
        self._lanes: dict[tuple[str, ...], Lane] = {}  # no empty one among them
        self._numbers = itertools.count()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Lane]:
        return iter(self._lanes.values())

    def add(self, ticket: Ticket, work_s: float) -> None:
        """`ticket` waits from now on, for what will be so many device-seconds."""
        lane = self._lanes.get(ticket.variants)
        if lane is None:
            lane = self._lanes[ticket.variants] = Lane(ticket.variants)
        ticket.rank = (ticket.priority, ticket.deadline, next(self._numbers))
        lane.add(ticket, ticket.rank, work_s)
        self._count += 1

    def remove(self, ticket: Ticket) -> None:
        """`ticket`, which waits, does so no more."""
        assert ticket.rank is not None
        lane = self._lanes[ticket.variants]
        lane.remove(ticket.rank)
        ticket.rank = None
        self._count -= 1
        if not lane:
            del self._lanes[ticket.variants]

    def by_urgency(self) -> list[Lane]:
        """The lanes in the order of their first tickets."""
        return sorted(self._lanes.values(), key=_head)

    def least_urgent(self) -> Ticket:
        """Of all who wait; there must be one."""
        return max(self._lanes.values(), key=_tail).last


def _head(lane: Lane) -> Rank:
    return lane.head


def _tail(lane: Lane) -> Rank:
    return lane.tail

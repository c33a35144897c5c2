"""One client: what it may have, and what it has."""

from dataclasses import dataclass, field
from typing import Literal

from gateway.clients.gcra import Cell, Rate
from gateway.clients.settings import ANONYMOUS, Bounds
from gateway.errors import Forbidden, Quota, QuotaExceeded
from tailq.route import Ask

Refused = Literal["tier", "deadline", "in_flight", "quota"]


@dataclass(slots=True, eq=False)
class Standing:
    """What outlives a change of a client's bounds.

    cell: of its quota. in_flight: requests now. admitted: so far. refused: so far, by why.
    """

    cell: Cell
    in_flight: int = 0
    admitted: int = 0
    refused: dict[Refused, int] = field(
        default_factory=lambda: {"tier": 0, "deadline": 0, "in_flight": 0, "quota": 0}
    )


class Client:
    """enter() and leave() are the two ends of each of its requests.

    free: it is neither bounded nor counted: the two can be left out. owner: what stands before the
    ids of its requests where they are remembered, so that it can only speak of its own.
    """

    def __init__(self, name: str, bounds: Bounds, standing: Standing) -> None:
        self.name = name
        self.standing = standing
        self.max_in_flight = bounds.max_in_flight
        self.rate = (
            None if bounds.quota is None else Rate(bounds.quota.requests, bounds.quota.window_s)
        )
        self.free = name == ANONYMOUS and bounds == Bounds()
        self.owner = b"" if name == ANONYMOUS else b"%s " % name.encode()  # no id has a space
        self._tiers = bounds.tiers
        self._min_s = (bounds.min_deadline_ms or 0.0) / 1000
        self._max_s = bounds.max_deadline_ms and bounds.max_deadline_ms / 1000

    def enter(self, tier: str, ask: Ask, now: float) -> Ask:
        """A request begins: what it asks for, within bounds. tier: the one that `ask` means.

        now: seconds, on the clock that all workers share. Raises Forbidden, QuotaExceeded; then
        it has not begun.
        """
        standing = self.standing
        if self._tiers is not None and tier not in self._tiers:
            standing.refused["tier"] += 1
            allowed = ", ".join(sorted(self._tiers))
            raise Forbidden(f"tier {tier} is not allowed to you; ask for one of: {allowed}")
        ask = self._in_time(ask)
        if self.max_in_flight is not None and standing.in_flight >= self.max_in_flight:
            standing.refused["in_flight"] += 1
            raise QuotaExceeded(
                f"you have {self.max_in_flight} requests in flight, as many as you may; "
                "wait for an answer",
                None,
            )
        if self.rate is not None and not self.rate.take(standing.cell, now):
            standing.refused["quota"] += 1
            rate, quota = self.rate, self.rate.quota(standing.cell, now)
            raise QuotaExceeded(
                f"your quota of {rate.requests} requests in {rate.window_s} s is used up; "
                f"try again in {quota.retry_s:.3g} s",
                quota,
            )
        standing.in_flight += 1
        standing.admitted += 1
        return ask

    def leave(self) -> None:
        """A request that has entered has ended, in whatever way: once for each."""
        self.standing.in_flight -= 1

    def quota(self, now: float) -> Quota | None:
        """How its quota stands. None: it has none."""
        return None if self.rate is None else self.rate.quota(self.standing.cell, now)

    def _in_time(self, ask: Ask) -> Ask:
        asked = ask.deadline_s
        if asked is not None and asked < self._min_s:
            self.standing.refused["deadline"] += 1
            raise Forbidden(
                f"a deadline of {asked * 1000:g} ms is not allowed to you; "
                f"ask for {self._min_s * 1000:g} ms or more"
            )
        if self._max_s is None or (asked is not None and asked <= self._max_s):
            return ask
        return Ask(ask.tier, ask.tolerance, ask.objective, self._max_s)

"""Bounded work upstream: requests go in order of urgency, into as many places as there are."""

import math
from collections.abc import Mapping
from typing import Final

from gateway.account import Account
from gateway.admission.lanes import Lane, Lanes
from gateway.admission.limit import Limit
from gateway.admission.rate import Rate
from gateway.admission.taken import Taken
from gateway.admission.ticket import Ticket
from gateway.clock import Clock

# By how many standard deviations a foreseen wait exceeds the mean: one wait in forty or so is
# longer.
DEVIATIONS: Final = 2.0
_NONE: Final[frozenset[str]] = frozenset()


class Admission:
    """Lets tickets in, and tells how long one would have to wait.

    Two bounds: `places` calls in flight for each serving endpoint, all variants and all gateways
    together, and for each variant what its Limit has learned. Only entries are bounded: what
    a request that is in asks further does not come by here, but takes its place in the account.
    While this process has nothing in flight one ticket goes through whatever it asks and whatever
    others do: nothing of our own would end, so nobody would ever look again.

    Order: by priority, then by deadline, then as they came. Who lacks a place holds up all who
    are less urgent, or a race, which needs two at once, would never find them. Who lacks only
    a variant at its limit is passed by those who ask other variants; one call of each of its
    own variants is kept free for the most urgent of them, so that it goes as soon as the last one
    it lacks is free. So none waits longer than those before it for the same variants.

    account: is expected to hold what tickets ask, from admitted() until it ends, and to have looked
    at the others. places: at least 1; of each endpoint. waiting: how many may wait; of more, the
    least urgent is turned away. taken: what requests of each plan take in all, for tickets to say.
    """

    def __init__(self, account: Account, clock: Clock, *, places: int, waiting: int = 1024) -> None:
        self._account = account
        self._clock = clock
        self._places = places
        self._endpoints = 1
        self.capacity = places  # of all endpoints
        self.taken = Taken(account.service_s)
        self._limits = {variant: Limit(places) for variant in account.service_s}
        self._most = waiting
        self._lanes = Lanes()
        self._admitting = False
        # Device-seconds of work that leave the account in a second while all places are taken or
        # somebody waits: with fewer in flight a device that works on several at once does less.
        # Until it is measured, one second in a second.
        self._drain = Rate(0.1, 0.1)
        self._busy_since: float | None = None
        self._seen_s = account.ended_s
        # By priority: the work that came, its squares, and the last arrival.
        self._arriving: dict[int, tuple[Rate, Rate, float]] = {}

    @property
    def waiting(self) -> int:
        """How many tickets wait."""
        return len(self._lanes)

    @property
    def contended(self) -> frozenset[str]:
        """Variants of which to ask one would take what somebody waits for.

        All of them if it is a place; otherwise those that are at their limits.
        """
        if not self._lanes:
            return _NONE
        wanted: set[str] = set()
        for lane in self._lanes:
            if self._allowed(lane.variants):
                return frozenset(self._account.in_flight)
            wanted.update(lane.variants)
        return frozenset(wanted)

    @property
    def limits(self) -> Mapping[str, int]:
        """Calls that each variant may have in flight at present."""
        return {variant: limit.value for variant, limit in self._limits.items()}

    @property
    def drain(self) -> float:
        """Device-seconds of work that end in a second while somebody waits, as measured."""
        return self._drain.per_s()

    def wait_s(self, priority: int, deadline: float, variants: tuple[str, ...]) -> float:
        """Seconds until a ticket of this rank, for these variants, would be let in.

        As foreseen now. 0.0: it would be let in at once. Infinity: not as long as more urgent work
        comes as it does.

        The work that must end before it is as many calls as it lacks places, those in flight
        first, then those ahead of it. The rate at which it ends is what was measured, less what
        more urgent requests bring meanwhile (the delay of priority queues: Cobham 1954). They come
        in bursts: so it is not the mean, but DEVIATIONS standard deviations more, which are
        sqrt(wait * s) / rate where s is the sum of squares of the work that comes in a second
        (first passage of a drifting Brownian motion: D. Cox & H. Miller, "The Theory of Stochastic
        Processes", 1965, 5.7).
        """
        account = self._account
        free = self._free()
        calls, ahead_s = self._ahead(priority, deadline, variants) if self._lanes else (0, 0.0)
        wanted = len(variants)
        if not calls and (wanted <= free or not account.own) and self._allowed(variants):
            return 0.0
        # Whoever waits although there are free places has no use for them.
        lacking = max(1, calls + wanted - (min(free, 0) if calls else free))
        if lacking <= account.own:
            work_s = account.own_s * lacking / account.own
        else:
            work_s = account.own_s + (ahead_s * (lacking - account.own) / calls if calls else 0.0)
        if not work_s:
            return 0.0  # nothing is known of what variants cost
        now = self._clock.now()
        silent_s = 0.0 if self._busy_since is None else now - self._busy_since
        coming_s, spread = self._more_urgent(priority, now)
        rate = self._drain.per_s(silent_s) - coming_s
        if rate <= 0:
            return math.inf
        wait_s = work_s / rate
        return wait_s + DEVIATIONS * math.sqrt(wait_s * spread) / rate if spread else wait_s

    def enter(self, ticket: Ticket) -> None:
        """Let `ticket` in, now or when there is a place. A ticket enters once."""
        if not self._lanes and not self._admitting and self._fits(ticket):
            ticket.waiter.admitted()
            self._note_arrival(ticket)  # after: upstream works already
            self._observe()
            return
        work_s = self._note_arrival(ticket)
        self._lanes.add(ticket, work_s)
        self.freed()
        if len(self._lanes) > self._most:
            least = self._lanes.least_urgent()
            self._lanes.remove(least)
            least.waiter.turned_away()

    def withdraw(self, ticket: Ticket) -> None:
        """`ticket` is of no use any more. Harmless if it does not wait."""
        if ticket.rank is not None:
            self._lanes.remove(ticket)
            self.freed()

    def freed(self) -> None:
        """Something has left the account (or a limit rose): let in who can go now."""
        if self._admitting:
            return  # within admitted(): the loop below goes on
        self._admitting = True
        try:
            while (ticket := self._next()) is not None:
                self._lanes.remove(ticket)
                ticket.waiter.admitted()
        finally:
            self._admitting = False
        self._observe()

    def ended(self, variant: str, seconds: float, good: bool) -> None:
        """Learn from a call that has ended `seconds` after it began; freed() is to follow.

        good: it brought an answer in time.
        """
        limit = self._limit(variant)
        if good:
            limit.good(self._account.in_flight.get(variant, 0) + 1)
        else:
            now = self._clock.now()
            limit.bad(now - seconds, now)

    def scale(self, endpoints: int) -> None:
        """So many endpoints serve. With none, calls fail at once, so there is room for one's.

        To be called from time to time even if it is no news: nobody else tells that others have
        less in flight.
        """
        self._endpoints = max(1, endpoints)
        self._bound()

    def resize(self, places: int) -> None:
        """From now on each endpoint has so many places."""
        self._places = places
        self._bound()

    def _bound(self) -> None:
        capacity = self._places * self._endpoints
        if capacity != self.capacity:
            self.capacity = capacity
            for limit in self._limits.values():
                limit.scale(capacity)
        self._account.look()
        self.freed()

    def _next(self) -> Ticket | None:
        """The most urgent ticket that can go."""
        if not self._lanes:
            return None
        free = self._free()
        if free < 1 and self._account.own:
            return None
        kept: dict[str, int] = {}
        for lane in self._lanes.by_urgency():
            if len(lane.variants) > free and self._account.own:
                return None
            if self._allowed(lane.variants, kept):
                return lane.first
            for variant in lane.variants:
                kept[variant] = kept.get(variant, 0) + 1
        return None

    def _fits(self, ticket: Ticket) -> bool:
        return len(ticket.variants) <= self._free() and self._allowed(ticket.variants)

    def _free(self) -> int:
        """Places that are not taken; negative if there are fewer now than there were."""
        return self.capacity - self._account.own - self._account.elsewhere

    def _allowed(self, variants: tuple[str, ...], kept: Mapping[str, int] | None = None) -> bool:
        """Whether each variant's limit has room beside what is kept for the more urgent."""
        in_flight = self._account.in_flight
        for variant in variants:
            taken = in_flight.get(variant, 0) + (kept.get(variant, 0) if kept else 0)
            if taken >= self._limit(variant).value:
                return False
        return True

    def _limit(self, variant: str) -> Limit:
        limit = self._limits.get(variant)
        if limit is None:
            limit = self._limits[variant] = Limit(self.capacity)
        return limit

    def _ahead(
        self, priority: int, deadline: float, variants: tuple[str, ...]
    ) -> tuple[int, float]:
        """Calls and device-seconds of those who go before; who is passed by is left out."""
        calls, work_s = 0, 0.0
        for lane in self._lanes:
            if not self._passed_by(lane, variants):
                more, more_s = lane.ahead(priority, deadline)
                calls += more
                work_s += more_s
        return calls, work_s

    def _passed_by(self, lane: Lane, variants: tuple[str, ...]) -> bool:
        return not self._allowed(lane.variants) and not set(lane.variants) & set(variants)

    def _observe(self) -> None:
        """Measure the drain since the last look, and look whether it goes on."""
        busy = bool(self._lanes) or self._free() < 1
        if busy or self._busy_since is not None:
            now, ended_s = self._clock.now(), self._account.ended_s
            if self._busy_since is not None:
                self._drain.add(ended_s - self._seen_s, now - self._busy_since)
            self._seen_s = ended_s
            self._busy_since = now if busy else None

    def _note_arrival(self, ticket: Ticket) -> float:
        """Count the work that `ticket` brings: device-seconds.

        In the account's terms: what terminates early counts there until it ends, as a whole.
        """
        service_s = self._account.service_s
        asked_s = sum([service_s.get(variant, 0.0) for variant in ticket.variants])
        work_s = max(ticket.work_s, asked_s)
        now, known = self._clock.now(), self._arriving.get(ticket.priority)
        rate, squares, last = known or (Rate(0.0, 0.1), Rate(0.0, 0.1), now)
        rate.add(work_s, now - last)
        squares.add(work_s * work_s, now - last)
        self._arriving[ticket.priority] = (rate, squares, now)
        return work_s

    def _more_urgent(self, priority: int, now: float) -> tuple[float, float]:
        """Device-seconds that requests of lower number bring in a second, and their squares."""
        work_s = spread = 0.0
        for other, (rate, squares, last) in self._arriving.items():
            if other < priority:
                work_s += rate.per_s(now - last)
                spread += squares.per_s(now - last)
        return work_s, spread

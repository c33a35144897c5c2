"""How many calls a variant bears at once, learned from how they end."""

from typing import Final


class Limit:
    """Additive increase, multiplicative decrease (AIMD), with TCP's slow start. Pure.

    A call that ends badly multiplies the limit by BACKOFF, at most once a round trip: not again
    for calls that were under way already. Good calls raise it by one a round trip, in that each
    of the `limit` calls of a round trip adds 1/limit; and only if at least half of the limit was
    in use, since calls that were few say nothing about many. Source: AIMDLimit of Netflix's
    concurrency-limits, with its constants (0.9, half), except that there each bad call decreases
    and each good one adds 1, so that only a majority of bad calls would lower a large limit.

    One a round trip is slow to come back after an outage. Bad calls in a row remember, as
    threshold, what the limit was after the first of them; up to there each good call adds one,
    which doubles the limit each round trip (slow start, RFC 5681, 3.1). From 1 back to `ceiling`
    thus takes log2(ceiling) + ceiling / 10 round trips.
    """

    BACKOFF: Final = 0.9

    __slots__ = ("_ceiling", "_decreased", "_grown", "_limit", "_threshold")

    def __init__(self, ceiling: int) -> None:
        self._ceiling = float(ceiling)
        self._limit = self._ceiling
        self._threshold = self._ceiling
        self._decreased = float("-inf")  # when, on the caller's clock
        self._grown = True  # since the last decrease

    @property
    def value(self) -> int:
        """Calls allowed at once, from 1 to the ceiling."""
        return int(self._limit)

    def good(self, in_flight: int) -> None:
        """A call has ended well. in_flight: how many there were, itself among them."""
        if 2 * in_flight < self._limit or self._limit >= self._ceiling:
            return
        step = 1.0 if self._limit < self._threshold else 1.0 / self._limit
        self._limit = min(self._limit + step, self._ceiling)
        self._grown = True

    def bad(self, began: float, now: float) -> None:
        """A call that `began` (seconds, on one clock with `now`) has ended late or failed."""
        if began < self._decreased:
            return
        self._limit = max(1.0, self._limit * self.BACKOFF)
        if self._grown:
            self._threshold = self._limit
        self._decreased = now
        self._grown = False

    def scale(self, ceiling: int) -> None:
        """Another ceiling; the limit keeps its share of it."""
        self._limit = max(1.0, self._limit * ceiling / self._ceiling)
        self._threshold = max(1.0, self._threshold * ceiling / self._ceiling)
        self._ceiling = float(ceiling)

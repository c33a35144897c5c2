"""Virtual time: it passes only from one event to the next."""

import heapq
import itertools
from collections.abc import Callable

from gateway.clock import Alarm


class VirtualClock:
    """A clock that stands still until it is told to go on.

    What is due at the same moment happens in the order in which it was armed, so a run depends on
    nothing but what is armed.
    """

    def __init__(self) -> None:
        self._now = 0.0
        self._order = itertools.count()
        self._timers: list[tuple[float, int, Alarm]] = []

    def now(self) -> float:
        """Virtual seconds."""
        return self._now

    def call_at(self, when: float, callback: Callable[[], object]) -> Alarm:
        """See gateway.clock.Clock."""
        timer = Alarm(callback)
        heapq.heappush(self._timers, (max(when, self._now), next(self._order), timer))
        return timer

    def run_until(self, when: float) -> None:
        """Let time pass, with all that happens on the way."""
        timers, pop = self._timers, heapq.heappop
        while timers and timers[0][0] <= when:
            self._now, _, timer = pop(timers)
            callback, timer.callback = timer.callback, None
            if callback is not None:
                callback()
        self._now = when

    def armed(self) -> int:
        """How many timers are still to fire."""
        return sum(timer.callback is not None for _, _, timer in self._timers)

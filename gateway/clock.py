"""Time, passed in: the dataplane reads no clock of its own."""

import asyncio
import heapq
import itertools
import math
import time
from collections.abc import Callable
from typing import Final, Protocol


class Timer(Protocol):
    """An armed callback."""

    def cancel(self) -> None:
        """Disarm; harmless when it has fired already."""


class Clock(Protocol):
    """A monotonic clock with timers."""

    def now(self) -> float:
        """Seconds since some fixed moment."""
        ...

    def call_at(self, when: float, callback: Callable[[], object]) -> Timer:
        """Call `callback` when it is `when`; not within this call."""
        ...


class Alarm:
    """One timer of a clock that keeps its own order of them."""

    __slots__ = ("callback",)

    def __init__(self, callback: Callable[[], object]) -> None:
        self.callback: Callable[[], object] | None = callback  # None: cancelled, or has fired

    def cancel(self) -> None:
        """See Timer."""
        self.callback = None


class LoopClock:
    """The clock of a running asyncio loop: many timers, of which the loop sees the earliest one.

    Nearly every deadline is cancelled by an answer. A cancelled alarm only loses its callback and
    leaves the heap when its time comes (or the heap is full of such); a timer of the loop's would
    be made and torn down for each request.
    uvloop's own time() stands still within one turn of the loop and counts whole milliseconds, so
    the time is read from the system.
    """

    _FULL: Final = 1024

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.now = time.monotonic
        self._order = itertools.count()
        self._alarms: list[tuple[float, int, Alarm]] = []
        self._full = self._FULL
        self._handle: asyncio.TimerHandle | None = None
        self._armed_for = math.inf

    def call_at(self, when: float, callback: Callable[[], object]) -> Timer:
        """See Clock."""
        alarm = Alarm(callback)
        heapq.heappush(self._alarms, (when, next(self._order), alarm))
        if when < self._armed_for:
            self._arm(when)
        if len(self._alarms) > self._full:
            self._clear_out()
        return alarm

    def _arm(self, when: float) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._armed_for = when
        self._handle = self._loop.call_later(max(0.0, when - self.now()), self._fire)

    def _fire(self) -> None:
        self._handle, self._armed_for = None, math.inf
        alarms = self._alarms
        try:
            # The loop may be a millisecond early, and then looks again.
            while alarms and (alarms[0][2].callback is None or alarms[0][0] <= self.now()):
                alarm = heapq.heappop(alarms)[2]
                callback, alarm.callback = alarm.callback, None
                if callback is not None:
                    callback()
        finally:
            if alarms and alarms[0][0] < self._armed_for:
                self._arm(alarms[0][0])

    def _clear_out(self) -> None:
        self._alarms[:] = [alarm for alarm in self._alarms if alarm[2].callback is not None]
        heapq.heapify(self._alarms)
        self._full = max(self._FULL, 2 * len(self._alarms))

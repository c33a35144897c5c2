"""Quotas: the generic cell rate algorithm (ITU-T I.371), one number a client.

The number is the theoretical arrival time: until when a client that asked evenly would be busy
with what it has asked. It may lie one window ahead: so many requests may come at once, and so many
in every window on average. In t seconds that is never more than `requests * (1 + t / window_s)`.
"""

from dataclasses import dataclass
from typing import Final, Protocol

from gateway.errors import Quota

# Of a request: sums of floats drift. It does not add up, since it only moves the bound.
_SLACK: Final = 1e-3


class Cell(Protocol):
    """Where the number is: item 0 of a list, or of a piece of memory that workers share.

    Nothing is locked: workers that ask at the same moment may let one request more through each.
    """

    def __getitem__(self, index: int, /) -> float: ...

    def __setitem__(self, index: int, value: float, /) -> None: ...


@dataclass(frozen=True, slots=True)
class Rate:
    """requests: so many in `window_s` seconds on average, and at once at most."""

    requests: int
    window_s: int

    def take(self, cell: Cell, now: float) -> bool:
        """Count a request, if there is one left. now: seconds, the same clock for every worker."""
        interval = self.window_s / self.requests
        if self._ahead(cell, now) > self.window_s - interval + _SLACK * interval:
            return False
        cell[0] = max(cell[0], now) + interval
        return True

    def quota(self, cell: Cell, now: float) -> Quota:
        """How things stand."""
        interval = self.window_s / self.requests
        ahead = self._ahead(cell, now)
        remaining = int((self.window_s - ahead) / interval + _SLACK)
        return Quota(
            limit=self.requests,
            window_s=self.window_s,
            remaining=remaining,
            reset_s=ahead,
            retry_s=0.0 if remaining else ahead + interval - self.window_s,
        )

    def _ahead(self, cell: Cell, now: float) -> float:
        ahead = cell[0] - now
        if ahead > self.window_s:  # left from a quota with a longer window
            cell[0] = now + self.window_s
            return float(self.window_s)
        return max(ahead, 0.0)

"""How long before its deadline an answer in hand has to leave so as to be in time."""

from typing import Final

# Timers of the loop are up to 0.7 ms late on an idle machine: uvloop's count whole milliseconds.
MARGIN_S: Final = 0.001


class Margin:
    """Follows how late timers are: on a busy machine it is not one millisecond but several.

    A timer that comes later than the margin raises it by GROWTH, every other one lowers it by
    DECAY: so about one of a hundred comes later (DECAY / (DECAY + log(1 + GROWTH)), a quantile by
    stochastic approximation). From MARGIN_S to MOST_S, and no more than SHARE of a deadline: a
    better answer is not waited for as long.
    """

    GROWTH: Final = 0.5
    DECAY: Final = 0.005
    MOST_S: Final = 0.01
    SHARE: Final = 0.1

    __slots__ = ("_seconds",)

    def __init__(self) -> None:
        self._seconds = MARGIN_S

    def before(self, deadline_s: float) -> float:
        """Seconds before a deadline, of so many seconds from arrival, at which to leave."""
        return max(MARGIN_S, min(self._seconds, self.SHARE * deadline_s))

    def learn(self, late_s: float) -> None:
        """A timer came so many seconds late."""
        if late_s > self._seconds:
            self._seconds = min(self._seconds * (1 + self.GROWTH), self.MOST_S)
        else:
            self._seconds = max(self._seconds * (1 - self.DECAY), MARGIN_S)

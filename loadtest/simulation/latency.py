"""How long a simulated variant takes: one draw from its latency under load."""

import math
from bisect import bisect_right

from tailq.load import LatencyUnderLoad
from tailq.piecewise import interpolate


class Latency:
    """Draws of a LatencyUnderLoad, also where it has no quantiles.

    Below the lowest level it is level: what is faster than usual was not kept, and is not what
    goes wrong. Beyond the highest it follows a Pareto tail through the two highest ones: equally
    many times slower each time it is ten times rarer, as between those two. (Level if there is
    only one.)
    """

    def __init__(self, model: LatencyUnderLoad) -> None:
        self._knots = model.outstanding_s
        self._levels = tuple(quantile.level for quantile in model.quantiles)
        self._latencies = tuple(quantile.latency_s for quantile in model.quantiles)

    def at(self, level: float, outstanding_s: float) -> float:
        """Seconds that a share `level` in [0, 1) of answers does not exceed, at this much work."""
        above = bisect_right(self._levels, level)
        if above == 0:
            return self._level_at(0, outstanding_s)
        if above == len(self._levels):
            return self._tail(level, outstanding_s)
        low, high = self._level_at(above - 1, outstanding_s), self._level_at(above, outstanding_s)
        share = (level - self._levels[above - 1]) / (self._levels[above] - self._levels[above - 1])
        return low + share * (high - low)

    def _level_at(self, index: int, outstanding_s: float) -> float:
        beyond_s = max(0.0, outstanding_s - self._knots[-1])
        return interpolate(outstanding_s, self._knots, self._latencies[index]) + beyond_s

    def _tail(self, level: float, outstanding_s: float) -> float:
        last = len(self._levels) - 1
        high = self._level_at(last, outstanding_s)
        low = self._level_at(last - 1, outstanding_s) if last else 0.0
        if low <= 0:
            return high
        decade = math.log((1 - self._levels[last - 1]) / (1 - self._levels[last]))
        rarer = math.log((1 - self._levels[last]) / (1 - level))
        return float(high * (high / low) ** (rarer / decade))

"""How long a simulated variant takes: one draw from its latency under load."""

import math
from bisect import bisect_right

from tailq.load import Curves, LatencyUnderLoad


class Latency:
    """Draws of a LatencyUnderLoad, also where it has no quantiles.

    Below the lowest level it is level: what is faster than usual was not kept, and is not what
    goes wrong. Beyond the highest it follows a Pareto tail through the two highest ones: equally
    many times slower each time it is ten times rarer, as between those two. (Level if there is
    only one.)
    """

    def __init__(self, model: LatencyUnderLoad) -> None:
        self._levels = tuple(quantile.level for quantile in model.quantiles)
        self._latencies = Curves(model).at

    def at(self, level: float, outstanding_s: float) -> float:
        """Seconds that a share `level` in [0, 1) of answers does not exceed, at this much work."""
        above, known = bisect_right(self._levels, level), self._latencies(outstanding_s)
        if above == 0:
            return known[0]
        if above == len(self._levels):
            return self._tail(level, known)
        low, high = known[above - 1], known[above]
        share = (level - self._levels[above - 1]) / (self._levels[above] - self._levels[above - 1])
        return low + share * (high - low)

    def _tail(self, level: float, known: list[float]) -> float:
        last = len(self._levels) - 1
        high = known[last]
        low = known[last - 1] if last else 0.0
        if low <= 0:
            return high
        decade = math.log((1 - self._levels[last - 1]) / (1 - self._levels[last]))
        rarer = math.log((1 - self._levels[last]) / (1 - level))
        return float(high * (high / low) ** (rarer / decade))

"""Piecewise linear functions of one number, as artefacts hold them: by their knots."""

from bisect import bisect_right
from collections.abc import Sequence


def interpolate(at: float, knots: Sequence[float], values: Sequence[float]) -> float:
    """Value at `at`: linear between the knots, constant outside.

    knots: strictly ascending, at least one. values: one for each. In plain Python, because the
    gateway asks for one number at a time and NumPy takes longer for that.
    """
    right = bisect_right(knots, at)
    if right == 0:
        return values[0]
    if right == len(knots):
        return values[-1]
    left = right - 1
    share = (at - knots[left]) / (knots[right] - knots[left])
    low, high = values[left], values[right]
    # Rounding must not carry it over a neighbour: monotone values give a monotone function.
    return min(max(low + share * (high - low), min(low, high)), max(low, high))

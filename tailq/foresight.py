"""What a plan is expected to yield in the time left: quality, and an answer at all. Pure.

Latencies of a plan's variants count as independent; each of them as at the present work
outstanding, also where it is asked later. What a plan asks at the same time is work for one
another (`beside`).
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tailq.plan import Cascade, Plan, Race, Rescue, Single
from tailq.tier import Option

Floats = NDArray[np.float64]

# Cells that the time left is cut into where latencies add up or race.
_CELLS = 64


@dataclass(frozen=True, slots=True)
class Latency:
    """Distribution of one variant's latency: piecewise linear, the rest never arrives.

    seconds: knots, non-decreasing, the first one 0. within: at each the probability that the answer
    has come, ascending.
    """

    seconds: Sequence[float]
    within: Sequence[float]

    def probability_within(self, seconds: float) -> float:
        """Probability that the answer comes within `seconds`; 0 for less than no time."""
        knots, within = self.seconds, self.within
        right = bisect_right(knots, seconds)
        if right == 0:
            return 0.0
        if right == len(knots):
            return within[-1]
        low, high = knots[right - 1], knots[right]
        share = (seconds - low) / (high - low)
        return within[right - 1] + share * (within[right] - within[right - 1])


# Of a variant that nothing is known of: nothing speaks against it.
AT_ONCE = Latency((0.0, 0.0), (0.0, 1.0))


@dataclass(frozen=True, slots=True)
class Foresight:
    """What is expected of a request.

    quality: probability (or mean score) of a right answer in time. answered: probability that
    there is an answer in time, right or wrong; at least `quality`.
    """

    quality: float
    answered: float


def beside(plan: Plan) -> tuple[tuple[str, ...], ...]:
    """For each of the plan's variants those in flight for the same request when it is asked."""
    match plan:
        case Single() | Cascade():
            return ((),) * len(plan.variants)
        case Race():
            return (plan.accurate,), (plan.fast,)
        case Rescue():
            return (), (plan.primary,)


def foresee(
    option: Option, latencies: Sequence[Latency], left_s: float, deadline_s: float
) -> Foresight:
    """Expected quality of `option`: the sum over its stops, and over who answers, of both.

    latencies: of the plan's variants, in their order. left_s: seconds left; with none, nothing is
    answered. deadline_s: the one that the option was found for, of which a rescue keeps
    `deadline_s - after_s` for its rescuer, however late it begins.

    More time never makes it worse if for each stop of a cascade or a rescue a later answer is no
    worse than the one before.
    """
    if not left_s > 0:
        return Foresight(0.0, 0.0)
    match option.plan:
        case Single():
            came = latencies[0].probability_within(left_s)
            return Foresight(came * option.stops[0].quality[0], came)
        case Cascade():
            return _cascade(option, latencies, left_s)
        case Race():
            return _race(option, latencies, left_s)
        case Rescue():
            kept_s = min(deadline_s - option.plan.after_s, left_s)
            return _rescue(option, latencies, left_s, kept_s)


def _cascade(option: Option, latencies: Sequence[Latency], left_s: float) -> Foresight:
    """Of a request that stops at stage k the best in hand leaves: the last that came in time.

    The sum of latencies is taken on a grid of the time left, each but the last rounded up to the
    next of its cells: what is found is no more than the truth, and no less than the truth with
    (K - 1) / 64 of the time less.
    """
    ends, grid = [latencies[0].probability_within(left_s)], _grid(left_s)
    begun = _begun(np.interp(grid, latencies[0].seconds, latencies[0].within))
    for latency in latencies[1:-1]:
        came = np.interp(grid, latency.seconds, latency.within)
        total = np.convolve(begun, came)[: grid.size]
        ends.append(float(total[-1]))
        begun = _begun(total)
    last = np.interp(grid, latencies[-1].seconds, latencies[-1].within)
    ends.append(float(begun @ last[::-1]))
    quality = 0.0
    for k, stop in enumerate(option.stops):
        came_to = ends[k] * stop.quality[k]
        for j in range(k):
            came_to += (ends[j] - ends[j + 1]) * stop.quality[j]
        quality += stop.share * came_to
    return Foresight(quality, ends[0])


def _race(option: Option, latencies: Sequence[Latency], left_s: float) -> Foresight:
    """Confident: whoever comes first. Otherwise the accurate one, or else the fast one in hand."""
    grid = _grid(left_s)
    fast, accurate = (np.interp(grid, one.seconds, one.within) for one in latencies)
    # Within nearly every cell both are linear: then the mean of its ends is exact. What comes at
    # once is in no cell.
    first = float(fast[-1] - (fast[1:] - fast[:-1]) @ (accurate[:-1] + accurate[1:]) / 2)
    fast_came, accurate_came = float(fast[-1]), float(accurate[-1])
    answered = 1 - (1 - fast_came) * (1 - accurate_came)
    confident, unsure = option.stops
    quality = confident.share * (
        first * confident.quality[0] + max(answered - first, 0.0) * confident.quality[1]
    ) + unsure.share * (
        accurate_came * unsure.quality[1] + (answered - accurate_came) * unsure.quality[0]
    )
    return Foresight(quality, answered)


def _rescue(
    option: Option, latencies: Sequence[Latency], left_s: float, kept_s: float
) -> Foresight:
    """The primary's answer by the deadline, or else the rescuer's, which has the last `kept_s`."""
    primary = latencies[0].probability_within(left_s)
    rescued = (1 - primary) * latencies[1].probability_within(kept_s)
    quality = sum(
        stop.share * (primary * stop.quality[0] + rescued * stop.quality[1])
        for stop in option.stops
    )
    return Foresight(quality, primary + rescued)


_EVEN = np.linspace(0.0, 1.0, _CELLS + 1)


def _grid(left_s: float) -> Floats:
    return left_s * _EVEN


def _begun(within: Floats) -> Floats:
    """Probability of the cell up to each point of the grid, of what comes within these points."""
    begun = within.copy()
    begun[1:] -= within[:-1]
    return begun

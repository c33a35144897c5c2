"""Foresight fast enough for every request: rounded to a grid, on the safe side, and remembered."""

from math import ceil, exp, floor, log

from tailq.foresight import Foresight, beside, foresee
from tailq.outlook import Outlook
from tailq.tier import Option

# Below the first figure there is no time left. Time is rounded down by at most 2 %, work up by at
# most 5 %: less than either is known to.
LEAST_LEFT_S, _LEFT_STEP = 1e-4, log(1.02)
_LEAST_WORK_S, _WORK_STEP = 1e-4, log(1.05)
# What is remembered of one option at most, some 300 KiB; whatever deadlines clients ask.
_REMEMBERED = 1024

_NOTHING = Foresight(0.0, 0.0)


def left_code(left_s: float) -> int:
    """The time left in steps of 2 %; -1 if there is none."""
    return floor(log(left_s / LEAST_LEFT_S) / _LEFT_STEP) if left_s >= LEAST_LEFT_S else -1


def left_s(code: float) -> float:
    """The least time left with this code, or so much of a step more."""
    return LEAST_LEFT_S * exp(code * _LEFT_STEP)


def work_code(outstanding_s: float) -> int:
    """The work outstanding in steps of 5 %; 0 if there is none."""
    if not outstanding_s > 0:
        return 0
    return 1 + max(0, ceil(log(outstanding_s / _LEAST_WORK_S) / _WORK_STEP))


class Forecast:
    """What one option, found for one deadline, yields; see `tailq.foresight.foresee`.

    Its work is foreseen at the time left, at the work outstanding and with the corrections that
    the outlook has learned; all rounded, so that what was computed once serves again.
    """

    __slots__ = ("_beside_s", "_deadline_s", "_option", "_outlook", "_remembered", "_variants")

    def __init__(self, option: Option, deadline_s: float, outlook: Outlook) -> None:
        self._option, self._deadline_s, self._outlook = option, deadline_s, outlook
        self._variants = option.plan.variants
        self._beside_s = [
            sum(outlook.service_s.get(variant, 0.0) for variant in others)
            for others in beside(option.plan)
        ]
        self._remembered: dict[object, Foresight] = {}

    def at(self, left: int, work: int, now: float) -> Foresight:
        """As things are at `now`. left, work: of `left_code` and `work_code`."""
        codes = self._outlook.codes
        return self._with(left, work, tuple([codes(variant, now) for variant in self._variants]))

    def profiled(self, left: int, work: int) -> Foresight:
        """As things were in the profile: nothing is corrected."""
        return self._with(left, work, tuple(map(self._outlook.neutral, self._variants)))

    def _with(self, left: int, work: int, learned: tuple[tuple[int, ...], ...]) -> Foresight:
        if left < 0:
            return _NOTHING
        key = left, work, learned
        known = self._remembered.get(key)
        if known is None:
            if len(self._remembered) >= _REMEMBERED:
                self._remembered.clear()
            known = self._remembered[key] = self._foresee(left, work, learned)
        return known

    def _foresee(self, left: int, work: int, learned: tuple[tuple[int, ...], ...]) -> Foresight:
        work_s = _LEAST_WORK_S * exp((work - 1) * _WORK_STEP) if work else 0.0
        latencies = [
            self._outlook.latency_at(variant, work_s + more_s, codes)
            for variant, more_s, codes in zip(self._variants, self._beside_s, learned, strict=True)
        ]
        return foresee(self._option, latencies, left_s(left), self._deadline_s)

"""Following the quantiles of a stream online: by how much the predicted ones have to be corrected.

Quantile tracking with a scorecaster, as in conformal PID control (Angelopoulos, Candès &
Tibshirani 2023, arXiv 2307.16895; the step is that of Gibbs & Candès 2021, arXiv 2106.00170), on
the logarithm of observed over predicted, so that corrections are factors:

- the *scale* follows, fast, how many times slower than predicted answers are altogether: it moves
  while one observation after the other lies on the same side. It is the scorecaster: whatever it
  does, the guarantee below holds;
- the *offset* of each level corrects what is left: offset += STEP * (exceeded - (1 - level)).

Then of T observations the share that exceeds its corrected quantile differs from 1 - level by at
most (b + STEP) / (STEP * T), where b bounds |log(observed / predicted) - scale|, however the
stream drifts (there, Proposition 1); of observations that have ended and follow each other without
the silence in which what was learned is forgotten.
"""

from collections.abc import Sequence
from math import ceil, log

# Of the offsets, per observation. Twenty exceedances in a row, which the scale takes to catch up
# with answers ten times slower, leave no more than a factor of 1.22 behind.
STEP = 0.01
# Of the scale: from the seventh observation in a row on the same side (by chance one run of 64 is
# that long), doubled by each further one up to the last figure.
SCALE_RUN, SCALE_STEP, SCALE_STEP_MOST = 6, 0.04, 0.4
# No answer is taken to be more than so many times slower, or faster, than predicted.
SCALE_MOST = log(100.0)
# What was learned is kept while observations follow each other within GRACE_S; after so much
# silence it is forgotten by half each HALF_LIFE_S, and altogether when less than 1 % is left of it.
GRACE_S, HALF_LIFE_S, FORGOTTEN = 1.0, 1.0, 0.01
# Logarithmic width of the steps in which corrections are told by `codes`.
CODE = 0.05


class Tracker:
    """Corrections of one variant's quantiles, at each of the known levels.

    levels: in (0, 1), ascending. The scale follows the lowest one, best the median.
    """

    __slots__ = ("_codes", "_last", "_moved", "_neutral", "_offsets", "_run", "_scale", "levels")

    def __init__(self, levels: Sequence[float]) -> None:
        self.levels = tuple(levels)
        self._neutral = (0,) * len(self.levels)
        self._last = float("-inf")
        self._forget()

    def _forget(self) -> None:
        self._scale = 0.0
        self._run = 0  # observations in a row that were slower (> 0) or not (< 0) than the scale
        self._offsets = [0.0] * len(self.levels)
        self._codes = self._neutral
        self._moved = False  # since its codes were told

    def observe(self, ratios: Sequence[float], now: float, *, ended: bool) -> None:
        """Learn from one observation.

        ratios: logarithm of the seconds it took over the predicted quantile, for each level. now:
        seconds, not falling from call to call. ended: False if it still goes on after these
        seconds, which tells only of what it already exceeds.
        """
        left = self._left(now)
        if left == 0:
            self._forget()
        elif left < 1:
            self._scale *= left
            self._offsets = [offset * left for offset in self._offsets]
        self._last = now
        scale = self._scale
        for index, level in enumerate(self.levels):
            if ratios[index] - scale > self._offsets[index]:
                self._offsets[index] += STEP * level
            elif ended:
                self._offsets[index] -= STEP * (1 - level)
        self._follow(ratios[0] > scale, ended)
        self._moved = True

    def _follow(self, slower: bool, ended: bool) -> None:
        """Move the scale towards an observation."""
        if slower:
            self._run = max(self._run, 0) + 1
        elif ended:
            self._run = min(self._run, 0) - 1
        else:
            return
        beyond = abs(self._run) - SCALE_RUN
        if beyond <= 0:
            return
        step = min(SCALE_STEP * 2.0 ** min(beyond - 1, 10), SCALE_STEP_MOST)
        level = self.levels[0]
        moved = self._scale + (step * level if slower else -step * (1 - level))
        self._scale = min(max(moved, -SCALE_MOST), SCALE_MOST)

    def log_corrections(self, now: float) -> tuple[float, ...]:
        """For each level the logarithm of the factor by which its quantile is to be corrected."""
        left = self._left(now)
        return tuple((self._scale + offset) * left for offset in self._offsets)

    def codes(self, now: float) -> tuple[int, ...]:
        """The same in whole steps of CODE: no less, and at most two more than that.

        They change rarely, and come back to what they were, so that what follows from them can be
        remembered.
        """
        if self._moved:
            self._moved = False
            self._codes = tuple(map(_code, self.log_corrections(self._last), self._codes))
        if now - self._last <= GRACE_S or self._codes is self._neutral:
            return self._codes
        return tuple(ceil(log_factor / CODE) for log_factor in self.log_corrections(now))

    def _left(self, now: float) -> float:
        """The share that is left of what was learned, after silence since the last observation."""
        idle = now - self._last - GRACE_S
        if idle <= 0:
            return 1.0
        left = 0.5 ** min(idle / HALF_LIFE_S, 64.0)
        most = max(abs(self._scale + offset) for offset in self._offsets)
        return left if left * most >= FORGOTTEN else 0.0


def _code(log_factor: float, before: int) -> int:
    """`before` while it is no less than needed and at most two more: a step changes seldom."""
    needed = ceil(log_factor / CODE)
    return before if needed <= before <= needed + 1 else needed

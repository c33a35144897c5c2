"""Statements about a stream of qualities that hold at every moment one looks, for ever.

Whatever is computed here may be looked at after each request, by anyone, as often as they like,
and acted on: the chance that it is *ever* wrong stays below alpha (Ville's inequality). Requests
may depend on each other and their quality may change; nothing is assumed of them but their range.
A request costs about a microsecond, whatever came before.
"""

from math import log
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Shares of what a bet can win or lose at most that are staked, side by side. A small one sees small
# gaps, a large one sees large ones at once; four times apart, the best of them grows at 64 % of
# the best possible rate or more.
_STAKES: Final = (0.8, 0.2, 0.05, 0.0125, 0.003125)
# Requests whose factors are multiplied at once: all of them the least or the greatest that there
# are, the product is still far from what a float can hold.
_BLOCK: Final = 64
# Odds of a promise nearer to 1 than this are not paid in full: they would be without bounds.
_NEAREST: Final = 0.001
# New bets are spread over epochs of so many requests, twice as many, four times ...
_FIRST_EPOCH: Final = 1024
# Evidence beyond so many times what is needed is thrown away, to forget a break in bounded time. At
# each stake by itself: a large one has won most when a break is bad, and loses it within a few
# good requests; what the small ones have won must outlast that.
_ENOUGH: Final = 20.0


class PromiseWatch:
    """Evidence that quality falls short of what was promised: an e-process.

    The hypothesis is that each request's quality is expected to be at least what it was promised,
    given all before it. Bets against it multiply capital by 1 + u (promised - quality) / (1 -
    promised), which is expected to lose, for any stake u in (0, 1) (Waudby-Smith & Ramdas, arXiv
    2010.09686). Capital that has been betting all along would be lost by the time a promise
    breaks; so some is kept back, and a bit of it starts to bet at each request, for ever: a
    mixture over when the promise broke (Shin, Ramdas & Rinaldo, arXiv 2203.03532) and over how
    much is staked. All of it together starts at 1 and is never expected to grow, so that it ever
    reaches 1 / alpha with probability at most alpha.

    Evidence of several watches (of processes, of replicas) with one alpha may be averaged.
    """

    __slots__ = ("_alpha", "_at_work", "_capital", "_epoch", "_fresh", "_left", "_most")

    def __init__(self, alpha: float) -> None:
        """alpha: chance of a false alarm, ever, in (0, 1)."""
        self._alpha = _checked(alpha)
        self._most = _ENOUGH / alpha / len(_STAKES)  # at each stake
        self._capital = [0.0] * len(_STAKES)  # by stake
        self._at_work = 0.0  # its sum
        self._epoch = -1
        self._left = 0  # requests left in this epoch
        self._fresh = 0.0  # what starts to bet at each of them, at each stake

    def observe(self, quality: float, promised: float) -> None:
        """One judged request: both in [0, 1], and ValueError otherwise."""
        if not (0.0 <= quality <= 1.0 and 0.0 <= promised <= 1.0):
            raise ValueError(f"quality {quality} or promise {promised} is not in [0, 1]")
        if not self._left:
            self._next_epoch()
        self._left -= 1
        room = 1.0 - promised
        won = (promised - quality) / (room if room > _NEAREST else _NEAREST)
        fresh, most = self._fresh, self._most
        self._capital = [
            min((held + fresh) * (1.0 + stake * won), most)
            for held, stake in zip(self._capital, _STAKES, strict=True)
        ]
        self._at_work = sum(self._capital)

    def observe_all(self, qualities: Floats, promised: Floats) -> None:
        """Judged requests in their order, [n] each: as observe() of each, at a fifth of the cost.

        But what is thrown away of abundant evidence goes at the end of a block.
        """
        _check(qualities)
        _check(promised)
        done = 0
        while done < qualities.size:
            if not self._left:
                self._next_epoch()
            block = slice(done, done + min(_BLOCK, self._left))
            self._observe_block(qualities[block], promised[block])
            done = block.stop

    def _observe_block(self, qualities: Floats, promised: Floats) -> None:
        # What was there multiplies by all factors, what starts at a request by those from there on.
        won = (promised - qualities) / np.maximum(1.0 - promised, _NEAREST)
        grown = np.cumprod(1.0 + won[:, None] * _STAKES, axis=0)
        started = self._fresh * (1.0 + (1.0 / grown[:-1]).sum(axis=0))
        capital = grown[-1] * (self._capital + started)
        self._left -= qualities.size
        self._capital = np.minimum(capital, self._most).tolist()
        self._at_work = sum(self._capital)

    def _next_epoch(self) -> None:
        # Of all capital, epoch k = 0, 1, ... gets 1 / ((k + 1) (k + 2)): together 1.
        self._epoch += 1
        self._left = _FIRST_EPOCH << self._epoch
        share = 1.0 / ((self._epoch + 1) * (self._epoch + 2))
        self._fresh = share / self._left / len(_STAKES)

    @property
    def evidence(self) -> float:
        """Over what is needed, in [0, 20]: 1 or more says that the promise was broken."""
        later = 1.0 / (self._epoch + 2) + self._left * self._fresh * len(_STAKES)
        return min(self._alpha * (self._at_work + later), _ENOUGH)


# Rates at which deviations are weighed, each best for about one length of the stream, and how much
# of the mixture each is: together at most 1. More for the high ones keeps short streams' narrow.
_RATES: Final = 0.9 * 0.5 ** np.arange(16)
_LOG_WEIGHTS: Final = -np.log(np.arange(1, 17) * np.arange(2, 18))
_COST: Final = -np.log1p(-_RATES) - _RATES


class ConfidenceSequence:
    """Interval of the mean of a stream of values in [0, 1] that covers at all times.

    The mean is that of the expectations of the values so far, each given all before it; where
    these change it is the mean over the change. With probability 1 - alpha no interval ever
    misses it. Empirical Bernstein (Howard, Ramdas, McAuliffe & Sekhon, arXiv 1810.08240, theorem
    4), its boundary from a mixture of rates. Intervals are not intersected: the mean may move.
    """

    __slots__ = ("_alpha", "_count", "_scatter", "_sum")

    def __init__(self, alpha: float) -> None:
        """alpha: chance that the interval ever misses the mean, in (0, 1)."""
        self._alpha = _checked(alpha)
        self._count = 0
        self._sum = 0.0
        self._scatter = 0.0  # squared errors of foretelling each value by the mean before it

    def observe(self, value: float) -> None:
        """The next value, in [0, 1], and ValueError otherwise."""
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"value {value} is not in [0, 1]")
        error = value - (self._sum + 0.5) / (self._count + 1)
        self._scatter += error * error
        self._sum += value
        self._count += 1

    def observe_all(self, values: Floats) -> None:
        """The next values in their order, [n]: as observe() of each."""
        _check(values)
        after = self._sum + np.cumsum(values)
        errors = values - (after - values + 0.5) / (self._count + np.arange(1, values.size + 1))
        self._scatter += float(errors @ errors)
        if values.size:
            self._sum = float(after[-1])
        self._count += values.size

    @property
    def mean(self) -> float:
        """Of the values so far; 0.5 where there is none."""
        return self._sum / self._count if self._count else 0.5

    @property
    def interval(self) -> tuple[float, float]:
        """(lower, upper) in [0, 1]; (0, 1) where there is no value yet."""
        if not self._count:
            return 0.0, 1.0
        half_width = _boundary(self._scatter, log(2 / self._alpha)) / self._count
        return max(self.mean - half_width, 0.0), min(self.mean + half_width, 1.0)


def _boundary(scatter: float, goal: float) -> float:
    """The sum of deviations at which the mixture over _RATES reaches exp(goal)."""
    logs = _LOG_WEIGHTS - _COST * scatter
    # A single rate reaches it here at the latest; Newton's steps on a convex function stay above.
    reached = float(np.min((goal - logs) / _RATES))
    for _ in range(4):
        parts = np.exp(logs + _RATES * reached - goal)
        reached -= float(np.log(parts.sum()) * parts.sum() / (parts @ _RATES))
    return reached


def _check(values: Floats) -> None:
    if not np.all((values >= 0.0) & (values <= 1.0)):
        raise ValueError("qualities and promises must be in [0, 1]")


def _checked(alpha: float) -> float:
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"alpha must be between 0 and 1, not {alpha}")
    return alpha

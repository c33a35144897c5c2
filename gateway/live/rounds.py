"""Quality of rounds: of requests that follow each other, from which the tail of quality is told."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

import numpy as np

from gateway.live.histogram import Histogram
from tailq.poisson_binomial import law
from tailq.tier import LIVE_ROUND

# A request of a hundred where promises lie, coarser where none does. Each share of right answers is
# in the middle of its bucket, where quantiles are interpolated: at its end they would be too low.
EDGES: Final = (0.0, 0.1, 0.2, 0.3, 0.4, *((k - 0.5) / 100 for k in range(50, 101)), 1.0)
# The first of the numbers of right answers that lie in each bucket; none lies above all edges.
_BUCKET: Final = [bisect_left(EDGES, right / LIVE_ROUND) for right in range(LIVE_ROUND + 1)]
_FIRST: Final = [_BUCKET.index(bucket) for bucket in range(len(EDGES))]


class Rounds:
    """LIVE_ROUND qualities in [0, 1] make a round; `histogram` has requests by their round's mean.

    Requests and not rounds are counted, so that whole numbers, which are all that a histogram may
    show, are fine enough.

    A quality that is only expected is the probability that the answer is right. The mean of a
    hundred such would vary far less than the share of right answers does, and its tail would
    flatter. So what is counted is the law of the number of right ones (independent of each other,
    given how sure they are): exact where all are 0 or 1, and one bucket then. A graded quality, of
    answers that can be half right, is treated the same way, which spreads more than it should.
    """

    __slots__ = ("_waiting", "histogram")

    def __init__(self) -> None:
        self.histogram = Histogram(EDGES)
        self._waiting: list[float] = []

    def observe(self, qualities: Sequence[float]) -> None:
        """Of the next requests."""
        waiting = self._waiting
        waiting.extend(qualities)
        while len(waiting) >= LIVE_ROUND:
            one = waiting[:LIVE_ROUND]
            del waiting[:LIVE_ROUND]
            expected = np.add.reduceat(LIVE_ROUND * law(one), _FIRST).tolist()
            self.histogram.observe_spread((*expected, 0.0), LIVE_ROUND, sum(one))

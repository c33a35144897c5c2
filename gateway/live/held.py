"""What was promised to a tier's requests beside what they got, as one source tells it."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from gateway.live.names import (
    DELIVERED,
    EVIDENCE,
    JUDGED,
    LOWER,
    PROMISED,
    ROUND,
    UPPER,
    Points,
)
from gateway.live.rounds import Rounds
from tailq.sequential import ConfidenceSequence, PromiseWatch

# Requests that are taken into account at once: numpy's calls are dear.
_AT_ONCE: Final = 500


class Held:
    """Sums, rounds and evidence.

    alpha: chance that its evidence is ever wrong, and the same of its interval.

    Nothing it holds grows with the number of requests.
    """

    __slots__ = (
        "_delivered",
        "_judged",
        "_promised",
        "_promises",
        "_qualities",
        "_rounds",
        "_sequence",
        "_watch",
    )

    def __init__(self, alpha: float) -> None:
        self._judged = 0
        self._delivered = 0.0
        self._promised = 0.0
        self._rounds = Rounds()
        self._qualities: list[float] = []  # that are not in all of this yet
        self._promises: list[float] = []
        self._start(alpha)

    def anew(self, alpha: float) -> None:
        """From now on it is another promise: evidence starts anew, sums go on."""
        self._settle()
        self._start(alpha)

    def _start(self, alpha: float) -> None:
        self._watch = PromiseWatch(alpha)
        self._sequence = ConfidenceSequence(alpha)

    def observe(self, qualities: Sequence[float], promised: Sequence[float]) -> None:
        """Judged requests that follow each other: all in [0, 1]."""
        self._qualities += qualities
        self._promises += promised
        if len(self._qualities) >= _AT_ONCE:
            self._settle()

    def count(self, qualities: Sequence[float], promised: Sequence[float]) -> None:
        """Of requests from before anew(): they are no evidence of this promise."""
        self._judged += len(qualities)
        self._delivered += sum(qualities)
        self._promised += sum(promised)
        self._rounds.observe(qualities)

    def _settle(self) -> None:
        qualities, promised = self._qualities, self._promises
        self._qualities, self._promises = [], []
        self.count(qualities, promised)
        delivered = np.array(qualities)
        self._watch.observe_all(delivered, np.array(promised))
        self._sequence.observe_all(delivered)

    def counted(self, *labels: str) -> Points:
        """What only grows."""
        self._settle()
        yield JUDGED, labels, self._judged
        yield DELIVERED, labels, self._delivered
        yield PROMISED, labels, self._promised
        yield ROUND, labels, self._rounds.histogram

    def concluded(self, *labels: str) -> Points:
        """What follows of it for the present promise."""
        self._settle()
        lower, upper = self._sequence.interval
        yield EVIDENCE, labels, self._watch.evidence
        yield LOWER, labels, lower
        yield UPPER, labels, upper

"""Quality without a label: what answers as sure as this one were worth in the profile."""

from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np

from gateway.dataplane import Reading
from tailq.tier import Promise, Served


class Expected:
    """Of answers of a table's variants. served: see TierTable."""

    def __init__(self, served: Mapping[str, Served]) -> None:
        # As in Calibration.expected_quality, which numpy does for many answers at once.
        self._maps = {
            name: (np.array(variant.calibration.confidence), np.array(variant.calibration.quality))
            for name, variant in served.items()
            if variant.calibration is not None
        }

    def qualities(self, variant: str, readings: Sequence[Reading]) -> Sequence[float]:
        """Of each answer the mean calibrated confidence over its batch, in [0, 1].

        Of none, where the profile does not tell it of this variant.
        """
        known = self._maps.get(variant)
        if known is None:
            return ()
        each = [reading.confidence for reading in readings]
        expected = np.interp(list(chain.from_iterable(each)), *known)
        if len(expected) == len(each):
            return tuple(expected.tolist())
        sizes = [len(one) for one in each]
        sums = np.add.reduceat(expected, np.cumsum([0, *sizes[:-1]]))
        # Rounding must not carry a mean above 1.
        return tuple(np.minimum(sums / sizes, 1.0).tolist())


def untold(promise: Promise) -> float:
    """Of an answer in time that does not tell: what the profile has of the plan's, on average."""
    if promise.expected_quality >= promise.expected_on_time:
        return 1.0
    return promise.expected_quality / promise.expected_on_time

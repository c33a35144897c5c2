"""Whether inputs and latencies are still those of the profile: counts, to be compared with it."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.live.names import BEYOND, COMPARED, CONFIDENCE, Points
from tailq.tier import Served


class ConfidenceDrift:
    """How sure variants are, by bin of the profile's confidences, numbered from 0."""

    def __init__(self) -> None:
        self._upper: dict[str, NDArray[np.float64]] = {}
        self._counts: dict[str, list[int]] = {}

    def know(self, served: Mapping[str, Served]) -> None:
        """Compare with this profile from now on. Counts go on, whatever its bins are."""
        self._upper = {
            name: np.array(variant.spread.upper)
            for name, variant in served.items()
            if variant.spread is not None
        }
        for name, upper in self._upper.items():
            counts = self._counts.setdefault(name, [])
            counts.extend([0] * (len(upper) - len(counts)))

    def observe(self, variant: str, confidences: Sequence[float]) -> None:
        """Of samples that `variant` answered. Above all bins is the last one."""
        upper = self._upper.get(variant)
        if upper is None:
            return
        bins = np.minimum(np.searchsorted(upper, confidences), len(upper) - 1)
        counts = self._counts[variant]
        for number, count in enumerate(np.bincount(bins).tolist()):
            counts[number] += count

    def points(self) -> Points:
        """See names.Points."""
        for name, counts in self._counts.items():
            for number, count in enumerate(counts):
                yield CONFIDENCE, (name, str(number)), count


class LatencyDrift:
    """How many latencies exceeded the profile's quantiles at the load that they met."""

    def __init__(self) -> None:
        self._levels: dict[str, tuple[str, ...]] = {}  # of the quantiles
        # By how many of the present quantiles were exceeded, so that to count is one step.
        self._counts: dict[str, list[int]] = {}
        # By other tables before, and the levels that these had.
        self._compared: dict[str, int] = {}
        self._beyond: dict[tuple[str, str], int] = {}

    def know(self, served: Mapping[str, Served]) -> None:
        """Latencies are compared with this profile from now on."""
        self._compared, self._beyond = self._sums()
        self._levels = {
            name: tuple(f"{each.level:g}" for each in variant.under_load.quantiles)
            for name, variant in served.items()
            if variant.under_load is not None
        }
        self._counts = {name: [0] * (len(known) + 1) for name, known in self._levels.items()}

    def compared(self, variant: str, beyond: int) -> None:
        """See dataplane.Recorder. Of a call that a former table's model was compared with, too."""
        counts = self._counts.get(variant)
        if counts is not None and beyond < len(counts):
            counts[beyond] += 1

    def points(self) -> Points:
        """See names.Points."""
        compared, beyond = self._sums()
        for name, count in compared.items():
            yield COMPARED, (name,), count
        for labels, count in beyond.items():
            yield BEYOND, labels, count

    def _sums(self) -> tuple[dict[str, int], dict[tuple[str, str], int]]:
        compared, beyond = dict(self._compared), dict(self._beyond)
        for name, counts in self._counts.items():
            left = sum(counts)
            compared[name] = compared.get(name, 0) + left
            for level, count in zip(self._levels[name], counts, strict=False):
                left -= count
                beyond[name, level] = beyond.get((name, level), 0) + left
        return compared, beyond

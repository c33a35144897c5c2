"""Merged numbers, to be looked up by metric and labels."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from gateway.live import names
from gateway.live.families import Families, Key, Labels
from gateway.live.names import Spec

# What is told of a span of time, and is kept in a History.
_LATELY: Final = (
    names.REQUESTS,
    names.BEST_EFFORT,
    names.JUDGED,
    names.DELIVERED,
    names.PROMISED,
    names.ROUND,
    names.CONFIDENCE,
    names.UNREAD,
    names.COMPARED,
    names.BEYOND,
    names.CALIBRATION_JUDGED,
    names.CALIBRATION_EXPECTED,
    names.CALIBRATION_DELIVERED,
    names.PROBES,
    names.PROBE_ANSWERS,
    names.RELOADS,
    names.RESTARTS,
)
_SUFFIX: Final = {"counter": "_total", "gauge": "", "histogram": "_bucket"}


def lately(families: Families) -> dict[Key, float]:
    """The counters that a History is to keep."""
    return {
        key: value
        for spec in _LATELY
        if spec.name in families
        for key, value in families[spec.name].samples.items()
    }


def of(families: Families) -> "Numbers":
    """All of them."""
    return Numbers(
        {key: value for family in families.values() for key, value in family.samples.items()}
    )


class Numbers:
    """Samples of the metrics in names.py; their labels are in that order."""

    def __init__(self, samples: Mapping[Key, float]) -> None:
        self._samples: dict[str, list[tuple[Labels, float]]] = defaultdict(list)
        for (name, labels), value in samples.items():
            self._samples[name].append((labels, value))

    def by(self, spec: Spec, *labels: str) -> dict[tuple[str, ...], float]:
        """Sums by the values of these labels; of a histogram its buckets, with the label le."""
        known = ("service", *spec.labels, "le")
        places = [known.index(label) for label in labels]
        sums: dict[tuple[str, ...], float] = {}
        for pairs, value in self._samples[spec.name + _SUFFIX[spec.kind]]:
            key = tuple(pairs[place][1] for place in places)
            sums[key] = sums.get(key, 0.0) + value
        return sums

    def one(self, spec: Spec) -> float:
        """The sum of all; 0 if there are none."""
        return self.by(spec).get((), 0.0)

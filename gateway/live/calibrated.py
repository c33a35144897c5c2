"""Whether what is expected without labels is right: beside what labels told of the same answers."""

from collections.abc import Iterable
from typing import Final

from gateway.live.judged import Judged
from gateway.live.names import (
    CALIBRATION_DELIVERED,
    CALIBRATION_EXPECTED,
    CALIBRATION_JUDGED,
    SOURCES,
    Points,
    Source,
)

_KNOWN: Final = tuple(source for source in SOURCES if source != "expected")


class CalibrationCheck:
    """Sums by variant and source."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, Source], list[float]] = {}

    def know(self, variants: Iterable[str]) -> None:
        """These may answer from now on."""
        for variant in sorted(variants):
            for source in _KNOWN:
                self._sums.setdefault((variant, source), [0, 0.0, 0.0])

    def observe(self, source: Source, judged: Judged, quality: float) -> None:
        """The quality of an answer is known. What was not expected by its confidence is ignored."""
        sums = self._sums.get((judged.variant, source))
        if sums is None or not (judged.in_time and judged.by_confidence):
            return
        sums[0] += 1
        sums[1] += judged.expected
        sums[2] += quality

    def points(self) -> Points:
        """See names.Points."""
        for labels, (judged, expected, delivered) in self._sums.items():
            yield CALIBRATION_JUDGED, labels, judged
            yield CALIBRATION_EXPECTED, labels, expected
            yield CALIBRATION_DELIVERED, labels, delivered

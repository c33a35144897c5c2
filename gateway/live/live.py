"""Judges every request that ends: what was promised beside what was delivered."""

from collections import defaultdict
from collections.abc import Callable
from typing import Final, Protocol

from gateway.dataplane import Answer
from gateway.live.calibrated import CalibrationCheck
from gateway.live.drift import ConfidenceDrift, LatencyDrift
from gateway.live.held import Held
from gateway.live.judged import Judged
from gateway.live.judging import Judge, ReadAll, first_confidences
from gateway.live.names import SOURCES, UNREAD, Points, Source
from gateway.upstream.base import Reply
from tailq.tier import TierTable

# Requests that are judged at once. One by one they would cost three times as much: numpy's calls
# are dear, and each would find the processor's caches full of what serving takes.
AT_ONCE: Final = 128
# Or so many bytes of answers: nobody else is served while they are read, for a millisecond if they
# are JSON.
_BYTES: Final = 1 << 16


class Counters(Protocol):
    """What counts requests whether or not they are judged."""

    def answered(self, answer: Answer, /) -> None:
        """See dataplane.Recorder."""

    def refused(self) -> None:
        """See dataplane.Recorder."""

    def upstream_ended(self, variant: str, seconds: float, /) -> None:
        """See dataplane.Recorder."""


class Live:
    """A dataplane.Recorder. Works after answers have left, and holds nothing that grows.

    read: what answers say. counters: are told as well. remember: is called for each judged request
    of a client that has an id; None: nobody wants to know. Who looks for what it was told calls
    settle() before.
    """

    def __init__(self, table: TierTable, read: ReadAll, counters: Counters) -> None:
        self.remember: Callable[[bytes, Judged], None] | None = None
        self.refused = counters.refused
        self.upstream_ended = counters.upstream_ended
        self._count = counters.answered
        self._pending: list[Answer] = []
        self._bytes = 0  # of their bodies
        self._number = 0  # of the table
        self._held: dict[tuple[str, Source], Held] = {}
        self._unread: dict[str, int] = {}
        self._confidence = ConfidenceDrift()
        self._latency = LatencyDrift()
        self.compared = self._latency.compared
        self._calibration = CalibrationCheck()
        self._promise(table, read)

    def reload(self, table: TierTable, read: ReadAll) -> None:
        """Other promises from now on, so evidence starts anew. No counter falls, none goes."""
        self.settle()
        self._promise(table, read)

    def _promise(self, table: TierTable, read: ReadAll) -> None:
        self._number += 1
        self._judge = Judge(table.served, read, self._number)
        self._tiers = frozenset(tier.name for tier in table.tiers)
        # All that is said of all tiers is right at once with the table's confidence.
        alpha = (1.0 - table.confidence) / max(len(self._tiers) * len(SOURCES), 1)
        for tier in table.tiers:
            for source in SOURCES:
                held = self._held.setdefault((tier.name, source), Held(alpha))
                held.anew(alpha)
        for variant in sorted(table.variants):
            self._unread.setdefault(variant, 0)
        self._confidence.know(table.served)
        self._latency.know(table.served)
        self._calibration.know(table.variants)

    def answered(self, answer: Answer) -> None:
        """See dataplane.Recorder."""
        pending, result = self._pending, answer.result
        pending.append(answer)
        if isinstance(result, Reply):
            self._bytes += len(result.body)
        if len(pending) >= AT_ONCE or self._bytes >= _BYTES:
            self.settle()

    def settle(self) -> None:
        """Count and judge every request that has ended so far."""
        answers, self._pending, self._bytes = self._pending, [], 0
        for answer in answers:
            self._count(answer)
        readings = self._judge.readings(answers)
        by_tier: dict[str, list[Judged]] = defaultdict(list)
        for answer, judged in zip(answers, self._judge.judge(answers, readings), strict=True):
            if judged is None:
                continue
            by_tier[judged.tier].append(judged)
            if not judged.by_confidence:
                self._unread[judged.variant] = self._unread.get(judged.variant, 0) + 1
            if self.remember is not None and answer.request_id:
                self.remember(answer.request_id, judged)
        for tier, those in by_tier.items():
            self._held[tier, "expected"].observe(
                [judged.expected for judged in those], [judged.promised for judged in those]
            )
        for variant, confidences in first_confidences(answers, readings).items():
            self._confidence.observe(variant, confidences)

    def judge(self, answer: Answer) -> Judged | None:
        """What is known of a request that has ended; counts nothing. See Judge."""
        [judged] = self._judge.judge([answer], self._judge.readings([answer]))
        return judged

    def tell(self, source: Source, judged: Judged, quality: float, times: int = 1) -> None:
        """The quality of a request's answer is known, in [0, 1]; of no answer in time it is 0.

        times: of so many requests without an answer. What became of another table's promise is no
        evidence of this one's.
        """
        delivered = quality if judged.in_time else 0.0
        held = self._held[judged.tier, source]
        observe = held.observe if judged.table == self._number else held.count
        observe([delivered] * times, [judged.promised] * times)
        self._calibration.observe(source, judged, delivered)

    def points(self) -> Points:
        """See names.Points."""
        self.settle()
        for (tier, source), held in self._held.items():
            yield from held.counted(tier, source)
            if tier in self._tiers:
                yield from held.concluded(tier, source)
        for variant, count in self._unread.items():
            yield UNREAD, (variant,), count
        yield from self._confidence.points()
        yield from self._latency.points()
        yield from self._calibration.points()

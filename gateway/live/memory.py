"""The requests that were judged last, by id, until somebody tells what is right.

Their number is what matters: as Python objects they would take twice the memory, and the garbage
collector would walk all of them. So a request is some bytes here, and what many have in common is
kept once. Measured with 65,536 generated ids: 135 bytes each.
"""

from array import array
from collections import deque
from struct import Struct
from typing import Final, Literal

from gateway.live.judged import Judged

# Forgetting one by one would leave holes in the map, which grows and is packed anew for them. So
# the oldest sixteenth goes as a whole.
_GENERATIONS: Final = 16
# What was expected, what comes along, number of the kind; then the classes.
_RECORD: Final = Struct("<ffH")
_CLASS: Final = "I"
_CLASSES_BYTES: Final = 64  # of a request, on average, or fewer requests are remembered
_MOST_KINDS: Final = 1 << 16
_TOLD: Final = b""

# tier, variant, promised, in_time, by_confidence, table, whether there are classes
_Kind = tuple[str, str, float, bool, bool, int, bool]


class Memory:
    """Of `most` requests at most, and 15/16 of them at least once there were so many.

    Of fewer if large batches are among them: the classes of all take no more than 64 bytes for each
    of `most`. An id that comes again stands for the request that came last.
    """

    def __init__(self, most: int) -> None:
        generations = min(_GENERATIONS, most)
        self._each = most // generations
        self._generations: deque[dict[bytes, bytes]] = deque([{}], maxlen=generations)
        self._newest = self._generations[0]
        self._classes_bytes = 0  # of the newest
        self._numbers: dict[_Kind, int] = {}
        self._kinds: list[_Kind] = []

    def __len__(self) -> int:
        return sum(map(len, self._generations))

    def keep(self, request_id: bytes, judged: Judged, along: float) -> None:
        """Remember it, and a figure with it (both in single precision). On the hot path."""
        classes = judged.classes
        kind = (
            judged.tier,
            judged.variant,
            judged.promised,
            judged.in_time,
            judged.by_confidence,
            judged.table,
            classes is not None,
        )
        number = self._numbers.get(kind)
        if number is None:
            number = self._number(kind)
        record = _RECORD.pack(judged.expected, along, number)
        newest = self._newest
        if len(newest) >= self._each or self._classes_bytes >= _CLASSES_BYTES * self._each:
            newest = self._newest = {}
            self._generations.append(newest)  # the oldest one goes
            self._classes_bytes = 0
        if classes:
            told = array(_CLASS, classes).tobytes()
            self._classes_bytes += len(told)
            record += told
        newest[request_id] = record

    def find(self, request_id: bytes) -> tuple[Judged, float] | Literal["told"] | None:
        """As kept; "told": that is all that is known of it; None: it is not remembered."""
        generation = self._where(request_id)
        if generation is None:
            return None
        record = generation[request_id]
        return "told" if record == _TOLD else self._kept(record)

    def told(self, request_id: bytes) -> None:
        """Of the request, which is remembered, it was told what is right: remember only that."""
        generation = self._where(request_id)
        assert generation is not None
        generation[request_id] = _TOLD

    def _where(self, request_id: bytes) -> dict[bytes, bytes] | None:
        newest_first = reversed(self._generations)
        return next((each for each in newest_first if request_id in each), None)

    def _number(self, kind: _Kind) -> int:
        if len(self._kinds) == _MOST_KINDS:  # after thousands of other tables
            self._generations.clear()
            self._newest = {}
            self._classes_bytes = 0
            self._generations.append(self._newest)
            self._numbers.clear()
            self._kinds.clear()
        number = self._numbers[kind] = len(self._kinds)
        self._kinds.append(kind)
        return number

    def _kept(self, record: bytes) -> tuple[Judged, float]:
        expected, along, number = _RECORD.unpack_from(record)
        tier, variant, promised, in_time, by_confidence, table, classed = self._kinds[number]
        classes: tuple[int, ...] | None = None
        if classed:
            classes = tuple(array(_CLASS, record[_RECORD.size :]))
        judged = Judged(tier, variant, promised, expected, in_time, classes, by_confidence, table)
        return judged, along

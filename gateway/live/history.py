"""The last quarter of an hour of the counters, every few seconds: what was added to them lately."""

from array import array
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Final

from gateway.live.families import Key

STEP_S: Final = 5.0
STEPS: Final = 180
# Steps that each point of a line is the mean of: with a request a second, one would be but noise.
POINT: Final = 12

Counts = Mapping[Key, float]


class History:
    """Of counters, as they stood every STEP_S; of `steps` steps, and nothing older.

    A counter that falls was started anew from zero, as Prometheus' rate() has it. One that comes
    later than the first sample was at zero before; one that is left out stays as it is.
    """

    def __init__(self, steps: int = STEPS + POINT) -> None:
        self._columns: dict[Key, int] = {}
        self._last: dict[Key, float] = {}  # as told
        # As they would stand had none fallen, column by column; later rows may have more columns.
        self._rows: deque[array[float]] = deque(maxlen=steps + 1)

    def add(self, counts: Counts) -> None:
        """How they stand now. Memory: a number for each step and each counter that is not 0."""
        if not self._rows:
            self._rows.append(array("d"))
            self._last = dict(counts)
            return
        row = self._rows[-1][:]
        for key, value in self._grown(counts).items():
            column = self._columns.setdefault(key, len(self._columns))
            if column == len(row):
                row.append(0.0)
            row[column] += value
        self._rows.append(row)
        self._last.update(counts)

    def added(self, counts: Counts, steps: int) -> dict[Key, float]:
        """What was added in the last `steps` steps, and since, if they stand like this now.

        Fewer steps if it has not seen so many.
        """
        added = dict.fromkeys(counts, 0.0)
        if not self._rows:
            return added
        before, now = self._rows[-1 - min(steps, len(self._rows) - 1)], self._rows[-1]
        for key, column in self._columns.items():
            added[key] = now[column] - (before[column] if column < len(before) else 0.0)
        for key, value in self._grown(counts).items():
            added[key] += value
        return added

    def line(self, keys: Iterable[Key], steps: int, over: int = 1) -> list[tuple[float, ...]]:
        """What was added to these in the `over` steps up to each of the last `steps`, oldest first.

        Fewer, over fewer, if it has not seen so many.
        """
        columns = [self._columns.get(key) for key in keys]
        at = [
            [0.0 if column is None or column >= len(row) else row[column] for column in columns]
            for row in self._rows
        ]
        return [
            tuple(now - before for before, now in zip(at[max(0, end - over)], at[end], strict=True))
            for end in range(max(1, len(at) - steps), len(at))
        ]

    def _grown(self, counts: Counts) -> dict[Key, float]:
        """Since the last step, of those that have."""
        grown = {}
        for key, value in counts.items():
            before = self._last.get(key, 0.0)
            if value > before:
                grown[key] = value - before
            elif 0 < value < before:
                grown[key] = value
        return grown

"""A promise and its delivery in one line of characters, as wide as there is room."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text

_LEAST: Final = 0.04  # of a scale: less would make differences look large that are not
_NARROW: Final = 8
_BLOCKS: Final = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Scale:
    """Qualities from `low` to `high`, both in [0, 1]."""

    low: float
    high: float

    def at(self, value: float, width: int) -> int:
        """Column of a value, of `width` columns; the nearest one if it lies outside."""
        share = (value - self.low) / (self.high - self.low)
        return round(min(1.0, max(0.0, share)) * (width - 1))


def scale(values: Sequence[float | None]) -> Scale:
    """Zoomed on these values, of which at least one is known."""
    known = [value for value in values if value is not None]
    room = max(_LEAST, 1.15 * (max(known) - min(known)))
    middle = (max(known) + min(known)) / 2
    low = min(max(0.0, middle - room / 2), 1 - room) if room < 1 else 0.0
    return Scale(low, min(1.0, low + room))


@dataclass(frozen=True, slots=True)
class Lane:
    """░ below the promise, ┃ the promise, ━ interval, ▲ tail, ● mean."""

    scale: Scale
    promise: float
    mean: float | None
    tail: float | None = None
    interval: tuple[float, float] | None = None

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
        """See rich."""
        width = options.max_width
        promise = self.scale.at(self.promise, width)
        cells = [("░", "red dim")] * promise + [("·", "dim")] * (width - promise)
        if self.interval is not None:
            first, last = (self.scale.at(end, width) for end in self.interval)
            cells[first : last + 1] = [("━", "blue")] * (last - first + 1)
        marks = ((self.tail, "▲", "blue"), (self.promise, "┃", "bold"), (self.mean, "●", "blue"))
        for value, sign, style in marks:
            if value is not None:
                cells[self.scale.at(value, width)] = (sign, style)
        yield Text.assemble(*cells, no_wrap=True, end="")

    def __rich_measure__(self, _: Console, __: ConsoleOptions) -> Measurement:
        """See rich: the least; a column with a ratio gives it more."""
        return Measurement(_NARROW, _NARROW)


@dataclass(frozen=True, slots=True)
class History:
    """Qualities over time, oldest first, as bars; a gap where nothing is known."""

    scale: Scale
    values: Sequence[float | None]

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
        """See rich."""
        width = min(options.max_width, len(self.values))
        bars = []
        for column in range(width):
            first = column * len(self.values) // width
            last = (column + 1) * len(self.values) // width
            known = [value for value in self.values[first:last] if value is not None]
            mean = sum(known) / len(known) if known else None
            bars.append(" " if mean is None else _BLOCKS[self.scale.at(mean, len(_BLOCKS))])
        yield Text("".join(bars), style="blue", no_wrap=True, end="")

    def __rich_measure__(self, _: Console, __: ConsoleOptions) -> Measurement:
        """See rich: the least; a column with a ratio gives it more."""
        return Measurement(_NARROW, _NARROW)

"""Telling the user how far it is: a bar on a terminal, a line now and then elsewhere."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

# Seconds between lines where there is no terminal.
_EVERY_S = 10.0


class Reporter:
    """Reports phases of a run. Use as a context manager."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=1.0, note="", left="", visible=False)
        self._phase = ""
        self._began = self._said = time.monotonic()

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def say(self, text: str) -> None:
        """Print a line."""
        self._console.print(text, highlight=False, markup=False)

    def phase(self, name: str) -> None:
        """Begin a phase."""
        self._phase = name
        self._began = self._said = time.monotonic()
        self._bar.reset(self._task, total=1.0, description=name, visible=True, note="", left="")
        if not self._console.is_terminal:
            self.say(f"{name} …")

    def step(self, note: str, left_s: float | None) -> None:
        """Report how far the phase is. left_s: seconds to its end, None: nobody knows."""
        moment = time.monotonic()
        gone_s = moment - self._began
        left = "" if left_s is None else f"{_clock(left_s)} left"
        total = None if left_s is None else gone_s + left_s
        self._bar.update(self._task, completed=gone_s, total=total, note=note, left=left)
        if not self._console.is_terminal and moment - self._said >= _EVERY_S:
            self._said = moment
            spent = f"{_clock(gone_s)} gone"
            self.say(f"{self._phase}: {', '.join(part for part in (note, spent, left) if part)}")

    def left_at(self, done: int, todo: int) -> float | None:
        """Seconds left in this phase if `todo` more steps go like the `done` ones of it."""
        return (time.monotonic() - self._began) / done * todo if done else None


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"

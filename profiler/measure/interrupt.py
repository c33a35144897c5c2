"""Stopping on a signal: the first one asks politely, the second one is the interpreter's own."""

import signal
from types import FrameType, TracebackType
from typing import Self

from profiler.errors import Interrupted

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """While entered (in the main thread), SIGINT and SIGTERM only set `requested`.

    After the first, the handlers that were there before are back, so a second Ctrl-C ends at once.
    """

    def __init__(self) -> None:
        self.requested: signal.Signals | None = None
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._note) for number in _SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._restore()

    def check(self) -> None:
        """Raise Interrupted if a signal came."""
        if self.requested is not None:
            raise Interrupted(f"stopped by {self.requested.name}", self.requested)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.requested = signal.Signals(number)
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal() returned
        self._before = {}

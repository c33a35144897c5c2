"""The circuit breaker: decides whether something that may be failing is asked. Pure."""

from dataclasses import dataclass
from typing import Literal

from gateway.upstream.backoff import Backoff

State = Literal["closed", "open", "half_open"]


@dataclass(frozen=True, slots=True)
class Threshold:
    """When failures open a closed breaker: either of two rules.

    in_a_row: failures without a success between them. share, of: this share of the requests of a
    window has failed, and so many of them at least. window_s: seconds; it begins with a failure.

    lasting_s: seconds that a row lasts before it means that nothing succeeds. Requests that are
    themselves at fault come in a row too, if one client sends some at once; those of others, which
    succeed, lie between them sooner than that.
    """

    in_a_row: int = 5
    share: float = 0.5
    of: int = 10
    window_s: float = 5.0
    lasting_s: float = 1.0


class Breaker:
    """closed, after too many failures open, after a backoff half open: one request may try.

    What the trial brings closes it, or opens it for longer (M. Nygard, "Release It!", 2007).
    Time is passed in, seconds, never falling.

    entirely: nothing succeeds, and has not for a while; else some requests do, or may.
    calm: closed, and without a failure that matters still: then nobody needs to report successes.
    retry_at: when an open one becomes half open.
    """

    __slots__ = (
        "_backoff",
        "_failed",
        "_good",
        "_row",
        "_row_since",
        "_since",
        "_threshold",
        "_trial",
        "calm",
        "entirely",
        "retry_at",
        "state",
    )

    def __init__(self, backoff: Backoff, threshold: Threshold) -> None:
        self._backoff = backoff
        self._threshold = threshold
        self.state: State = "closed"
        self.calm = True
        self.entirely = False
        self.retry_at = 0.0
        self._trial = False  # one is under way
        self._row = self._good = self._failed = 0
        self._row_since = self._since = 0.0

    def reset(self) -> None:
        """Forget everything: what was failing is another one now."""
        self._backoff.reset()
        self._end_row()
        self._become("closed")

    @property
    def admits(self) -> bool:
        """Whether a request may go."""
        return self.state == "closed" or (self.state == "half_open" and not self._trial)

    def begin(self) -> bool:
        """A request goes. Whether it is the trial; to be said again when it has ended."""
        if self.state != "half_open" or self._trial:
            return False
        self._trial = True
        return True

    def succeeded(self, now: float, *, trial: bool = False) -> None:
        """A request was answered."""
        self._end_row()
        if self.state == "closed":
            if not self.calm:
                self._good += 1
                if now - self._since > self._threshold.window_s:
                    self._become("closed")
        elif trial:
            self.reset()
        # Others began before it opened, or were sent because nothing else was left: with some
        # failing and some not, they would close it at once.

    def failed(self, now: float, *, trial: bool = False) -> None:
        """A request has failed."""
        if not self._row:
            self._row_since = now
        self._row += 1
        lasting = now - self._row_since >= self._threshold.lasting_s
        self.entirely = lasting and self._row >= self._threshold.in_a_row
        if self.state == "closed":
            self._count(now)
        elif trial:
            self._open(now)

    def dropped(self, *, trial: bool) -> None:
        """A request ended and tells nothing, being cancelled: another may try instead."""
        if trial:
            self._trial = False

    def wake(self, now: float) -> None:
        """Time has passed: open becomes half open when its backoff is over."""
        if self.state == "open" and now >= self.retry_at:
            self._become("half_open")

    def _count(self, now: float) -> None:
        threshold = self._threshold
        if self.calm or now - self._since > threshold.window_s:
            self._become("closed")
            self._since, self.calm = now, False
        self._failed += 1
        total = self._good + self._failed
        if self._row >= threshold.in_a_row or (
            total >= threshold.of and self._failed >= threshold.share * total
        ):
            self._open(now)

    def _end_row(self) -> None:
        self._row = 0
        self.entirely = False

    def _open(self, now: float) -> None:
        self._become("open")
        self.retry_at = now + self._backoff.next_s()

    def _become(self, state: State) -> None:
        self.state = state
        self.calm = state == "closed"
        self._trial = False
        self._good = self._failed = 0

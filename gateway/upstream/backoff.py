"""How long to wait before trying again what has failed."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class Backoff:
    """Exponential backoff with full jitter: uniform on [0, min(cap_s, base_s * 2**failures)].

    From: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015. The jitter
    keeps gateways that lost the same Triton from coming back to it in step.

    base_s, cap_s: seconds. random: uniform on [0, 1).
    """

    base_s: float
    cap_s: float
    random: Callable[[], float]
    _failures: int = 0

    def next_s(self) -> float:
        """Seconds to wait after one more failure."""
        most_s = min(self.cap_s, self.base_s * 2.0**self._failures)
        if most_s < self.cap_s:
            self._failures += 1
        return most_s * self.random()

    def reset(self) -> None:
        """It has worked."""
        self._failures = 0

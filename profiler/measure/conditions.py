"""Under which conditions requests are timed. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from profiler.record.observations import Observations

# In an open loop; whatever is due beyond waits, and its latency counts from when it was due.
MOST_IN_FLIGHT = 32
# The other conditions together are sent so many requests for one of the closed loop's.
_BESIDE = 1 / 8


@dataclass(frozen=True, slots=True)
class Condition:
    """How a round is sent.

    load: requests in flight in a closed loop; 0: an open one. share: of the throughput that the
    closed loop reached, at which requests arrive in an open loop; 0: a closed one. alone: each
    variant by itself, the others idle.
    """

    load: int = 0
    share: float = 0.0
    alone: bool = False

    @property
    def name(self) -> str:
        """Part of file names, sorted as measured."""
        if self.share:
            return f"open-{self.share:g}"
        return f"{'alone' if self.alone else 'round'}-{self.load:04d}"

    def __str__(self) -> str:
        """For people."""
        if self.share:
            return f"in an open loop at {self.share:.0%} of the throughput"
        return f"at load {self.load}" + (", alone" if self.alone else "")


def busy(loads: Sequence[int]) -> tuple[Condition, ...]:
    """What is measured most: a closed loop with every variant in turn."""
    return tuple(Condition(load) for load in loads)


def beside(loads: Sequence[int], open_loop: Sequence[float]) -> tuple[Condition, ...]:
    """What is measured beside it: variants alone at the least and most load, and open loops."""
    alone = [Condition(load, alone=True) for load in sorted({1, max(loads)})]
    return (*alone, *(Condition(share=share) for share in open_loop))


def rounds_due(cycles: int, busy: int, beside: int) -> int:
    """How many rounds of each condition beside are due after `cycles` rounds of each busy one.

    busy, beside: how many conditions there are of each kind. Spread evenly, so that both see the
    machine in all its moods; one in any case. Depends on nothing but counts, so an interrupted
    measurement ends with as many as any other.
    """
    return max(1, int(cycles * busy * _BESIDE / beside)) if cycles else 0


def arrival_rate(share: float, first: Sequence[Observations]) -> float:
    """Requests a second in an open loop, to three digits.

    share: of the greatest throughput of the closed loop. first: its first round at each load, so
    that the rate stays the same throughout the measurement.
    """
    throughput = max(len(round_) / duration_s(round_) for round_ in first)
    return float(f"{share * throughput:.3g}")


def duration_s(round_: Observations) -> float:
    """Seconds from the first request of a round to its last answer."""
    ended = round_.sent_s + np.where(round_.ok, round_.latency_s, 0.0)
    return float(ended.max() - round_.sent_s.min())

"""Memory that worker processes share: what each has in flight, and where quotas are counted.

Doubles in one anonymous file, mapped by each process. Each worker writes its own slot only, a
cache line wide, so nothing is locked; a reader may see a count and its seconds one request apart.
"""

import mmap
import os
import tempfile
from typing import Final

from gateway.account import Account

_DOUBLES: Final = 8  # a cache line
CELLS: Final = 4096
_BYTES: Final = 8


class Board:
    """Of `workers` slots (requests and device-seconds in flight) and CELLS cells for quotas."""

    def __init__(self, descriptor: int, workers: int) -> None:
        self.descriptor = descriptor
        self._workers = workers
        self._memory = memoryview(mmap.mmap(descriptor, size(workers))).cast("d")

    @classmethod
    def create(cls, workers: int) -> "Board":
        """A new one, all zero; it lives as long as somebody has its descriptor."""
        try:
            descriptor = os.memfd_create("tailq-gateway")
        except (AttributeError, OSError):  # not Linux
            with tempfile.TemporaryFile() as file:
                descriptor = os.dup(file.fileno())
        os.ftruncate(descriptor, size(workers))
        return cls(descriptor, workers)

    def slot(self, worker: int) -> "memoryview[float]":
        """Requests and device-seconds that one worker has in flight, for it to write."""
        start = worker * _DOUBLES
        return self._memory[start : start + 2]

    def clear(self, worker: int) -> None:
        """That worker has ended, however it did."""
        slot = self.slot(worker)
        slot[0] = slot[1] = 0.0

    def others(self, worker: int) -> tuple[int, float]:
        """Requests and device-seconds that all workers but one have in flight."""
        memory = self._memory
        requests = seconds = 0.0
        for start in range(0, self._workers * _DOUBLES, _DOUBLES):
            if start != worker * _DOUBLES:
                requests += memory[start]
                seconds += memory[start + 1]
        return int(requests), seconds

    def cell(self, index: int) -> "memoryview[float]":
        """A cell for a quota, below CELLS."""
        start = self._workers * _DOUBLES + index
        return self._memory[start : start + 1]


def size(workers: int) -> int:
    """Bytes of a board."""
    return (workers * _DOUBLES + CELLS) * _BYTES


class SharedAccount(Account):
    """An account whose sums the other workers see."""

    def __init__(self, board: Board, worker: int) -> None:
        super().__init__({}, lambda: board.others(worker))
        self._slot = board.slot(worker)

    def add(self, variant: str) -> float:
        """See Account."""
        worth_s = super().add(variant)
        self._publish()
        return worth_s

    def remove(self, variant: str, worth_s: float) -> None:
        """See Account."""
        super().remove(variant, worth_s)
        self._publish()

    def _publish(self) -> None:
        slot = self._slot
        slot[0] = self.own
        slot[1] = self.own_s

"""How much happens in a second."""

import math
from typing import Final


class Rate:
    """An exponentially weighted rate: amount over time, both of the last MEMORY_S seconds or so.

    amount, seconds: what it starts from; the more seconds, the longer it clings to it.
    """

    MEMORY_S: Final = 2.0

    __slots__ = ("_amount", "_seconds")

    def __init__(self, amount: float, seconds: float) -> None:
        self._amount = amount
        self._seconds = seconds

    def add(self, amount: float, seconds: float) -> None:
        """`seconds` have passed, and at the end of them `amount` came."""
        kept = math.exp(-seconds / self.MEMORY_S)
        self._amount = self._amount * kept + amount
        # The integral of the weights: as dense as the amounts that fell into these seconds.
        self._seconds = self._seconds * kept + self.MEMORY_S * (1 - kept)

    def per_s(self, seconds: float = 0.0) -> float:
        """Amount a second, if nothing came within the last `seconds`."""
        kept = math.exp(-seconds / self.MEMORY_S)
        return self._amount * kept / (self._seconds * kept + self.MEMORY_S * (1 - kept))

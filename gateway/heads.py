"""Heads of HTTP messages that were parsed before, byte for byte.

A peer on a kept connection sends the same head again and again. What the same bytes mean is known
after the second time, and the parser with its call for each header can be left out: on the hot
path that is a third of the gateway's own work.
"""

from typing import Final, Generic, TypeVar

from gateway.remembered import Remembered

Known = TypeVar("Known")

_END: Final = b"\r\n\r\n"
_LONGEST: Final = 2048


class Heads(Generic[Known]):
    """Maps heads to what they mean."""

    def __init__(self) -> None:
        self._known = Remembered[bytes, tuple[Known, int]]()
        self._find = self._known.find

    def find(self, data: bytes) -> tuple[Known, bytes] | None:
        """Meaning and body, if `data` is exactly one message of which the head is known.

        To be asked only where a message may begin.
        """
        end = data.find(_END, 0, _LONGEST)
        found = self._find(data[:end])
        if found is None or len(data) - end - len(_END) != found[1]:
            return None
        return found[0], data[end + len(_END) :]

    def __len__(self) -> int:
        return len(self._known)

    def learn(self, data: bytes, known: Known, length: int) -> None:
        """`data` was parsed as exactly one message, of this meaning, its body `length` bytes."""
        end = data.find(_END, 0, _LONGEST)
        if end < 0 or len(data) - end - len(_END) != length:
            return
        self._known.learn(data[:end], (known, length))

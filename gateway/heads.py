"""Heads of HTTP messages that were parsed before, byte for byte.

A peer on a kept connection sends the same head again and again. What the same bytes mean is known
after the second time, and the parser with its call for each header can be left out: on the hot
path that is a third of the gateway's own work.
"""

from typing import Final, Generic, TypeVar

Known = TypeVar("Known")

_END: Final = b"\r\n\r\n"
_LONGEST: Final = 2048
_MOST: Final = 256
_MOST_SEEN: Final = 4096


class Heads(Generic[Known]):
    """Maps heads to what they mean. Bounded: full, it starts anew.

    A head is kept when it comes for the second time. Those that name one request (a trace, a date,
    an id in whatever header) never do, and so push none out that recur.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[Known, int]] = {}
        self._seen: set[int] = set()  # hashes of heads that came once

    def find(self, data: bytes) -> tuple[Known, bytes] | None:
        """Meaning and body, if `data` is exactly one message of which the head is known.

        To be asked only where a message may begin.
        """
        end = data.find(_END, 0, _LONGEST)
        found = self._known.get(data[:end])
        if found is None or len(data) - end - len(_END) != found[1]:
            return None
        return found[0], data[end + len(_END) :]

    def learn(self, data: bytes, known: Known, length: int) -> None:
        """`data` was parsed as exactly one message, of this meaning, its body `length` bytes."""
        end = data.find(_END, 0, _LONGEST)
        if end < 0 or len(data) - end - len(_END) != length:
            return
        head = data[:end]
        once = hash(head)
        if once not in self._seen:
            if len(self._seen) >= _MOST_SEEN:
                self._seen.clear()
            self._seen.add(once)
            return
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[head] = (known, length)

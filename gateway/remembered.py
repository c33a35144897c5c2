"""What was worked out before, for requests and answers that recur."""

from collections.abc import Hashable
from typing import Final, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

_MOST: Final = 256
_MOST_SEEN: Final = 4096


class Remembered(Generic[Key, Value]):
    """A map, bounded: full, it starts anew.

    A value is kept when its key comes for the second time. Keys that name one request (an id, a
    trace) never do, and so push none out that recur.
    """

    def __init__(self) -> None:
        self._known: dict[Key, Value] = {}
        self._seen: set[int] = set()  # hashes of keys that came once
        self.find = self._known.get  # on the hot path

    def __len__(self) -> int:
        return len(self._known)

    def learn(self, key: Key, value: Value) -> None:
        """`key`, which find() did not find, stands for `value`."""
        once = hash(key)
        if once not in self._seen:
            if len(self._seen) >= _MOST_SEEN:
                self._seen.clear()
            self._seen.add(once)
            return
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[key] = value

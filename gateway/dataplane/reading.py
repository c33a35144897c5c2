"""What an answer says of itself, as far as somebody here goes by it."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.upstream.base import Reply


@dataclass(slots=True)
class Reading:
    """What one answer says, for each sample of its batch.

    confidence: how sure its variant is, in [0, 1]; at least one. classes: the class of each; None:
    it does not answer with classes.
    """

    confidence: tuple[float, ...]
    classes: tuple[int, ...] | None = None


# (variant, its answer) -> what it says; None: it does not tell, or cannot be read.
Read = Callable[[str, Reply], Reading | None]


def unread(_variant: str, _reply: Reply) -> Reading | None:
    """Of answers that nobody can read."""
    return None

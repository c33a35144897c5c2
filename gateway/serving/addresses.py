"""Where a gateway listens."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Addresses:
    """HOST:PORT of each listener."""

    http: str
    grpc: str
    admin: str


# Is told once all of them listen.
Ready = Callable[[Addresses], object]

"""What a connection of a client may ask for, of time and of room."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a connection may take, and how much it may say.

    head_s: to send a request's head, or the rest of a request that has its response already.
    idle_s: between requests. write_s: to take in a response. head_bytes, headers: of one head.
    connections: at once, from all clients; one more is turned away.
    """

    head_s: float = 10.0
    idle_s: float = 75.0
    write_s: float = 30.0
    head_bytes: int = 32 << 10
    headers: int = 100
    connections: int = 1024

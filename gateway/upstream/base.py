"""What the dataplane expects of an upstream: Triton, a simulated one, a fake in a test."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol


# Those on the hot path are not frozen: that would make each of them three times as dear to create.
@dataclass(slots=True, eq=False)
class Payload:
    """An inference request as it came, in the Open Inference Protocol's REST form.

    body: the bytes in the pieces in which they arrived, never looked into.
    headers: rendered header lines that belong to the body (type, encoding, length of its JSON
        part, trace context), each ending in CRLF.
    """

    body: Sequence[bytes | memoryview]
    headers: bytes = b""


@dataclass(slots=True, eq=False)
class Reply:
    """A good answer.

    body: JSON, then (binary extension) raw tensors. json_length: length of the JSON part in
    bytes; None: all of it. encoding: of the body, None if plain.
    """

    body: bytes
    json_length: int | None = None
    encoding: bytes | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Upstream finds the request at fault (shape, datatype, missing input) and says why."""

    detail: str


@dataclass(frozen=True, slots=True)
class Failure:
    """There is no answer, and the request is not to blame.

    unreachable: no connection. lost: it broke. unavailable: upstream says it cannot serve now.
    broken: what came is no answer. cancelled: given up on our own wish.

    because: more of it, where it is known. untried: upstream has not begun on it, or as good as,
        so it may be asked once more. missing: so has it not, and it has no such variant. busy: it
        has too much to do.
    """

    kind: Literal["unreachable", "lost", "unavailable", "broken", "cancelled"]
    detail: str
    because: Literal["untried", "missing", "busy"] | None = field(default=None, compare=False)


Result = Reply | Refusal | Failure


class Listener(Protocol):
    """Who asked upstream."""

    def ended(self, result: Result) -> None:
        """Upstream's work on the call has ended: called once a call, never within infer()."""


class Call(Protocol):
    """One request upstream, from infer() until its listener was told that it ended."""

    def abandon(self) -> None:
        """Nobody waits for the answer any more: drop what is held for it, retry nothing.

        Work that has not fully reached upstream is given up; other work goes on.
        """

    def cancel(self) -> None:
        """Give up now, in the way that upstream understands. The listener is told as ever."""


class Upstream(Protocol):
    """Where variants are served.

    endpoints: how many serve at present, each on a device of its own; 1 even if all are down, so
    that load can be divided by it. absent: variants that none of them can serve at present. Both
    are read for each request, so they are kept up to date rather than worked out.
    """

    @property
    def endpoints(self) -> int:
        """See above."""
        ...

    @property
    def absent(self) -> frozenset[str]:
        """See above."""
        ...

    def infer(self, variant: str, payload: Payload, deadline: float, listener: Listener) -> Call:
        """Ask `variant`; returns at once, `listener` hears when it ended.

        deadline: on the dataplane's clock, seconds; nothing new (a retry) is begun after it.
        """
        ...

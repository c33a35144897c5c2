"""The metadata of an infer request: what it asks for, who asks, what goes on to Triton."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway import ask, forward
from gateway.clients import Client, Clients
from gateway.remembered import Remembered
from tailq.route import Ask

Pairs = Sequence[tuple[str, str | bytes]]

# What they say of the body is true of gRPC's, not of the one that Triton is sent.
_OF_THE_BODY: Final = frozenset((b"content-type", b"content-encoding"))
_BINARY: Final = b"-bin"

# An answer has to be on its way before the client gives up: a tenth of its time, as that may be
# mostly the way; and no more than this, which is ten times what the loop's timers (1 ms) and the
# way out of the gateway take.
_MARGIN_S: Final = 0.010
_MARGIN_SHARE: Final = 0.1
_STEP_S: Final = 0.001


@dataclass(frozen=True, slots=True)
class Head:
    """What an infer request says beside its message.

    client: who asks; None: nobody of whom an account is kept. passed: header lines for Triton, each
    ending in CRLF.
    """

    ask: Ask
    client: Client | None
    request_id: bytes | None
    passed: bytes


class Reader:
    """Reads metadata, which recur. clients: None: everybody may have everything."""

    def __init__(self, clients: Clients | None) -> None:
        self._clients = clients
        self._known = Remembered[tuple[tuple[str, str | bytes], ...], Head]()

    def read(self, metadata: Pairs) -> Head:
        """Check `metadata`. Raises BadRequest, Unauthorized."""
        key = tuple(metadata)
        head = self._known.find(key)
        if head is None:
            head = _read(key, self._clients)
            self._known.learn(key, head)
        return head


def _read(metadata: Pairs, clients: Clients | None) -> Head:
    headers = [
        (name.encode(), value if isinstance(value, bytes) else value.encode())
        for name, value in metadata
    ]
    get = ask.words(headers, ask.WORDS, "metadata").get
    client = None if clients is None else clients.identify(get(b"authorization"))
    passed = [
        header
        for header in forward.forwarded(headers)
        if header[0] not in _OF_THE_BODY and not header[0].endswith(_BINARY)
    ]
    return Head(
        ask.parse(
            get(b"tailq-tier"), get(b"tolerance"), get(b"objective"), get(b"tailq-deadline-ms")
        ),
        None if client is None or client.free else client,
        ask.request_id(get(b"tailq-request-id")),
        forward.lines(passed),
    )


def tightened(asked: Ask, elapsed_s: float, remaining_s: float) -> Ask:
    """`asked`, with the call's own deadline if that is the tighter one.

    elapsed_s: seconds since the request arrived. remaining_s: seconds until the client gives up.
    The result's deadline lies before that, and is rounded down to whole milliseconds where it has
    some: the time that a request took to come differs, and what is decided for it would never
    recur.
    """
    remaining_s = max(remaining_s, 0.0)
    deadline_s = elapsed_s + remaining_s - min(_MARGIN_SHARE * remaining_s, _MARGIN_S)
    if deadline_s > 10 * _STEP_S:
        deadline_s = int(deadline_s / _STEP_S) * _STEP_S
    if asked.deadline_s is not None and asked.deadline_s <= deadline_s:
        return asked
    return Ask(asked.tier, asked.tolerance, asked.objective, deadline_s)

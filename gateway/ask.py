"""From the words of a request (HTTP headers, gRPC metadata) to what it asks for."""

import math
import re
from collections.abc import Iterable
from typing import Final, get_args

from tailq.errors import BadRequest
from tailq.route import Ask
from tailq.tier import Objective

MAX_DEADLINE_MS: Final = 60_000
_NUMBER: Final = frozenset("0123456789.eE+-")
_LONGEST_NUMBER: Final = 24
_LONGEST_NAME: Final = 63  # as in tailq.tier.Name
_OBJECTIVES: Final = get_args(Objective)
_AUTHORIZATION: Final = b"authorization"
# What is read of every request, over either protocol.
WORDS: Final = frozenset(
    (
        b"tailq-tier",
        b"tolerance",
        b"objective",
        b"tailq-deadline-ms",
        b"tailq-request-id",
        _AUTHORIZATION,
    )
)
_LONGEST_VALUE: Final = 1024
_REQUEST_ID: Final = re.compile(rb"[\x21-\x7e]{1,128}")


def words(
    headers: Iterable[tuple[bytes, bytes]], read: frozenset[bytes], called: str
) -> dict[bytes, bytes]:
    """Those of `headers`, names in lower case, that are in `read`.

    called: what the protocol calls a header. Raises BadRequest for one that is sent twice with
    different values, or is over 1024 bytes long. Tokens may be longer, being often not for us.
    """
    seen: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in read:
            if len(value) > _LONGEST_VALUE and name != _AUTHORIZATION:
                raise BadRequest(f"{called} {name.decode()} is over {_LONGEST_VALUE} bytes long")
            if seen.setdefault(name, value) != value:
                raise BadRequest(f"{called} {name.decode()} is sent twice with different values")
    return seen


def request_id(value: bytes | None) -> bytes | None:
    """A `tailq-request-id` that can be echoed. Raises BadRequest."""
    if value is not None and not _REQUEST_ID.fullmatch(value):
        raise BadRequest("tailq-request-id must be 1 to 128 printable ASCII characters, no space")
    return value


def parse(
    tier: bytes | None, tolerance: bytes | None, objective: bytes | None, deadline_ms: bytes | None
) -> Ask:
    """What the values of `tailq-tier`, `tolerance`, `objective`, `tailq-deadline-ms` ask for.

    None: not sent. Raises BadRequest, naming the header and the remedy.
    """
    if tier is not None and (tolerance is not None or objective is not None):
        raise BadRequest("tailq-tier excludes tolerance and objective: send one or the other")
    if objective is not None and tolerance is None:
        raise BadRequest("objective goes with tolerance: send tolerance too")
    return Ask(
        tier=None if tier is None else _tier(tier),
        tolerance=None if tolerance is None else _tolerance(tolerance),
        objective=None if objective is None else _objective(objective),
        deadline_s=None if deadline_ms is None else _deadline(deadline_ms),
    )


def _tier(value: bytes) -> str:
    if not 0 < len(value) <= _LONGEST_NAME:
        raise BadRequest(f"tailq-tier must be a name of 1 to {_LONGEST_NAME} characters")
    return value.decode("latin-1")


def _tolerance(value: bytes) -> float:
    number = _number(value)
    if not 0 <= number <= 1:
        raise BadRequest(
            f"tolerance must be a number from 0 to 1, such as 0.01, not {shown(value)}"
        )
    return number


def _objective(value: bytes) -> str:
    text = value.decode("latin-1")
    if text not in _OBJECTIVES:
        raise BadRequest(f"objective must be {' or '.join(_OBJECTIVES)}, not {shown(value)}")
    return text


def _deadline(value: bytes) -> float:
    number = _number(value)
    if not 0 < number <= MAX_DEADLINE_MS:
        raise BadRequest(
            f"tailq-deadline-ms must be a number of milliseconds above 0 and at most "
            f"{MAX_DEADLINE_MS}, such as 40, not {shown(value)}"
        )
    return number / 1000


def _number(value: bytes) -> float:
    """The decimal number in `value`, NaN if it is none (or one that float() alone would take)."""
    text = value.decode("latin-1")
    if len(text) > _LONGEST_NUMBER or not _NUMBER.issuperset(text):
        return math.nan
    try:
        return float(text)
    except ValueError:
        return math.nan


def shown(value: bytes, most: int = 40) -> str:
    """A received value for a message: quoted, escaped and cut to `most` bytes."""
    text = ascii(value[:most].decode("latin-1"))
    return text if len(value) <= most else f"{text} (cut)"

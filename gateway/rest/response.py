"""A complete HTTP response, before it is known which server writes it."""

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

REASONS: Final = {status.value: status.phrase for status in HTTPStatus}
STATUS_LINES: Final = {
    code: f"HTTP/1.1 {code} {phrase}\r\n".encode() for code, phrase in REASONS.items()
}


@dataclass(slots=True)
class Response:
    """head: header lines, each ending in CRLF, without Date and Connection. body: in pieces."""

    status: int
    head: bytes
    body: tuple[bytes | memoryview, ...]


def fields(head: bytes) -> Iterable[tuple[bytes, bytes]]:
    """The header lines of a Response as names and values."""
    for line in head.split(b"\r\n"):
        if line:
            name, _, value = line.partition(b": ")
            yield name, value

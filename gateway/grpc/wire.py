"""Protobuf's wire form, as far as raw tensors need it: in and out of a message without a copy.

The raw tensors are the last field of ModelInferRequest and of ModelInferResponse, so whoever
writes fields in the order of their numbers, as every protobuf library does, sends a head and then
tensors. The head is small and recurs; the tensors are only pointed at.
https://protobuf.dev/programming-guides/encoding/
"""

from typing import Final

_LENGTH_DELIMITED: Final = 2
_RAW_INPUT: Final = 7 << 3 | _LENGTH_DELIMITED
_RAW_OUTPUT: Final = bytes((6 << 3 | _LENGTH_DELIMITED,))
_ONE_BYTE: Final = 1 << 7
_LONGEST: Final = 28  # bits; a message has less than 2 GiB


def split(data: bytes) -> tuple[bytes, list[memoryview]] | None:
    """A ModelInferRequest's head, and the contents of its raw_input_contents.

    None: it is not of the usual form (or broken), and has to be parsed whole. The head is not
    looked into.
    """
    end = len(data)
    at = 0
    try:
        while at < end and data[at] != _RAW_INPUT:
            # All fields are length-delimited, and their numbers below 16.
            if data[at] & 7 != _LENGTH_DELIMITED or data[at] >= _ONE_BYTE:
                return None
            size, at = _varint(data, at + 1)
            at += size
        head = data[:at]
        raw = []
        view = memoryview(data)
        while at < end:
            if data[at] != _RAW_INPUT:
                return None
            size, at = _varint(data, at + 1)
            raw.append(view[at : at + size])
            at += size
    except (IndexError, OverflowError):
        return None
    return (head, raw) if at == end else None


def join(head: bytes, tensors: list[bytes | memoryview]) -> bytes:
    """A ModelInferResponse of `head` and, as its raw_output_contents, `tensors`."""
    pieces: list[bytes | memoryview] = [head]
    for tensor in tensors:
        pieces += (_RAW_OUTPUT, _length(len(tensor)), tensor)
    return b"".join(pieces)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at `at`, and where it ends. Raises IndexError, OverflowError."""
    value = data[at]
    if value < _ONE_BYTE:
        return value, at + 1
    value &= _ONE_BYTE - 1
    shift = 7
    while True:
        at += 1
        byte = data[at]
        value |= (byte & (_ONE_BYTE - 1)) << shift
        if byte < _ONE_BYTE:
            return value, at + 1
        shift += 7
        if shift > _LONGEST:
            raise OverflowError


def _length(value: int) -> bytes:
    digits = bytearray()
    while value >= _ONE_BYTE:
        digits.append(value & (_ONE_BYTE - 1) | _ONE_BYTE)
        value >>= 7
    digits.append(value)
    return bytes(digits)

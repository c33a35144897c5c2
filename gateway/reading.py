"""How sure a model is of an answer, read from the answer: the one place that looks into tensors.

Of a batch the least sure sample counts: a plan that stops at an answer does so for all its samples.
"""

import json
import operator
import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, isfinite, prod
from struct import unpack_from
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gateway.dataplane import Reading
from gateway.remembered import Remembered
from gateway.upstream.base import Reply
from tailq.tier import Served

_SIZES: Final = {"FP16": 2, "BF16": 2, "FP32": 4, "FP64": 8}
_CODES: Final = {"FP16": "e", "FP32": "f", "FP64": "d"}
_DTYPES: Final = {"FP16": "<f2", "BF16": "<u2", "FP32": "<f4", "FP64": "<f8"}
# Up to so many numbers, plain Python is faster than calling numpy.
_FEW: Final = 100
_LONGEST: Final = 4096  # bytes of a head that is worth remembering
# What comes of JSON that is none, or not what the protocol says.
_MALFORMED: Final = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)
# Bytes of JSON, or of a compressed answer, that are read though no plan goes by them: others wait
# for their answers meanwhile, a millisecond for each 80 kB.
_LATER: Final = 256 << 10
# gzip or zlib, as the data say.
_ANY_WRAPPER: Final = zlib.MAX_WBITS | 32


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a tensor of [rows, columns] lies.

    start: bytes from the end of the JSON part. size: bytes. few: as struct has it, where it is so
    small that plain Python is faster than calling numpy.
    """

    start: int
    size: int
    datatype: str
    rows: int
    columns: int
    few: str | None


@dataclass(frozen=True, slots=True)
class _Told:
    """What one variant's answers tell. classes: whether the greatest number is the class's."""

    output: str
    softmax: bool
    classes: bool


class AnswerReader:
    """A gateway.dataplane.Read: confidences as `tailq.tier.ConfidenceIn` says, and classes.

    The greatest of no numbers is 0: a detector that finds nothing is sure of nothing. None: the
    variant has no confidence, the output is absent or of another type, or holds no samples, a
    softmax of fewer than two numbers, or a number that is not finite. max_bytes: of a compressed
    answer, when plain, and of JSON; None if it is larger.
    """

    def __init__(self, served: Mapping[str, Served], max_bytes: int = 64 << 20) -> None:
        self._told = {
            variant: _Told(each.confidence.output, each.confidence.kind == "softmax", each.classes)
            for variant, each in served.items()
            if each.confidence is not None
        }
        self._max_bytes = max_bytes
        self._layouts = Remembered[tuple[str, bytes], tuple[Layout | None]]()

    def __call__(self, variant: str, reply: Reply) -> Reading | None:
        """What this answer of `variant` says."""
        told = self._told.get(variant)
        return None if told is None else self._one(told, reply, self._max_bytes)

    def _one(self, told: _Told, reply: Reply, most: int) -> Reading | None:
        body: bytes | None = reply.body
        if reply.encoding is not None:
            body = _plain(reply.body, most)
        if body is None or (reply.json_length or len(body)) > most:
            return None
        if reply.json_length is None:
            return _of_json(body, told)
        head = body[: reply.json_length]
        layout = self._layout(told.output, head)
        if layout is None:
            # It may be in the JSON part beside binary outputs.
            return _of_json(head, told)
        return _of_binary(body, len(head) + layout.start, layout, told)

    def many(self, variant: str, replies: Sequence[Reply]) -> list[Reading | None]:
        """What each of these answers of `variant` says: all at once, which is cheaper by far.

        Nobody waits for it. None of answers in JSON, or compressed, of more than _LATER bytes.
        """
        told = self._told.get(variant)
        readings: list[Reading | None] = [None] * len(replies)
        if told is None:
            return readings
        alike: dict[str, list[tuple[int, bytes]]] = defaultdict(list)
        last, layout = b"", None
        for place, reply in enumerate(replies):
            if reply.encoding is None and 0 < (reply.json_length or 0) <= _LATER:
                head = reply.body[: reply.json_length]
                if head != last:  # most are like the one before
                    last, layout = head, self._layout(told.output, head)
                if layout is not None and layout.few is not None:
                    start = len(head) + layout.start
                    piece = reply.body[start : start + layout.size]
                    if len(piece) == layout.size:
                        alike[layout.few].append((place, piece))
                    continue
            readings[place] = self._one(told, reply, _LATER)
        for few, pieces in alike.items():
            said = _of_alike(few, [piece for _, piece in pieces], told)
            for (place, _), reading in zip(pieces, said, strict=True):
                readings[place] = reading
        return readings

    def _layout(self, output: str, head: bytes) -> Layout | None:
        """Where the output's data lie after this head; None if they are no binary tensor."""
        key = (output, head)
        found = self._layouts.find(key)
        if found is None:
            found = (_layout(head, output),)
            if len(head) <= _LONGEST:
                self._layouts.learn(key, found)
        return found[0]


def _plain(body: bytes, most: int) -> bytes | None:
    """`body` decompressed; None if it cannot be, or is over `most` bytes."""
    inflate = zlib.decompressobj(_ANY_WRAPPER)
    try:
        plain = inflate.decompress(body, most)
    except zlib.error:
        return None
    return plain if inflate.eof else None


def _output(head: bytes, name: str) -> tuple[dict[str, Any], int] | None:
    """The output called `name` in an answer's JSON, and where its binary data would start."""
    try:
        outputs = json.loads(head)["outputs"]
        start = 0
        for output in outputs:
            if output["name"] == name:
                return output, start
            start += _binary_size(output) or 0
    except _MALFORMED:
        pass
    return None


def _binary_size(output: dict[str, Any]) -> int | None:
    size = output.get("parameters", {}).get("binary_data_size")
    return size if isinstance(size, int) and size >= 0 else None


def _layout(head: bytes, name: str) -> Layout | None:
    """Where the binary data of output `name` lie; None if it has none that can be read."""
    found = _output(head, name)
    if found is None:
        return None
    output, start = found
    try:
        datatype = output["datatype"]
        rows, columns = _shape(output)
        size = rows * columns * _SIZES[datatype]
        if _binary_size(output) != size:
            return None
    except _MALFORMED:
        return None
    code = _CODES.get(datatype)
    few = f"<{columns}{code}" if code is not None and rows == 1 and columns <= _FEW else None
    return Layout(start, size, datatype, rows, columns, few)


def _shape(output: dict[str, Any]) -> tuple[int, int]:
    """Samples, and numbers of each. Raises ValueError if there are no samples."""
    rows, *rest = map(operator.index, output["shape"])
    columns = prod(rest)
    if rows < 1 or columns < 0:
        raise ValueError("no samples")
    return rows, columns


def _of_binary(body: bytes, start: int, layout: Layout, told: _Told) -> Reading | None:
    if start + layout.size > len(body):
        return None
    if layout.few is not None:
        return _of_few(unpack_from(layout.few, body, start), told)
    values = np.frombuffer(body, _DTYPES[layout.datatype], layout.rows * layout.columns, start)
    if layout.datatype == "BF16":  # the upper half of a float
        values = (values.astype(np.uint32) << 16).view(np.float32)
    return _of_many(values.reshape(layout.rows, layout.columns), told)


def _of_json(head: bytes, told: _Told) -> Reading | None:
    """From an output whose numbers are in the JSON itself, flat or nested."""
    found = _output(head, told.output)
    if found is None:
        return None
    output, _ = found
    try:
        if output["datatype"] not in _SIZES:
            return None
        values = np.asarray(output["data"], dtype=np.float64)
        return _of_many(values.reshape(_shape(output)), told)
    except _MALFORMED:
        return None


def _of_few(values: tuple[float, ...], told: _Told) -> Reading | None:
    """Of one sample, in plain Python."""
    if not all(map(isfinite, values)):
        return None
    top = max(values, default=0.0)
    if not told.softmax:
        confidence = min(max(0.0, top), 1.0)
    elif len(values) < 2:
        return None
    else:
        confidence = 1.0 / sum([exp(value - top) for value in values])
    return Reading((confidence,), (values.index(top),) if told.classes and values else None)


def _of_alike(few: str, pieces: Sequence[bytes], told: _Told) -> list[Reading | None]:
    """Of answers of one sample each, all of them so many numbers of one type."""
    columns = int(few[1:-1])
    values = np.frombuffer(b"".join(pieces), f"<{few[-1]}").reshape(len(pieces), columns)
    if told.softmax and columns < 2:
        return [None] * len(pieces)
    finite = np.isfinite(values).all(axis=1)
    if not finite.all():
        return [_of_few(tuple(row), told) for row in values.tolist()]
    sure = _confidence(values, told).tolist()
    if not (told.classes and columns):
        return [Reading((each,)) for each in sure]
    top = values.argmax(axis=1).tolist()
    return [Reading((each,), (place,)) for each, place in zip(sure, top, strict=True)]


def _of_many(values: NDArray[Any], told: _Told) -> Reading | None:
    """Of [samples, numbers]."""
    if not np.isfinite(values).all() or (told.softmax and values.shape[1] < 2):
        return None
    sure = tuple(_confidence(values, told).tolist())
    if not (told.classes and values.shape[1]):
        return Reading(sure)
    return Reading(sure, tuple(values.argmax(axis=1).tolist()))


def _confidence(values: NDArray[Any], told: _Told) -> NDArray[np.float64]:
    """Of each sample: [samples] of [samples, numbers], which are finite.

    The greatest of a softmax is 1 / sum(exp(value - top)).
    """
    values = values.astype(np.float64)
    top = values.max(axis=1, keepdims=True, initial=0.0 if not told.softmax else -np.inf)
    if not told.softmax:
        return np.asarray(np.clip(top[:, 0], 0.0, 1.0))
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(1.0 / np.exp(values - top).sum(axis=1))

"""How sure a model is of an answer, read from the answer: the one place that looks into tensors.

Of a batch the least sure sample counts: a plan that stops at an answer does so for all its samples.
"""

import json
import math
import operator
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gateway.remembered import Remembered
from gateway.upstream.base import Reply
from tailq.tier import ConfidenceIn, Served

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
# gzip or zlib, as the data say.
_ANY_WRAPPER: Final = zlib.MAX_WBITS | 32


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a tensor of [rows, columns] lies. start: bytes from the end of the JSON part."""

    start: int
    datatype: str
    rows: int
    columns: int


class ConfidenceReader:
    """(variant, its answer) -> its confidence in [0, 1], as `tailq.tier.ConfidenceIn` says.

    The greatest of no numbers is 0: a detector that finds nothing is sure of nothing. None: the
    variant has none, the output is absent or of another type, or holds no samples, a softmax of
    fewer than two numbers, or a number that is not finite. max_bytes: of a compressed answer, when
    plain; None if it is larger.
    """

    def __init__(self, served: Mapping[str, Served], max_bytes: int = 64 << 20) -> None:
        self._where = {
            variant: each.confidence
            for variant, each in served.items()
            if each.confidence is not None
        }
        self._max_bytes = max_bytes
        self._layouts = Remembered[tuple[str, bytes], tuple[Layout | None]]()

    def __call__(self, variant: str, reply: Reply) -> float | None:
        """How sure `variant` is of this answer of its."""
        where = self._where.get(variant)
        if where is None:
            return None
        body: bytes | None = reply.body
        if reply.encoding is not None:
            body = _plain(reply.body, self._max_bytes)
        if body is None:
            return None
        if reply.json_length is None:
            return _of_json(body, where)
        head = body[: reply.json_length]
        key = (where.output, head)
        found = self._layouts.find(key)
        if found is None:
            found = (_layout(head, where.output),)
            if len(head) <= _LONGEST:
                self._layouts.learn(key, found)
        (layout,) = found
        if layout is None:
            # It may be in the JSON part beside binary outputs.
            return _of_json(head, where)
        return _of_binary(body, len(head) + layout.start, layout, where)


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
        if _binary_size(output) != rows * columns * _SIZES[datatype]:
            return None
    except _MALFORMED:
        return None
    return Layout(start, datatype, rows, columns)


def _shape(output: dict[str, Any]) -> tuple[int, int]:
    """Samples, and numbers of each. Raises ValueError if there are no samples."""
    rows, *rest = map(operator.index, output["shape"])
    columns = math.prod(rest)
    if rows < 1 or columns < 0:
        raise ValueError("no samples")
    return rows, columns


def _of_binary(body: bytes, start: int, layout: Layout, where: ConfidenceIn) -> float | None:
    count = layout.rows * layout.columns
    if start + count * _SIZES[layout.datatype] > len(body):
        return None
    code = _CODES.get(layout.datatype)
    if code is not None and layout.rows == 1 and count <= _FEW:
        return _of_few(struct.unpack_from(f"<{count}{code}", body, start), where)
    values = np.frombuffer(body, _DTYPES[layout.datatype], count, start)
    if layout.datatype == "BF16":  # the upper half of a float
        values = (values.astype(np.uint32) << 16).view(np.float32)
    return _of_many(values.reshape(layout.rows, layout.columns), where)


def _of_json(head: bytes, where: ConfidenceIn) -> float | None:
    """From an output whose numbers are in the JSON itself, flat or nested."""
    found = _output(head, where.output)
    if found is None:
        return None
    output, _ = found
    try:
        if output["datatype"] not in _SIZES:
            return None
        values = np.asarray(output["data"], dtype=np.float64)
        return _of_many(values.reshape(_shape(output)), where)
    except _MALFORMED:
        return None


def _of_few(values: tuple[float, ...], where: ConfidenceIn) -> float | None:
    """Of one sample, in plain Python."""
    if not all(map(math.isfinite, values)):
        return None
    if where.kind == "maximum":
        return min(max((0.0, *values)), 1.0)
    if len(values) < 2:
        return None
    top = max(values)
    return 1.0 / sum([math.exp(value - top) for value in values])


def _of_many(values: NDArray[Any], where: ConfidenceIn) -> float | None:
    """Of [samples, numbers]. The greatest of a softmax is 1 / sum(exp(value - top))."""
    if not np.isfinite(values).all():
        return None
    if where.kind == "maximum":
        return min(float(values.max(axis=1, initial=0.0).min()), 1.0)
    if values.shape[1] < 2:
        return None
    top = values.max(axis=1, keepdims=True)
    with np.errstate(over="ignore", under="ignore"):
        below = values.astype(np.float64) - top
        return 1.0 / float(np.exp(below).sum(axis=1).max())

"""What models take and give: tensors by name, and their bytes in the Open Inference Protocol."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tailq import datatypes

# A tensor of several samples: one array each, without the batch dimension.
Column = Sequence[NDArray[Any]]

# Texts: elements of variable length, `bytes` in memory.
BYTES = "BYTES"
DTYPES: dict[str, np.dtype[Any]] = {**datatypes.DTYPES, BYTES: np.dtype(np.object_)}


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output of a model. shape: of one sample, without the batch; -1 is any size."""

    name: str
    datatype: str
    shape: tuple[int, ...]

    @property
    def floating(self) -> bool:
        """Whether it holds real numbers."""
        return self.datatype in DTYPES and DTYPES[self.datatype].kind == "f"

    @property
    def integral(self) -> bool:
        """Whether it holds whole numbers."""
        return self.datatype in DTYPES and DTYPES[self.datatype].kind in "iu"

    def takes(self, shape: tuple[int, ...]) -> bool:
        """Whether a sample of this shape fits."""
        return len(shape) == len(self.shape) and all(
            own in (-1, size) for own, size in zip(self.shape, shape, strict=True)
        )

    def holds(self, values: NDArray[Any]) -> bool:
        """Whether values can be given as its type: texts as texts, whole numbers as they are.

        Real numbers may lose digits, to a tensor of whole numbers nothing may be lost.
        """
        texts = values.dtype.kind == "O"
        if texts or self.datatype == BYTES:
            return texts and self.datatype == BYTES
        if self.floating:
            return True
        with np.errstate(invalid="ignore"):  # what does not fit comes out as another number
            return bool((values.astype(DTYPES[self.datatype]) == values).all())


@dataclass(frozen=True, slots=True)
class Model:
    """A model as the profiler sees it: what it takes and what is read of what it gives."""

    name: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


def encode(values: NDArray[Any], datatype: str) -> bytes:
    """A tensor's bytes: numbers little-endian, texts each preceded by its length in 4 bytes."""
    if datatype != BYTES:
        return np.ascontiguousarray(values, dtype=DTYPES[datatype]).tobytes()
    return b"".join(chain.from_iterable((struct.pack("<I", len(t)), t) for t in values.flat))


def decode(raw: bytes, datatype: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """The tensor whose bytes they are. Raises ValueError if they do not make up that shape."""
    if datatype != BYTES:
        return np.frombuffer(raw, dtype=DTYPES[datatype]).reshape(shape)
    texts, at = [], 0
    while at < len(raw):
        (length,) = struct.unpack_from("<I", raw, at)
        texts.append(raw[at + 4 : at + 4 + length])
        at += 4 + length
    values = np.empty(len(texts), dtype=np.object_)
    values[:] = texts
    return values.reshape(shape)

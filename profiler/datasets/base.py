"""What the profiler needs of labelled data, and data that lie in memory."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from profiler.errors import DatasetError
from profiler.tensors import Column, Tensor
from tailq.samples import Samples

Floats = NDArray[np.float32]
# Class indices from 0 (int64), or any JSON values (object): what is right for each sample.
Labels = NDArray[Any]
Indices = NDArray[np.int64]
Shape = tuple[int, ...]


class Dataset(Protocol):
    """Labelled samples.

    name: for people. labels: [N] class indices from 0, or JSON values for tasks of other kinds:
    a transcript, a list of relevant items, annotated boxes. sha256: of it all.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def labels(self) -> Labels: ...  # noqa: D102

    @property
    def sha256(self) -> str: ...  # noqa: D102

    def tensors(self, samples: Indices, inputs: Sequence[Tensor]) -> list[Column]:
        """Some samples as a model takes them: for each of its inputs, an array a sample.

        samples: indices. Raises DatasetError if they cannot be given as the model takes them.
        """
        ...


@dataclass(frozen=True)
class ArrayDataset:
    """Samples in memory. values: [N, …], given to models as they are."""

    name: str
    values: Floats
    labels: Labels
    sha256: str

    def tensors(self, samples: Indices, inputs: Sequence[Tensor]) -> list[Column]:
        """See Dataset."""
        tensor = only(self.name, inputs)
        values = self.inputs(samples, tensor.shape)
        if not tensor.holds(values):
            raise DatasetError(
                f"{self.name}: inputs are not the whole numbers that the model takes "
                f"({tensor.datatype})"
            )
        return [list(values)]

    def inputs(self, samples: Indices, shape: Shape) -> Floats:
        """Some samples in the shape that a model takes: [len(samples), *shape].

        shape: of one sample at the model; -1 is any size. Raises DatasetError if they do not fit.
        """
        own = self.values.shape[1:]
        if len(own) == len(shape) and all(
            wanted in (-1, size) for size, wanted in zip(own, shape, strict=True)
        ):
            return np.asarray(self.values[samples])
        # [28, 28] and [1, 28, 28] are the same picture.
        if -1 not in shape and [s for s in own if s != 1] == [s for s in shape if s != 1]:
            return np.asarray(self.values[samples].reshape(len(samples), *shape))
        raise DatasetError(
            f"{self.name}: samples have shape {list(own)}, the model takes {list(shape)}"
        )


def from_samples(name: str, samples: Samples) -> ArrayDataset:
    """Make a data set of labelled samples."""
    inputs, labels = samples.inputs, samples.labels
    parts = (str(inputs.shape).encode(), inputs.tobytes(), labels.tobytes())
    return ArrayDataset(name, inputs, labels, sha256_of(parts))


def only(name: str, inputs: Sequence[Tensor]) -> Tensor:
    """The one input of a model that takes numbers, as pictures and arrays need it.

    name: of the data set. Raises DatasetError.
    """
    if len(inputs) != 1 or not (inputs[0].floating or inputs[0].integral):
        names = ", ".join(f"{tensor.name} ({tensor.datatype})" for tensor in inputs) or "none"
        raise DatasetError(f"{name}: fits models with one input of numbers, not with: {names}")
    return inputs[0]


def objects(values: Sequence[Any]) -> Labels:
    """Labels that are no class indices: [N] of any JSON values."""
    labels = np.empty(len(values), dtype=np.object_)
    labels[:] = values
    return labels


def sha256_of(parts: Iterable[bytes]) -> str:
    """SHA-256 over parts, each preceded by its length, so that no two lists of parts agree."""
    hashed = hashlib.sha256()
    for part in parts:
        hashed.update(len(part).to_bytes(8, "big"))
        hashed.update(part)
    return hashed.hexdigest()

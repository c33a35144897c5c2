"""What the profiler needs of labelled data, and data that lie in memory."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from profiler.errors import DatasetError
from tailq.samples import Samples

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]
Indices = NDArray[np.int64]
Shape = tuple[int, ...]


class Dataset(Protocol):
    """Labelled samples. name: for people. labels: [N] class indices from 0. sha256: of it all."""

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def labels(self) -> Labels: ...  # noqa: D102

    @property
    def sha256(self) -> str: ...  # noqa: D102

    def inputs(self, samples: Indices, shape: Shape) -> Floats:
        """Some samples as a model takes them: [len(samples), *shape].

        samples: indices. shape: of one sample at the model; -1 is any size. Raises DatasetError
        if they cannot be given in that shape.
        """
        ...


@dataclass(frozen=True)
class ArrayDataset:
    """Samples in memory. values: [N, …], given to models as they are."""

    name: str
    values: Floats
    labels: Labels
    sha256: str

    def inputs(self, samples: Indices, shape: Shape) -> Floats:
        """See Dataset."""
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


def sha256_of(parts: Iterable[bytes]) -> str:
    """SHA-256 over parts, each preceded by its length, so that no two lists of parts agree."""
    hashed = hashlib.sha256()
    for part in parts:
        hashed.update(len(part).to_bytes(8, "big"))
        hashed.update(part)
    return hashed.hexdigest()

"""For recommenders: the inputs of a model by name, and the items that are relevant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profiler.datasets.base import Indices, Labels, objects, sha256_of
from profiler.datasets.manifest import Row
from profiler.errors import DatasetError
from profiler.tensors import Column, Tensor

RELEVANT = "relevant"
_NO_ITEM = -1


@dataclass(frozen=True)
class InteractionDataset:
    """columns: by the name of a model's input, an array a sample. labels: [N] lists of items."""

    name: str
    columns: Mapping[str, Column]
    labels: Labels
    sha256: str

    def tensors(self, samples: Indices, inputs: Sequence[Tensor]) -> list[Column]:
        """See Dataset. The model need not take all columns."""
        return [self._column(samples, tensor) for tensor in inputs]

    def _column(self, samples: Indices, tensor: Tensor) -> Column:
        if tensor.name not in self.columns:
            raise DatasetError(
                f"{self.name}: has no input {tensor.name!r}, only: {', '.join(self.columns)}"
            )
        values = [self.columns[tensor.name][int(index)] for index in samples]
        for value in values:
            if not tensor.takes(value.shape):
                raise DatasetError(
                    f"{self.name}: input {tensor.name!r} has shape {list(value.shape)}, the model "
                    f"takes {list(tensor.shape)}"
                )
            if not tensor.holds(value):
                kind = "texts" if value.dtype.kind == "O" else value.dtype
                raise DatasetError(
                    f"{self.name}: input {tensor.name!r} holds {kind}, the model takes "
                    f"{tensor.datatype}"
                )
        return values


def from_rows(path: Path, rows: Sequence[Row]) -> InteractionDataset:
    """Take samples from the rows of a manifest: `inputs` by name, and `relevant` items.

    Raises DatasetError naming the line.
    """
    columns: dict[str, list[NDArray[Any]]] = {}
    for row in rows:
        inputs = row.values["inputs"]
        if not isinstance(inputs, dict) or (columns and set(inputs) != set(columns)):
            raise DatasetError(f"{path}:{row.line}: inputs must have the same names in every line")
        for name, value in inputs.items():
            columns.setdefault(name, []).append(_array(f"{path}:{row.line}", name, value))
    relevant = [
        _items(f"{path}:{row.line}", row.values[RELEVANT])  # in the order of the file
        for row in rows
    ]
    return _dataset(str(path), columns, relevant)


def from_arrays(name: str, arrays: Mapping[str, NDArray[Any]]) -> InteractionDataset:
    """Take samples from arrays [N, …], one an input, and `relevant` [N, R], filled up with -1.

    name: of the data set. Raises DatasetError.
    """
    relevant = arrays[RELEVANT]
    columns = {key: values for key, values in arrays.items() if key != RELEVANT}
    sizes = {key: len(values) for key, values in arrays.items() if values.ndim}
    if relevant.ndim != 2 or relevant.dtype.kind != "i":
        raise DatasetError(f"{name}: {RELEVANT} must be whole numbers [N, R], filled up with -1")
    if len(sizes) < len(arrays) or len(set(sizes.values())) != 1 or not columns:
        raise DatasetError(f"{name}: needs an array [N, …] for each input of the model, of one N")
    bad = [key for key, values in columns.items() if values.dtype.kind not in "biuf"]
    if bad:
        raise DatasetError(f"{name}: array {bad[0]!r} does not hold numbers")
    items = [
        _items(f"{name}: row {number}", [item for item in row if item != _NO_ITEM])
        for number, row in enumerate(relevant.tolist())
    ]
    return _dataset(name, {key: list(values) for key, values in columns.items()}, items)


def _dataset(
    name: str, columns: Mapping[str, Column], relevant: list[list[Any]]
) -> InteractionDataset:
    parts: list[bytes] = []
    for key, column in sorted(columns.items()):
        for values in column:
            if values.dtype.kind == "f" and not np.isfinite(values).all():
                raise DatasetError(f"{name}: input {key!r} contains NaN or infinity")
            parts.append(f"{key} {values.dtype} {values.shape} {values.tolist()}".encode())
    parts += [repr(items).encode() for items in relevant]
    return InteractionDataset(name, columns, objects(relevant), sha256_of(parts))


def _array(place: str, name: str, value: Any) -> NDArray[Any]:
    try:
        values = np.asarray(value)
    except ValueError:
        values = np.asarray(None)
    if values.dtype.kind == "U":
        encoded = np.empty(values.shape, dtype=np.object_)
        encoded[...] = np.vectorize(str.encode, otypes=[np.object_])(values)
        return encoded
    if values.dtype.kind not in "biuf":
        raise DatasetError(f"{place}: input {name!r} is neither numbers nor texts")
    return values


def _items(place: str, value: Any) -> list[int]:
    whole = isinstance(value, list) and all(type(item) is int for item in value)
    if not whole or not value or len(set(value)) < len(value):
        raise DatasetError(
            f"{place}: {RELEVANT} must be a list of one or more different items, whole numbers"
        )
    return list(value)

"""From samples to requests: the bytes of the head and the body for every variant."""

from collections.abc import Sequence

import numpy as np

from profiler.datasets import Dataset, Indices
from profiler.measure.drive import Request
from profiler.measure.rounds import Round
from profiler.measure.wire import Shape, Variant, body, head
from profiler.tensors import Column, Tensor

# What a sample looks like at a model; variants that agree in it share the bytes of a sample.
_Look = tuple[tuple[Tensor, ...], bool]


class Feed:
    """Makes requests of the samples of a data set."""

    def __init__(self, dataset: Dataset, variants: Sequence[Variant]) -> None:
        self._dataset = dataset
        self._variants = variants
        self._heads: dict[tuple[str, tuple[Shape, ...]], bytes] = {}

    def batches(self, variant: Variant, start: int, stop: int) -> tuple[list[Request], list[int]]:
        """Samples from `start` up to `stop` in batches; also how many are in each.

        Samples of different shapes go one by one. Raises DatasetError if they do not fit the
        model.
        """
        columns = self._dataset.tensors(np.arange(start, stop), variant.inputs)
        alike = all(len({value.shape for value in column}) == 1 for column in columns)
        size = variant.batch if alike else 1
        parts = [
            [column[at : at + size] for column in columns] for at in range(0, stop - start, size)
        ]
        requests = [self._request(variant, part) for part in parts]
        return requests, [len(part[0]) for part in parts]

    def singles(self, round_: Round) -> list[Request]:
        """The requests of a round, one sample each, in its order."""
        samples = np.unique(round_.sample).astype(np.int64)
        seen: dict[_Look, dict[int, tuple[tuple[Shape, ...], bytes]]] = {}
        for variant in self._variants:
            if _look(variant) not in seen:
                seen[_look(variant)] = self._bodies(variant, samples)
        requests = []
        for index, sample in zip(round_.variant.tolist(), round_.sample.tolist(), strict=True):
            variant = self._variants[index]
            shapes, content = seen[_look(variant)][sample]
            requests.append(Request(self._head(variant, shapes), content))
        return requests

    def groups(self, variant: Variant, samples: Indices) -> list[Request]:
        """Requests of several samples each. samples: [n, b] indices, a row a request.

        Raises DatasetError if they do not fit the model.
        """
        return [
            self._request(variant, self._dataset.tensors(row, variant.inputs)) for row in samples
        ]

    def _bodies(
        self, variant: Variant, samples: Indices
    ) -> dict[int, tuple[tuple[Shape, ...], bytes]]:
        """For each sample its shapes at the model and the body of its request."""
        columns = self._dataset.tensors(samples, variant.inputs)
        front = (1,) if variant.leading else ()
        return {
            int(sample): (
                tuple((*front, *value.shape) for value in values),
                body(values, variant.inputs),
            )
            for sample, values in zip(samples, zip(*columns, strict=True), strict=True)
        }

    def _request(self, variant: Variant, columns: Sequence[Column]) -> Request:
        values = [
            np.stack(column) if variant.leading else np.asarray(column[0]) for column in columns
        ]
        shapes = tuple(value.shape for value in values)
        return Request(self._head(variant, shapes), body(values, variant.inputs))

    def _head(self, variant: Variant, shapes: tuple[Shape, ...]) -> bytes:
        key = variant.name, shapes
        if key not in self._heads:
            self._heads[key] = head(variant, shapes)
        return self._heads[key]


def _look(variant: Variant) -> _Look:
    return variant.inputs, variant.leading

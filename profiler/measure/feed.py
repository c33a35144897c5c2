"""From samples to requests: the bytes of the head and the body for every variant."""

from collections.abc import Sequence

import numpy as np

from profiler.datasets import Dataset, Indices
from profiler.measure.drive import Request
from profiler.measure.rounds import Round
from profiler.measure.wire import Variant, body, head

# What a sample looks like at a model; variants that agree in it share the bytes of a sample.
_Look = tuple[tuple[int, ...], str, bool]


class Feed:
    """Makes requests of the samples of a data set."""

    def __init__(self, dataset: Dataset, variants: Sequence[Variant]) -> None:
        self._dataset = dataset
        self._variants = variants
        self._heads: dict[tuple[str, tuple[int, ...]], bytes] = {}

    def batches(self, variant: Variant, start: int, stop: int) -> tuple[list[Request], list[int]]:
        """Samples from `start` up to `stop` in batches; also how many are in each.

        Raises DatasetError if they do not fit the model.
        """
        values = self._dataset.inputs(np.arange(start, stop), variant.input.shape)
        parts = [values[at : at + variant.batch] for at in range(0, len(values), variant.batch)]
        requests = [
            Request(
                self._head(variant, part.shape if variant.leading else part.shape[1:]),
                body(part, variant.input.datatype),
            )
            for part in parts
        ]
        return requests, [len(part) for part in parts]

    def singles(self, round_: Round) -> list[Request]:
        """The requests of a round, one sample each, in its order."""
        samples = np.unique(round_.sample).astype(np.int64)
        seen: dict[_Look, tuple[tuple[int, ...], dict[int, bytes]]] = {}
        for variant in self._variants:
            if _look(variant) not in seen:
                seen[_look(variant)] = self._bodies(variant, samples)
        requests = []
        for index, sample in zip(round_.variant.tolist(), round_.sample.tolist(), strict=True):
            variant = self._variants[index]
            shape, bodies = seen[_look(variant)]
            requests.append(Request(self._head(variant, shape), bodies[sample]))
        return requests

    def _bodies(
        self, variant: Variant, samples: Indices
    ) -> tuple[tuple[int, ...], dict[int, bytes]]:
        values = self._dataset.inputs(samples, variant.input.shape)
        bodies = {
            int(sample): body(value, variant.input.datatype)
            for sample, value in zip(samples, values, strict=True)
        }
        own = values.shape[1:]
        return ((1, *own) if variant.leading else own), bodies

    def _head(self, variant: Variant, shape: tuple[int, ...]) -> bytes:
        key = variant.name, shape
        if key not in self._heads:
            self._heads[key] = head(variant, shape)
        return self._heads[key]


def _look(variant: Variant) -> _Look:
    return variant.input.shape, variant.input.datatype, variant.leading

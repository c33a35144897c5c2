"""What a round asks, and in which order. Pure: the same seed and number give the same round."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Round:
    """A round over all cells.

    order: [C] the cells as they are measured, at random, so that a slow moment of the machine is
    not taken for a factor. samples: [n] indices; a cell asks the first ones, as many as it needs.
    """

    order: Ints
    samples: Ints

    def asked(self, requests: int, batch: int) -> Ints:
        """The samples of a cell: [requests, batch], a row a request."""
        return np.resize(self.samples, (requests, batch))


def draw(seed: int, number: int, *, cells: int, samples: int) -> Round:
    """Draw a round. samples: how many there are to draw from; each is drawn once."""
    random = np.random.default_rng([seed, number])
    return Round(random.permutation(cells), random.permutation(samples))

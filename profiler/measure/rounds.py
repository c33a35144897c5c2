"""What is asked in a round. Pure: the same seed, load and round always give the same requests."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Round:
    """The requests of a round in the order in which they are sent.

    variant, sample: [n] indices.
    """

    variant: NDArray[np.int32]
    sample: NDArray[np.int32]


def draw(
    seed: int, load: int, round_: int, *, variants: int, samples: int, per_variant: int
) -> Round:
    """Draw a round: `per_variant` different samples, the same ones for every variant, shuffled.

    The order is a random permutation of all (variant, sample) pairs, so a slow moment of the
    machine hits every variant alike. Asking all variants the same samples makes the observations
    of a round paired, so that variants compare without the noise between samples.
    Rounds are independent of each other; samples: how many there are to draw from.
    """
    random = np.random.default_rng([seed, load, round_])
    size = min(per_variant, samples)
    chosen = random.choice(samples, size=size, replace=False)
    pairs = random.permutation(variants * size)
    return Round((pairs // size).astype(np.int32), chosen[pairs % size].astype(np.int32))

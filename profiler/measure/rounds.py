"""What is asked in a round. Pure: the same seed, condition and round give the same requests."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from profiler.measure.conditions import Condition


@dataclass(frozen=True, slots=True)
class Round:
    """The requests of a round in the order in which they are sent.

    variant, sample: [n] indices. due_s: [n] seconds from the beginning at which each is sent in an
    open loop, ascending; None: in a closed one, when another is answered.
    """

    variant: NDArray[np.int32]
    sample: NDArray[np.int32]
    due_s: NDArray[np.float64] | None = None


def draw(
    seed: int,
    condition: Condition,
    round_: int,
    *,
    variants: int,
    samples: int,
    per_variant: int,
    rate: float = 0.0,
) -> Round:
    """Draw a round: `per_variant` different samples, the same ones for every variant, shuffled.

    The order is a random permutation of all (variant, sample) pairs, so a slow moment of the
    machine hits every variant alike; where variants are alone, a random order of variants, and of
    samples for each. Asking all variants the same samples makes the observations of a round
    paired, so that variants compare without the noise between samples.
    Rounds are independent of each other; samples: how many there are to draw from. rate: requests
    a second in an open loop; they arrive as a Poisson process.
    """
    random = np.random.default_rng([seed, *_key(condition), round_])
    size = min(per_variant, samples)
    chosen = random.choice(samples, size=size, replace=False)
    if condition.alone:
        shuffled = random.permuted(np.tile(np.arange(size), (variants, 1)), axis=1)
        order = random.permutation(variants)
        pairs = (order[:, None] * size + shuffled).ravel()
    else:
        pairs = random.permutation(variants * size)
    due_s = np.cumsum(random.exponential(1 / rate, pairs.size)) if condition.share else None
    return Round((pairs // size).astype(np.int32), chosen[pairs % size].astype(np.int32), due_s)


def by_variant(round_: Round) -> list[Round]:
    """The parts of a round in which one variant is asked, in their order."""
    starts = np.flatnonzero(np.diff(round_.variant)) + 1
    parts = zip(np.split(round_.variant, starts), np.split(round_.sample, starts), strict=True)
    return [Round(variant, sample) for variant, sample in parts]


def _key(condition: Condition) -> tuple[int, ...]:
    """Integers that tell conditions apart."""
    return condition.load, condition.alone, round(condition.share * 1_000_000)

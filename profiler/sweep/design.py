"""Which combinations of levels are measured. Pure.

All of them where they are few enough; else a regular fraction: cells in which a weighted sum of
some factors' levels is 0 modulo a prime (Box, Hunter & Hunter, "Statistics for Experimenters",
2005, ch. 6). Such a fraction stays balanced, and its effects stay orthogonal.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tailq.errors import TailqError

Ints = NDArray[np.int64]

# Main effects and interactions of two factors are orthogonal to each other from here on.
CLEAR = 4
_PRIMES = (2, 3, 5, 7)


@dataclass(frozen=True, slots=True)
class Design:
    """The cells of a sweep.

    cells: [C, k] index of each factor's level. full: whether these are all combinations.
    strength: any so many factors meet in all combinations of their levels equally often.
    """

    cells: Ints
    full: bool
    strength: int


def plan(sizes: Sequence[int], most: int) -> Design:
    """Cross factors with so many levels each, in at most `most` cells.

    sizes: at least one. Raises TailqError if no balanced fraction is as small: fractions must keep
    the main effects apart from each other (strength 2).
    """
    cells = np.array(list(itertools.product(*(range(size) for size in sizes))), dtype=np.int64)
    full = len(cells)
    while len(cells) > most:
        part = _best_part(cells, sizes)
        if part is None:
            raise TailqError(
                f"all combinations of the factors' levels are {full} cells, more than {most}, and "
                f"no balanced fraction of them has fewer than {len(cells)}; give fewer levels "
                "(fractions need factors whose numbers of levels have a common divisor), or more "
                "--max-cells"
            )
        cells = part
    whole = len(cells) == full
    return Design(cells, whole, len(sizes) if whole else strength(cells, sizes))


def strength(cells: Ints, sizes: Sequence[int]) -> int:
    """How many factors meet in all combinations of their levels equally often, `CLEAR` at most."""
    for t in range(1, min(CLEAR, len(sizes)) + 1):
        if not all(_crossed(cells, sizes, some) for some in _subsets(len(sizes), t)):
            return t - 1
    return min(CLEAR, len(sizes))


def _best_part(cells: Ints, sizes: Sequence[int]) -> Ints | None:
    """The fraction of the greatest strength, at least 2, that one more condition leaves."""
    best, reached = None, 1
    for prime, word in _words(sizes):
        part = cells[(cells % prime) @ np.array(word) % prime == 0]
        if len(part) * prime == len(cells) and (found := strength(part, sizes)) > reached:
            best, reached = part, found
            if reached == min(CLEAR, len(sizes)):
                break
    return best


def _words(sizes: Sequence[int]) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Conditions: a prime and a weight a factor, those over the most factors first.

    A factor may take part if the prime divides its number of levels: otherwise the cells that
    fulfil the condition would not have its levels equally often.
    """
    for prime in _PRIMES:
        members = [at for at, size in enumerate(sizes) if size % prime == 0]
        for t in range(len(members), 2, -1):
            for some in itertools.combinations(members, t):
                # Multiples of a condition are the same condition: the first weight is 1.
                for weights in itertools.product(range(1, prime), repeat=t - 1):
                    word = [0] * len(sizes)
                    for at, weight in zip(some, (1, *weights), strict=True):
                        word[at] = weight
                    yield prime, tuple(word)


def _subsets(k: int, t: int) -> Iterator[list[int]]:
    return (list(some) for some in itertools.combinations(range(k), t))


def _crossed(cells: Ints, sizes: Sequence[int], some: Sequence[int]) -> bool:
    shape = tuple(sizes[at] for at in some)
    met = np.bincount(
        np.ravel_multi_index(tuple(cells[:, some].T), shape), minlength=np.prod(shape)
    )
    return bool((met == met[0]).all())

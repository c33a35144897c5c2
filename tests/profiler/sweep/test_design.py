"""Designs: all combinations where they are few, else a balanced fraction of them."""

import itertools
from collections import Counter

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from profiler.sweep.design import plan, strength
from tailq.errors import TailqError

sizes = st.lists(st.integers(1, 4), min_size=1, max_size=5)


@given(sizes)
def test_few_combinations_are_all_measured(levels: list[int]) -> None:
    """Every combination of levels once."""
    design = plan(levels, 4**5)
    expected = set(itertools.product(*(range(size) for size in levels)))
    assert design.full
    assert len(design.cells) == len(expected)
    assert {tuple(cell) for cell in design.cells.tolist()} == expected


@given(sizes, st.integers(2, 100))
def test_a_fraction_is_small_enough_and_balanced(levels: list[int], most: int) -> None:
    """No cell twice, and pairs of factors meet in all combinations equally often."""
    try:
        design = plan(levels, most)
    except TailqError:
        assume(False)
    assert len(design.cells) <= most
    assert len({tuple(cell) for cell in design.cells.tolist()}) == len(design.cells)
    if not design.full:
        for one, other in itertools.combinations(range(len(levels)), 2):
            met = Counter(map(tuple, design.cells[:, [one, other]].tolist()))
            assert len(met) == levels[one] * levels[other]
            assert len(set(met.values())) == 1


@pytest.mark.parametrize(
    ("levels", "most", "cells", "reached"),
    [
        ([2] * 5, 16, 16, 4),  # the half fraction of resolution V
        ([2] * 4, 8, 8, 3),  # of resolution IV
        ([2] * 3, 4, 4, 2),  # of resolution III
        ([3] * 4, 27, 27, 3),
        ([3, 2, 2, 2], 12, 12, 2),  # the factor of three levels is crossed with the fraction
    ],
)
def test_fractions_are_those_of_the_textbook(
    levels: list[int], most: int, cells: int, reached: int
) -> None:
    """Their strength is one less than their resolution (Box, Hunter & Hunter, table 6.22)."""
    design = plan(levels, most)
    assert (len(design.cells), design.strength, design.full) == (cells, reached, False)


def test_strength_of_a_latin_square() -> None:
    """Nine cells of three factors of three levels: any two meet, three do not."""
    square = plan([3, 3, 3], 9)
    assert strength(square.cells, [3, 3, 3]) == 2


def test_where_no_fraction_is_balanced_it_says_so() -> None:
    """Levels without a common divisor cannot be divided evenly; the remedy is named."""
    with pytest.raises(TailqError, match=r"30 cells, more than 10.*--max-cells"):
        plan([5, 3, 2], 10)

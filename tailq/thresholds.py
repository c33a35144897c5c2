"""Which threshold a value meets first, for very many values and a few hundred thresholds.

A binary search takes log2(thresholds) steps a value, each a branch that no processor predicts.
Here a value finds its cell in an even grid over the thresholds by one multiplication, and a table
says how many thresholds lie below that cell. Only values in a cell with a threshold in it are
searched for. The result is that of numpy.searchsorted, exactly: the map to cells never decreases,
however it rounds, so values in different cells are ordered as their cells are.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.integer[Any]]
# From values [n], without NaN, to the index of the first threshold >= each: [n]; D for none.
FirstMet = Callable[[Floats], Integers]

_CELLS = 2**16
_SHARED = -1


def first_met_of(ascending: Floats, expected: int) -> FirstMet:
    """A function like numpy.searchsorted(ascending, ·, side="left"), made for `expected` values.

    ascending: [D] sorted, no NaN; infinities and repetitions are allowed.
    """
    if expected < 2 * _CELLS:  # the table would cost more than it saves

        def search(values: Floats) -> Integers:
            return np.searchsorted(ascending, values, side="left")

        return search
    return _Grid(ascending).first_met


class _Grid:
    def __init__(self, ascending: Floats) -> None:
        self._ascending = ascending
        self._scale, self._offset = _line(ascending[np.isfinite(ascending)])
        inside = np.bincount(self._cell(ascending), minlength=_CELLS + 2)
        self._below = np.where(inside > 0, _SHARED, np.cumsum(inside)).astype(np.int32)

    def first_met(self, values: Floats) -> Integers:
        first = self._below.take(self._cell(values))
        shared = np.flatnonzero(first == _SHARED)
        first[shared] = np.searchsorted(self._ascending, values[shared], side="left")
        return first

    def _cell(self, values: Floats) -> NDArray[np.intp]:
        with np.errstate(over="ignore"):  # what is beyond the greatest float is beyond the grid
            cell = values * self._scale
            cell += self._offset
        np.minimum(cell, _CELLS + 1, out=cell)  # together twice as fast as np.clip
        np.maximum(cell, 0, out=cell)
        return cell.astype(np.intp)


def _line(finite: Floats) -> tuple[float, float]:
    """Slope and intercept that take the least threshold to cell 1, the greatest to the last."""
    if finite.size and finite[-1] > finite[0]:
        with np.errstate(over="ignore", invalid="ignore"):  # 0 * inf: no line, below
            slope = _CELLS / (finite[-1] - finite[0])
            intercept = 1 - finite[0] * slope
        if 0 < slope < np.inf and abs(intercept) < np.inf:
            return float(slope), float(intercept)
    return 1.0, 0.0  # any increasing line gives the right result

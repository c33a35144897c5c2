"""Looking values up among thresholds: exactly numpy.searchsorted, whatever the floats."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tailq.thresholds import Floats, first_met_of

MANY = 2**17
anything = st.floats(allow_nan=False, width=64)
latencies = st.floats(0, 10)


@given(
    arrays.arrays(np.float64, st.integers(0, 40), elements=st.one_of(anything, latencies)),
    arrays.arrays(np.float64, st.integers(0, 200), elements=st.one_of(anything, latencies)),
)
def test_many_values_are_found_as_few_are(thresholds: Floats, values: Floats) -> None:
    """The table gives what the binary search gives, at the thresholds themselves too."""
    ascending = np.sort(thresholds)
    with np.errstate(over="ignore"):
        asked = np.concatenate([values, ascending, np.nextafter(ascending, -np.inf)])
    found = first_met_of(ascending, MANY)(asked)
    np.testing.assert_array_equal(found, np.searchsorted(ascending, asked, side="left"))


@pytest.mark.parametrize(
    "thresholds",
    [
        np.linspace(0.001, 1, 100),
        np.geomspace(1e-6, 1e6, 100),  # nearly all in one cell
        np.array([0.5, 0.5, 0.5]),
        np.array([-np.inf, 0.1, np.inf]),
        np.array([1.0, np.nextafter(1.0, 2.0)]),
        np.array([0.0, 2.2e-309]),  # so close that no slope tells them apart
    ],
)
def test_dense_and_distant_thresholds(thresholds: Floats) -> None:
    """How the thresholds lie decides how fast it is, never what comes out."""
    values = np.random.default_rng(0).lognormal(-1, 1, 10_000)
    values[:50] = np.inf
    found = first_met_of(thresholds, MANY)(values)
    np.testing.assert_array_equal(found, np.searchsorted(thresholds, values, side="left"))

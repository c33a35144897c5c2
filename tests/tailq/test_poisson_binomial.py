"""The law of the number of right answers against convolution, SciPy and the profiler's own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from profiler.predict import independent
from tailq.poisson_binomial import law

PROBABILITIES = st.lists(st.floats(0, 1), max_size=120)


@given(PROBABILITIES)
def test_the_law_is_the_convolution_of_the_requests(probabilities: list[float]) -> None:
    """Adding the requests one by one gives the same law."""
    one_by_one = np.ones(1)
    for p in probabilities:
        one_by_one = np.convolve(one_by_one, [1 - p, p])
    np.testing.assert_allclose(law(probabilities), one_by_one, atol=1e-13)


@given(PROBABILITIES)
def test_the_law_has_the_moments_of_a_sum(probabilities: list[float]) -> None:
    """It adds up to 1, nothing is negative, and mean and variance are those of the sum."""
    mass, p = law(probabilities), np.array(probabilities)
    right = np.arange(p.size + 1)
    assert mass.shape == (p.size + 1,)
    assert mass.min() >= 0
    assert mass.sum() == pytest.approx(1, abs=1e-12)
    mean = float(right @ mass)
    assert mean == pytest.approx(p.sum(), abs=1e-9)
    assert (right - mean) ** 2 @ mass == pytest.approx(p @ (1 - p), abs=1e-8)


@pytest.mark.parametrize("p", [0.0, 0.001, 0.5, 0.93, 1.0])
@pytest.mark.parametrize("n", [0, 1, 100, 1000])
def test_equal_chances_give_the_binomial_law(n: int, p: float) -> None:
    """SciPy's binomial law is the special case."""
    expected = stats.binom.pmf(np.arange(n + 1), n, p)
    np.testing.assert_allclose(law(np.full(n, p)), expected, atol=1e-13)


def test_the_law_is_that_of_the_profiler_where_every_score_is_one() -> None:
    """The prediction of rounds, which weighs requests, has the same law for equal weights."""
    p = np.random.default_rng(1).beta(9, 1, 100)
    _, theirs = independent.law(np.ones(100), p)
    np.testing.assert_allclose(law(p), theirs, atol=1e-13)


@pytest.mark.parametrize("wrong", [[1.1], [-0.1], [float("nan")], [[0.5]]])
def test_what_is_no_list_of_probabilities_is_refused(wrong: list[float]) -> None:
    """Figures outside [0, 1], NaN and tables raise."""
    with pytest.raises(ValueError, match="probabilities"):
        law(wrong)

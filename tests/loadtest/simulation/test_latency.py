"""Draws follow the model they are drawn from, and a tail where it has none."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.simulation.latency import Latency
from tests.loadtest.simulation.worlds import under_load

MODEL = under_load(0.01)


@given(st.floats(0.5, 0.999, exclude_max=True), st.floats(0, 0.3))
def test_between_known_levels_they_are_the_model_s(level: float, outstanding_s: float) -> None:
    """Also beyond the last knot of work."""
    assert Latency(MODEL).at(level, outstanding_s) == pytest.approx(
        MODEL.quantile(level, outstanding_s)
    )


@given(st.floats(0, 0.999999), st.floats(0, 0.999999), st.floats(0, 0.3))
def test_a_rarer_one_is_no_faster(one: float, other: float, outstanding_s: float) -> None:
    """The distribution has no dip, below and beyond the known levels neither."""
    latency = Latency(MODEL)
    low, high = sorted((one, other))
    assert latency.at(low, outstanding_s) <= latency.at(high, outstanding_s) * (1 + 1e-12)


def test_the_tail_goes_on_as_it_came() -> None:
    """From 99 to 99.9 % it is 1.5 times as slow, and so it is from there to 99.99 %."""
    latency = Latency(MODEL)
    assert latency.at(0.9999, 0.0) == pytest.approx(1.5 * MODEL.quantile(0.999, 0.0), rel=1e-6)


def test_as_many_draws_are_slower_as_the_model_says() -> None:
    """One in ten above the 90 % quantile, one in a hundred above the 99 % one."""
    latency, rng = Latency(MODEL), random.Random(3)
    drawn = [latency.at(rng.random(), 0.05) for _ in range(20_000)]
    for level in (0.9, 0.99):
        slower = sum(seconds > MODEL.quantile(level, 0.05) for seconds in drawn) / len(drawn)
        assert slower == pytest.approx(1 - level, rel=0.2)

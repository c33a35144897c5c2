"""AIMD with slow start: bounds, one decrease a round trip, and the way back after an outage."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.admission import Limit

ends = st.tuples(st.booleans(), st.floats(0, 1), st.integers(1, 80))


@given(st.integers(1, 64), st.lists(ends), st.integers(1, 64))
def test_it_stays_between_one_and_the_ceiling(
    ceiling: int, calls: list[tuple[bool, float, int]], later: int
) -> None:
    """However calls end, and also after another ceiling is set."""
    limit = Limit(ceiling)
    for now, (good, seconds, in_flight) in enumerate(calls):
        if good:
            limit.good(in_flight)
        else:
            limit.bad(now - seconds, now)
        assert 1 <= limit.value <= ceiling
    limit.scale(later)
    assert 1 <= limit.value <= later


def test_calls_that_fail_together_decrease_it_once() -> None:
    """What was under way at the decrease says nothing new; what began after it does."""
    limit = Limit(10)
    for _ in range(8):
        limit.bad(began=0.0, now=1.0)
    assert limit.value == 9
    limit.bad(began=1.5, now=2.0)
    assert limit.value == 8


def test_it_grows_only_where_it_bound() -> None:
    """Good calls raise it when at least half of it was in use, and not otherwise."""
    limit = Limit(16)
    for now in range(4):
        limit.bad(now, now)
    low = limit.value
    for _ in range(100):
        limit.good(in_flight=low // 2 - 1)
    assert limit.value == low
    for _ in range(100):
        limit.good(in_flight=low)
    assert limit.value == 16


def round_trips(limit: Limit, target: int) -> int:
    """Round trips of good calls, as many at once as allowed, until the limit is `target`."""
    count = 0
    while limit.value < target:
        count += 1
        for _ in range(at_once := limit.value):
            limit.good(at_once)
    return count


@pytest.mark.parametrize("ceiling", [1, 4, 16, 64, 256])
def test_after_an_outage_it_is_back_within_a_few_round_trips(ceiling: int) -> None:
    """From 1 to the ceiling in log2(ceiling) + ceiling / 10 round trips (and one to round)."""
    limit = Limit(ceiling)
    for now in range(200):
        limit.bad(now, now)
    assert limit.value == 1
    assert round_trips(limit, ceiling) <= math.log2(ceiling) + ceiling / 10 + 2


def test_what_it_bore_when_calls_went_bad_is_approached_slowly() -> None:
    """Calls that go bad again and again at 20 keep it from rushing there by slow start."""
    limit = Limit(64)
    highest = []
    for now in range(300):
        at_once = limit.value
        if at_once > 20:
            limit.bad(now, now)
            highest.append(at_once)
        else:
            for _ in range(at_once):
                limit.good(at_once)
    assert max(highest[-5:]) == 21
    assert limit.value >= 18


@given(st.integers(1, 64), st.integers(1, 64))
def test_a_limit_that_nothing_lowered_is_the_ceiling(before: int, after: int) -> None:
    """Endpoints that come and go leave it where it was: at all there is."""
    limit = Limit(before)
    limit.scale(after)
    assert limit.value == after


def goods(limit: Limit, target: int) -> int:
    """Good calls until the limit is `target`, with all of it in use."""
    count = 0
    while limit.value < target:
        limit.good(limit.value)
        count += 1
        assert count < 10_000
    return count


@pytest.mark.parametrize(("before", "after"), [(100, 100), (10, 100), (1000, 100)])
def test_what_it_is_back_to_by_leaps_is_scaled_with_the_ceiling(before: int, after: int) -> None:
    """After an outage each good call adds one, up to nine tenths; beyond it takes round trips."""
    limit = Limit(before)
    for now in range(200):
        limit.bad(now, now)
    limit.scale(after)
    assert goods(limit, 90) <= 89
    assert goods(limit, 92) > 90


def test_half_of_it_in_use_is_enough_to_raise_it() -> None:
    """Exactly half; one call less is not."""
    limit = Limit(16)
    for now in range(200):
        limit.bad(now, now)
    assert goods(limit, 8) == 7
    limit.good(3)
    assert limit.value == 8
    limit.good(4)
    assert limit.value == 9

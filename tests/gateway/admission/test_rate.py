"""How much happens in a second, and what silence tells of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.admission.rate import Rate

seconds = st.floats(0.001, 10)


@given(st.lists(st.tuples(st.floats(0, 10), seconds)), seconds)
def test_silence_counts_whether_it_is_noted_or_not(
    events: list[tuple[float, float]], silent_s: float
) -> None:
    """What is asked for after some seconds of nothing is what these would have brought it to."""
    asked, noted = Rate(0.1, 0.1), Rate(0.1, 0.1)
    for amount, passed_s in events:
        asked.add(amount, passed_s)
        noted.add(amount, passed_s)
    before = asked.per_s()
    noted.add(0.0, silent_s)
    assert asked.per_s(silent_s) == pytest.approx(noted.per_s())
    assert asked.per_s(silent_s) < before or not before
    assert asked.per_s() == before


@given(st.floats(0.01, 10), st.floats(0.01, 1))
def test_what_comes_steadily_is_its_rate(amount: float, every_s: float) -> None:
    """After many times its memory, whatever it started from; nearly, if events lie close."""
    rate = Rate(5.0, 0.1)
    for _ in range(int(20 * Rate.MEMORY_S / every_s) + 1):
        rate.add(amount, every_s)
    assert rate.per_s() == pytest.approx(amount / every_s, rel=0.3 * every_s + 0.01)

"""What was added to counters lately."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.live.families import Key
from gateway.live.history import History

A: Key = ("a_total", ())
B: Key = ("b_total", ())
GROWTH = st.lists(st.integers(0, 5).map(float), min_size=1, max_size=30)


def filled(growth: list[float], steps: int = 10) -> tuple[History, float]:
    """A history of a counter that started at 7 and grew by this at each step; how it stands."""
    history, value = History(steps), 7.0
    history.add({A: value})
    for each in growth:
        value += each
        history.add({A: value})
    return history, value


@given(GROWTH, st.integers(1, 15), st.integers(0, 3))
def test_it_tells_what_was_added_in_a_while(growth: list[float], steps: int, since: int) -> None:
    """In as many steps as it is asked for and remembers, and since the last one."""
    history, value = filled(growth)
    assert history.added({A: value + since}, steps)[A] == sum(growth[-min(steps, 10) :]) + since


@given(GROWTH, st.integers(1, 15), st.integers(1, 5))
def test_a_line_tells_what_was_added_before_each_step(
    growth: list[float], steps: int, over: int
) -> None:
    """Oldest first, over so many steps as far as it knows; of an unknown counter nothing."""
    history, _ = filled(growth)
    known = growth[-10:]
    sums = [sum(known[max(0, end - over) : end]) for end in range(1, len(known) + 1)]
    assert history.line((A, B), steps, over) == [(each, 0.0) for each in sums[-steps:]]


@given(st.lists(st.integers(0, 20).map(float), min_size=2, max_size=12))
def test_a_counter_that_falls_was_started_anew(values: list[float]) -> None:
    """As in Prometheus' rate(): what it shows then was added since."""
    history = History()
    for value in values[:-1]:
        history.add({A: value})
    expected = sum(now - before if now >= before else now for before, now in pairwise(values))
    assert history.added({A: values[-1]}, 20)[A] == expected


def test_a_counter_that_comes_later_was_at_zero() -> None:
    """A first failure was added, like any other; what was there at the start was not."""
    history = History()
    history.add({A: 5.0})
    history.add({A: 5.0, B: 2.0})
    assert history.added({A: 5.0, B: 2.0}, 10) == {A: 0.0, B: 2.0}


def test_a_counter_that_is_left_out_stays_as_it_is() -> None:
    """Of a worker that did not answer in time; it is not started anew when it is back."""
    history = History()
    for counts in ({A: 5.0}, {A: 6.0}, {}, {A: 6.0}):
        history.add(counts)
    assert history.added({A: 7.0}, 10) == {A: 2.0}


def test_without_samples_nothing_was_added() -> None:
    """It cannot be told since when."""
    assert History().added({A: 5.0}, 10) == {A: 0.0}
    assert History().line((A,), 10) == []


def test_it_keeps_no_more_than_it_has_to() -> None:
    """A number for each step and each counter that moved, whatever the number of samples."""
    history = History(steps=10)
    for value in range(1000):
        history.add({A: float(value), B: 3.0})
    assert len(history._rows) == 11
    assert {len(row) for row in history._rows} == {1}

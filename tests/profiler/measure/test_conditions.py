"""Under which conditions is measured, and how much of each."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.measure.conditions import (
    Condition,
    arrival_rate,
    beside,
    busy,
    duration_s,
    rounds_due,
)
from tests.profiler.columns import observations


def test_variants_are_alone_at_the_least_and_the_most_load() -> None:
    """One in flight tells the service time, the most what queueing behind oneself costs."""
    least, most = Condition(1, alone=True), Condition(4, alone=True)
    assert beside((2, 4), (0.5,)) == (least, most, Condition(share=0.5))
    assert beside((1,), ()) == (least,)


def test_every_condition_has_files_of_its_own() -> None:
    """No name is another's beginning, up to the dash that ends it."""
    conditions = busy((1, 10)) + beside((1, 10), (0.05, 0.5, 0.55))
    names = [f"{condition.name}-" for condition in conditions]
    assert sum(a.startswith(b) for a in names for b in names) == len(names) == 7


@given(st.integers(1, 2000), st.integers(1, 5), st.integers(1, 6))
def test_the_other_conditions_take_an_eighth_beside(cycles: int, loads: int, others: int) -> None:
    """Never more rounds than that, apart from the first; never a whole one of each less."""
    due = rounds_due(cycles, loads, others)
    assert due >= rounds_due(cycles - 1, loads, others)
    assert due >= 1
    assert (due - 1) * others <= cycles * loads / 8 < (due + 1) * others
    assert due == 1 or due * others <= cycles * loads / 8


def test_nothing_is_due_before_the_first_cycle() -> None:
    """The rate of an open loop is told from the closed one."""
    assert rounds_due(0, 3, 4) == 0


def test_the_rate_is_a_share_of_the_greatest_throughput() -> None:
    """Requests over the time from the first one sent to the last answer, to three digits."""
    slow = observations([0.5] * 9 + [1.0], [True] * 10, [0] * 10)  # a second apart: 10 s
    fast = observations([0.1, np.inf, 0.2], [True] * 3, [0] * 3, load=2)  # 2.2 s
    assert duration_s(slow) == 10.0
    assert duration_s(fast) == pytest.approx(2.2)
    assert arrival_rate(0.5, [slow, fast]) == pytest.approx(0.682)

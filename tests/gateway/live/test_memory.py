"""The memory of judged requests is exact, bounded, and forgets the oldest."""

import gc
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.live import memory
from gateway.live.judged import Judged
from gateway.live.memory import Memory

judged_requests = st.builds(
    Judged,
    tier=st.sampled_from(["gold", "fast"]),
    variant=st.sampled_from(["small", "large"]),
    promised=st.sampled_from([0.8, 0.9]),
    expected=st.floats(0, 1, width=32),
    in_time=st.booleans(),
    classes=st.none() | st.lists(st.integers(0, 2**31 - 1), max_size=3).map(tuple),
    by_confidence=st.booleans(),
    table=st.integers(1, 3),
)
ids = st.integers(0, 40).map(lambda number: b"%d" % number)
figures = st.floats(0, 2**20, width=32)
steps = st.lists(st.tuples(ids, st.none() | st.tuples(judged_requests, figures)), max_size=200)


@given(steps, st.integers(1, 50))
def test_what_is_remembered_is_what_came_last(
    given_steps: list[tuple[bytes, tuple[Judged, float] | None]], most: int
) -> None:
    """By id: whole, once told only that, and of the last 15/16 nothing is missing."""
    kept = Memory(most)
    model: dict[bytes, tuple[Judged, float] | str] = {}
    age: dict[bytes, int] = {}
    came = 0
    for request_id, one in given_steps:
        if one is None:
            if kept.find(request_id) is not None:
                kept.told(request_id)
                model[request_id] = "told"
        else:
            kept.keep(request_id, *one)
            model[request_id] = one
            came += 1
            age[request_id] = came
        assert len(kept) <= most
    generations = min(16, most)
    sure = most // generations * (generations - 1) + 1
    for request_id, number in age.items():
        found = kept.find(request_id)
        assert found == model[request_id] or (found is None and came - number >= sure)
    assert kept.find(b"never") is None


def test_the_oldest_go_first() -> None:
    """Of a thousand, with room for a hundred, the last ninety are there and the first are not."""
    kept = Memory(100)
    for number in range(1000):
        kept.keep(b"%d" % number, Judged("gold", "small", 0.9, 0.5, True, (number,)), number)
    for number in range(910, 1000):
        judged = Judged("gold", "small", 0.9, 0.5, True, (number,))
        assert kept.find(b"%d" % number) == (judged, number)
    assert all(kept.find(b"%d" % number) is None for number in range(900))


def test_large_batches_take_no_more_memory_than_small_ones() -> None:
    """Fewer are remembered then, the last one always; afterwards as many as ever."""
    kept = Memory(1 << 10)
    classes = tuple(range(500))
    tracemalloc.start()
    try:
        for number in range(1 << 10):
            kept.keep(b"%d" % number, Judged("gold", "small", 0.9, 0.5, True, classes), 0.0)
            assert kept.find(b"%d" % number) is not None
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < (1 << 10) * 200
    for number in range(1 << 11):
        kept.keep(b"%d" % number, Judged("gold", "small", 0.9, 0.5, True, (1,)), 0.0)
    assert len(kept) > 15 / 16 * (1 << 10)


def test_the_collector_has_nothing_to_walk() -> None:
    """However many are remembered: a full collection is a pause in somebody's deadline."""
    kept = Memory(1 << 14)
    gc.collect()
    before = len(gc.get_objects())
    for number in range(1 << 14):
        kept.keep(b"%d" % number, Judged("gold", "small", 0.9, number / 20_000, True, (1,)), 0.0)
    gc.collect()
    assert len(gc.get_objects()) - before < 100


def test_thousands_of_tables_do_not_fill_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Promises without end are forgotten with all that referred to them; nothing is confused."""
    monkeypatch.setattr(memory, "_MOST_KINDS", 4)
    kept = Memory(100)
    for number in range(10):
        judged = Judged("gold", "small", number / 10, 0.5, True)
        kept.keep(b"%d" % number, judged, 0.25)
        assert kept.find(b"%d" % number) == (judged, 0.25)
    assert [kept.find(b"%d" % number) is None for number in range(10)] == [True] * 8 + [False] * 2

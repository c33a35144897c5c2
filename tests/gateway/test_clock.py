"""The clock of a loop."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.clock import LoopClock, Timer


async def test_alarms_fire_in_the_order_of_their_times() -> None:
    """Whatever the order they were set in, and none before its time."""
    clock = LoopClock(asyncio.get_running_loop())
    start, fired, done = clock.now(), [], asyncio.Event()

    def note(number: int) -> None:
        fired.append((number, clock.now() - start >= number / 100))
        if number == 3:
            done.set()

    for number in (2, 3, 1):
        clock.call_at(start + number / 100, lambda n=number: note(n))  # type: ignore[misc]
    await done.wait()
    assert fired == [(1, True), (2, True), (3, True)]


async def test_a_cancelled_alarm_stays_silent() -> None:
    """And costs the others nothing."""
    clock = LoopClock(asyncio.get_running_loop())
    done = asyncio.Event()
    clock.call_at(clock.now() + 0.01, lambda: pytest.fail("cancelled")).cancel()
    clock.call_at(clock.now() + 0.02, done.set)
    await done.wait()


async def test_an_alarm_may_set_another() -> None:
    """Also one whose time has come already."""
    clock = LoopClock(asyncio.get_running_loop())
    done = asyncio.Event()
    clock.call_at(clock.now(), lambda: clock.call_at(0.0, done.set))
    await done.wait()


async def test_an_alarm_that_fails_does_not_take_others_along() -> None:
    """The loop hears of the error, the next alarm fires."""
    loop = asyncio.get_running_loop()
    errors: list[object] = []
    loop.set_exception_handler(lambda _, context: errors.append(context["exception"]))
    clock = LoopClock(loop)
    done = asyncio.Event()
    now = clock.now()
    clock.call_at(now, lambda: 1 / 0)
    clock.call_at(now, done.set)
    await done.wait()
    assert len(errors) == 1


async def test_cancelled_alarms_do_not_pile_up() -> None:
    """Far deadlines that were met leave the heap before their time."""
    clock = LoopClock(asyncio.get_running_loop())
    kept = clock.call_at(clock.now() + 3600, lambda: None)
    for _ in range(10_000):
        clock.call_at(clock.now() + 3600, lambda: None).cancel()
    assert len(clock._alarms) <= 2048
    kept.cancel()


class Handle:
    """One timer of a Loop."""

    def __init__(self, when: float, callback: Callable[[], object]) -> None:
        self.when = when
        self.callback = callback
        self.live = True

    def cancel(self) -> None:
        """See asyncio.TimerHandle."""
        self.live = False


class Loop:
    """A loop whose time passes as it is told. It never has more than one timer of the clock's."""

    def __init__(self) -> None:
        self.time = 0.0
        self.handles: list[Handle] = []

    def call_later(self, delay: float, callback: Callable[[], object]) -> Handle:
        """See asyncio.AbstractEventLoop."""
        assert delay >= 0
        self.handles = [one for one in self.handles if one.live]
        assert not self.handles, "two timers at once"
        self.handles.append(Handle(self.time + delay, callback))
        return self.handles[0]

    def run_until(self, when: float) -> None:
        """Let time pass."""
        while due := [one for one in self.handles if one.live and one.when <= when]:
            [handle] = due
            self.time = max(self.time, handle.when)
            handle.live = False
            handle.callback()
        self.time = when


@given(
    st.lists(st.tuples(st.integers(0, 50), st.booleans(), st.integers(0, 10)), max_size=60),
    st.integers(1, 8),
)
def test_each_alarm_fires_at_its_time_unless_it_was_cancelled(
    steps: list[tuple[int, bool, int]], full: int
) -> None:
    """However many are set and cancelled meanwhile, and however often the heap is cleared out."""
    loop: Any = Loop()
    clock = LoopClock(loop)
    clock.now = lambda: loop.time
    clock._full = full
    fired: list[tuple[int, float, float]] = []
    expected: dict[int, float] = {}
    timers: dict[int, Timer] = {}
    for number, (ahead, cancels, passes) in enumerate(steps):
        when = loop.time + ahead

        def fire(number: int = number, when: float = when) -> None:
            fired.append((number, when, loop.time))
            del expected[number]

        expected[number] = when
        timers[number] = clock.call_at(when, fire)
        if cancels and expected:
            other = next(iter(expected))
            timers[other].cancel()
            del expected[other]
        loop.run_until(loop.time + passes)
        assert all(when > loop.time for when in expected.values())
        clock._full = full
    loop.run_until(loop.time + 100)
    assert not expected
    assert all(at == when for _, when, at in fired)

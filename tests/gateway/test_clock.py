"""The clock of a loop."""

import asyncio

import pytest

from gateway.clock import LoopClock


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

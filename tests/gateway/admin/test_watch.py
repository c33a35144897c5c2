"""A gateway's latest numbers, kept in time."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.admin import watch
from gateway.live.families import Families
from tests.gateway.live.glance.told import TABLE, judged, of


class Counting:
    """A gateway that counts how often it is asked for its numbers."""

    table = TABLE

    def __init__(self) -> None:
        self.asked = 0

    async def families(self) -> Families:
        self.asked += 1
        return of(judged(self.asked, 0.9, 0.9))

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"nobody needs {name}")


class Slow(Counting):
    """And the time by which it lives: its second answer takes seven seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.pauses: list[float] = []

    async def families(self) -> Families:
        answer = await super().families()
        self.now += 7 if self.asked == 2 else 0
        return answer

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += max(0.0, seconds)
        if len(self.pauses) == 5:
            raise asyncio.CancelledError

    def time(self) -> float:
        return self.now


async def test_a_slow_step_is_made_up_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """So five minutes are five minutes, though a worker hangs; and all steps are remembered."""
    slow = Slow()
    clock = SimpleNamespace(get_running_loop=lambda: slow, sleep=slow.sleep)
    monkeypatch.setattr(watch, "asyncio", clock)
    watching = watch.Watch(slow)
    with pytest.raises(asyncio.CancelledError):
        await watching.keep()
    assert slow.pauses == [5, -2, 3, 5, 5]
    view = await watching.view()
    assert view.tiers[0].window.judged["expected"] == 5  # the first of six was there before
    assert view.tiers[0].since_start.judged["expected"] == 6


async def test_many_who_look_cost_what_one_does() -> None:
    """Ten at once get the same view, made once; a second later there is another."""
    counting = Counting()
    watching = watch.Watch(counting)
    said = await asyncio.gather(*(watching.said() for _ in range(10)))
    assert len(set(said)) == counting.asked == 1
    watching._asked_at -= 1.0
    assert json.loads(await watching.said())["service"] == TABLE.service
    assert counting.asked == 2

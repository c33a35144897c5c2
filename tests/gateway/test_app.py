"""The parts of a gateway as they are put together."""

import asyncio

import pytest

from gateway.app import assemble
from gateway.clock import LoopClock
from tests.gateway.running import settings
from tests.tables import promise, table, tier

GOLD = tier("gold", 0.0, promise("large", 0.2))


@pytest.mark.parametrize(("said", "places"), [(None, (2, 6)), (3, (3, 3))])
async def test_a_reload_brings_the_places_that_were_profiled(
    said: int | None, places: tuple[int, int]
) -> None:
    """Unless the settings say how many there are."""
    clock = LoopClock(asyncio.get_running_loop())
    gateway = assemble(
        table(GOLD, max_outstanding=2), settings(9, admission={"places": said}), clock
    )
    before = gateway.admission.capacity
    gateway.retable(table(GOLD, max_outstanding=6))
    assert (before, gateway.admission.capacity) == places
    gateway.close()

"""Work that goes on beside requests."""

import asyncio

import pytest

from gateway.serving import background


async def test_a_mistake_is_told_at_once(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody waits for such a task, so its error would be lost."""

    async def work() -> None:
        raise KeyError("so")

    task = background.start("probes", work())
    await asyncio.wait((task,))
    (record,) = caplog.records
    assert record.levelname == "CRITICAL"
    assert record.getMessage().startswith("probes ended by a mistake")
    assert record.exc_info is not None


async def test_an_end_as_told_is_not(caplog: pytest.LogCaptureFixture) -> None:
    """Cancelled when the process ends."""
    task = background.start("probes", asyncio.sleep(60))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait((task,))
    assert not caplog.records

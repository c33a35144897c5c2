import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from gateway.clock import LoopClock
from tests.gateway.stub import Stub

MakeStub = Callable[[Stub], Awaitable[Stub]]


@pytest.fixture
async def make_stub() -> AsyncIterator[MakeStub]:
    """Starts stubs in Triton's place, and stops them in the end."""
    started: list[Stub] = []

    async def make(stub: Stub) -> Stub:
        await stub.start()
        started.append(stub)
        return stub

    yield make
    for stub in started:
        await stub.stop()


@pytest.fixture
async def clock() -> LoopClock:
    """The running loop's."""
    return LoopClock(asyncio.get_running_loop())

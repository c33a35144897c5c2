"""Questions and answers between two processes."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from gateway.workers.channel import Channel, Content, Gone


@pytest.fixture
async def ends() -> AsyncIterator[tuple[Channel, Channel]]:
    one, other = socket.socketpair()
    pair = await Channel.over(one), await Channel.over(other)
    yield pair
    for end in pair:
        end.close()


async def doubled(do: str, content: Content) -> Content:
    await asyncio.sleep(0)
    return {"did": do, "twice": content["n"] * 2}


async def test_both_ends_may_ask(ends: tuple[Channel, Channel]) -> None:
    """Many at once, large ones, too; each gets its own answer."""
    one, other = ends
    serving = [asyncio.create_task(end.serve(doubled)) for end in ends]
    answers = await asyncio.gather(
        *(end.ask("double", n=f"{number} " * 50_000) for number, end in enumerate([one, other] * 5))
    )
    for number, answer in enumerate(answers):
        assert answer == {"did": "double", "twice": f"{number} " * 100_000}
    one.close()
    await asyncio.gather(*serving)


async def test_an_end_that_goes_leaves_nobody_waiting(ends: tuple[Channel, Channel]) -> None:
    """What it was asked has no answer, and nothing more can be asked."""
    one, other = ends
    serving = asyncio.create_task(one.serve(doubled))
    asking = asyncio.create_task(one.ask("double", n=1))
    await asyncio.sleep(0)
    other.close()
    with pytest.raises(Gone):
        await asking
    with pytest.raises(Gone):
        await one.ask("double", n=1)
    await serving


async def test_a_mistake_in_answering_ends_the_channel(ends: tuple[Channel, Channel]) -> None:
    """It is raised where it was made; who asked is not left waiting."""
    one, other = ends

    async def fail(do: str, content: Content) -> Content:
        raise RuntimeError("a mistake")

    failing = asyncio.create_task(other.serve(fail))
    serving = asyncio.create_task(one.serve(doubled))
    with pytest.raises(Gone):
        await one.ask("double", n=1)
    with pytest.raises(RuntimeError, match="a mistake"):
        await failing
    await serving

"""Looking after endpoints, and telling whether the gateway is ready: against real connections."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import pytest

from gateway.clock import LoopClock
from gateway.upstream import probes
from gateway.upstream.base import Payload, Result
from gateway.upstream.connect import Upstreams
from gateway.upstream.readiness import Readiness
from gateway.upstream.settings import UpstreamSettings
from tests.gateway.running import until
from tests.gateway.stub import Received, Stub, answer, ok, response
from tests.gateway.upstream.conftest import MakeStub
from tests.gateway.upstream.tritons import WORK, Asker


@dataclass
class Watched:
    """Two stubs, a fleet over them, and its probes at work."""

    stubs: tuple[Stub, Stub]
    upstreams: Upstreams
    readiness: Readiness

    async def infer(self, variant: str = "small") -> Result:
        """Ask the fleet."""
        asker, clock = Asker(), self.upstreams.fleet.clock
        self.upstreams.fleet.infer(variant, Payload((b"x",)), clock.now() + 20, asker)
        await until(lambda: bool(asker.results))
        return asker.result

    def up(self) -> list[bool | None]:
        """Which of them are."""
        return [member.is_up for member in self.upstreams.fleet.members]


@pytest.fixture
async def watched(make_stub: MakeStub, clock: LoopClock) -> AsyncIterator[Watched]:
    stubs = (await make_stub(Stub()), await make_stub(Stub()))
    settings = UpstreamSettings.model_validate(
        {"endpoints": [f"127.0.0.1:{stub.port}" for stub in stubs]}
    )
    upstreams = Upstreams(settings, WORK, clock, random.Random(0).random)
    readiness = Readiness(upstreams.fleet, upstreams.probes, "large")
    async with running(upstreams.probes.run):
        yield Watched(stubs, upstreams, readiness)
    upstreams.close()


@asynccontextmanager
async def running(run: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Run something for ever, for a while."""
    task = asyncio.ensure_future(run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def without(*variants: str) -> Callable[[Received], Awaitable[bytes | None]]:
    """A Triton that has not loaded these: not ready itself, as Triton has it."""

    async def handler(request: Received) -> bytes | None:
        if request.path == "/v2/health/ready":
            return response("400 Bad Request", b"")
        if any(f"/{variant}/" in request.path for variant in variants):
            status = "400 Bad Request" if request.path.endswith("/ready") else "404 Not Found"
            return response(status, b'{"error":"Request for unknown model"}')
        return await answer(request)

    return handler


async def test_an_endpoint_that_goes_is_noticed_and_so_is_its_return(watched: Watched) -> None:
    """Without traffic; requests meanwhile go to the other one; and a second later it is back."""
    fleet = watched.upstreams.fleet
    await until(lambda: watched.up() == [True, True])
    assert fleet.endpoints == 2
    await watched.stubs[0].stop()
    await until(lambda: watched.up() == [False, True])
    assert fleet.endpoints == 1
    assert fleet.absent == frozenset()
    assert await watched.readiness.not_ready() is None
    count = len(watched.stubs[1].infers)
    for _ in range(4):
        await watched.infer()
    assert len(watched.stubs[1].infers) == count + 4
    await watched.stubs[0].start()
    await until(lambda: watched.up() == [True, True])
    assert fleet.returns == 2 + 1  # both have come


async def test_all_gone_is_not_ready(watched: Watched) -> None:
    """Each endpoint is named, with why."""
    for stub in watched.stubs:
        await stub.stop()
    await until(lambda: watched.up() == [False, False])
    assert watched.upstreams.fleet.absent == {"small", "large"}
    assert watched.upstreams.fleet.endpoints == 1
    why = await watched.readiness.not_ready()
    assert why is not None
    for stub in watched.stubs:
        assert f"Triton at 127.0.0.1:{stub.port} is down: " in why
        await stub.start()
    await until(lambda: watched.up() == [True, True])
    assert watched.upstreams.fleet.absent == frozenset()


async def test_every_variant_somewhere_is_ready(watched: Watched) -> None:
    """Each endpoint lacks another one: all are served, each where it is."""
    watched.stubs[0].handler, watched.stubs[1].handler = without("small"), without("large")
    fleet = watched.upstreams.fleet
    await until(lambda: [one.ejected["small"] for one in fleet.members] == [1, 0])
    await until(lambda: [one.ejected["large"] for one in fleet.members] == [0, 1])
    assert fleet.absent == frozenset()
    assert fleet.endpoints == 2
    assert await watched.readiness.not_ready() is None
    for variant in ("small", "large") * 5:
        await watched.infer(variant)
    assert {one.path for one in watched.stubs[0].infers} == {"/v2/models/large/infer"}
    assert {one.path for one in watched.stubs[1].infers} == {"/v2/models/small/infer"}


async def test_a_variant_that_none_serves_is_named(watched: Watched) -> None:
    """Absent until one endpoint has it again."""
    for stub in watched.stubs:
        stub.handler = without("large")
    await until(lambda: watched.upstreams.fleet.absent == {"large"})
    assert await watched.readiness.not_ready() == "Triton does not serve: large"
    watched.stubs[1].handler = answer
    await until(lambda: watched.upstreams.fleet.absent == frozenset())


async def test_a_silent_endpoint_is_left_out(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes connections and says nothing, as one that was stopped; then it goes on."""
    monkeypatch.setattr(probes, "WITHIN_S", 0.05)
    await until(lambda: watched.up() == [True, True])
    watched.stubs[0].handler = watched.stubs[0].hold
    await until(lambda: watched.up() == [False, True])
    assert watched.upstreams.fleet.members[0].why == "no answer within 0.05 s"
    count = len(watched.stubs[1].infers)
    for _ in range(4):
        await watched.infer()
    assert len(watched.stubs[1].infers) == count + 4
    monkeypatch.setattr(probes, "WITHIN_S", 5.0)
    watched.stubs[0].handler = answer
    await until(lambda: watched.up() == [True, True])


async def test_idle_connections_are_closed_when_an_endpoint_is_left_out(watched: Watched) -> None:
    """What they led to is gone; new ones are dialled when it is back."""
    await until(lambda: watched.up() == [True, True])
    before = watched.stubs[0].connections
    watched.upstreams.fleet.members[0].down("for a test")
    await until(lambda: watched.up() == [True, True])
    assert watched.stubs[0].connections > before


async def test_metadata_is_of_one_that_is_up(watched: Watched) -> None:
    """Any endpoint can tell what the reference is like."""
    await watched.stubs[0].stop()
    await until(lambda: watched.up() == [False, True])

    async def configured(request: Received) -> bytes | None:
        told = request.path == "/v2/models/large/config"
        return ok(b'{"name":"large"}') if told else await answer(request)

    watched.stubs[1].handler = configured
    metadata = await watched.readiness.metadata()
    assert metadata is not None
    assert metadata["name"] == "large"
    assert await watched.readiness.config() == {"name": "large"}
    await watched.stubs[1].stop()
    await until(lambda: watched.up() == [False, False])
    for stub in watched.stubs:
        await stub.start()

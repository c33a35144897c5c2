"""A fleet of one real Triton: killed, stopped, and with a variant unloaded, while it is asked."""

import asyncio
import json
import os
import random
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
import tritonclient.http as sync_client

from deploy.embedded.server import EmbeddedTriton
from gateway.clock import LoopClock
from gateway.upstream.base import Failure, Payload, Reply, Result
from gateway.upstream.connect import Upstreams
from gateway.upstream.settings import UpstreamSettings
from tests.gateway.running import until

pytestmark = pytest.mark.triton

VARIANTS = ("fashion_nano", "fashion_tiny")
BODY = json.dumps(
    {"inputs": [{"name": "images", "shape": [1, 1, 28, 28], "datatype": "FP32", "data": [0] * 784}]}
).encode()


@dataclass
class Client:
    """Asks both variants in turn, the next one when the last has ended."""

    upstreams: Upstreams
    results: list[tuple[str, Result]] = field(default_factory=list)
    over: bool = False

    async def run(self) -> None:
        """Until it is over."""
        fleet = self.upstreams.fleet
        while not self.over:
            variant = VARIANTS[len(self.results) % 2]
            asked: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
            listener = Told(asked)
            fleet.infer(variant, Payload((BODY,)), fleet.clock.now() + 60, listener)
            self.results.append((variant, await asked))
            await asyncio.sleep(0)

    async def see(self, variant: str, kind: type[Result]) -> Result:
        """Wait until `variant` is answered in that way, after now."""
        start = len(self.results)

        def found() -> list[Result]:
            return [r for v, r in self.results[start:] if v == variant and isinstance(r, kind)]

        await until(lambda: bool(found()))
        return found()[-1]


@dataclass
class Told:
    """A listener that resolves a future; twice would raise."""

    asked: "asyncio.Future[Result]"

    def ended(self, result: Result) -> None:
        """See gateway.upstream.base.Listener."""
        self.asked.set_result(result)


@pytest.fixture
async def client(triton: EmbeddedTriton, clock: LoopClock) -> AsyncIterator[Client]:
    """At work while the test goes on."""
    settings = UpstreamSettings.model_validate({"endpoints": [triton.endpoints.http]})
    upstreams = Upstreams(settings, dict.fromkeys(VARIANTS, 0.001), clock, random.Random(0).random)
    client = Client(upstreams)
    probing = asyncio.create_task(upstreams.probes.run())
    asking = asyncio.create_task(client.run())
    for variant in VARIANTS:
        await client.see(variant, Reply)
    yield client
    client.over = True
    await asking
    probing.cancel()
    with suppress(asyncio.CancelledError):
        await probing
    upstreams.close()
    assert all(member.work == 0 for member in upstreams.fleet.members)


async def test_it_is_killed_and_comes_back(triton: EmbeddedTriton, client: Client) -> None:
    """Unreachable at once, and answered again when it is back."""
    fleet = client.upstreams.fleet
    try:
        triton.kill()
        for variant in VARIANTS:
            failure = await client.see(variant, Failure)
        assert isinstance(failure, Failure)
        assert failure.kind == "unreachable"
        assert fleet.absent == set(VARIANTS)
    finally:
        await asyncio.to_thread(triton.start)
    for variant in VARIANTS:
        await client.see(variant, Reply)
    await until(lambda: fleet.absent == frozenset())
    assert fleet.returns >= 2  # it has come, and come back


async def test_it_is_stopped_and_goes_on(triton: EmbeddedTriton, client: Client) -> None:
    """Silence is noticed by the probe; what was under way ends well, and all is well again."""
    member = client.upstreams.fleet.members[0]
    assert triton.pid is not None
    os.kill(triton.pid, signal.SIGSTOP)
    try:
        await until(lambda: member.is_up is False)
        assert "no answer within" in member.why
    finally:
        os.kill(triton.pid, signal.SIGCONT)
    for variant in VARIANTS:
        await client.see(variant, Reply)
    assert all(isinstance(result, Reply) for _, result in client.results)


async def test_a_variant_is_unloaded_and_loaded(triton: EmbeddedTriton, client: Client) -> None:
    """The other one is answered all the while."""
    fleet = client.upstreams.fleet
    with sync_client.InferenceServerClient(triton.endpoints.http) as control:
        try:
            await asyncio.to_thread(control.unload_model, "fashion_tiny")
            failure = await client.see("fashion_tiny", Failure)
            assert isinstance(failure, Failure)
            assert failure.because == "missing"
            assert fleet.absent == {"fashion_tiny"}
            await client.see("fashion_nano", Reply)
        finally:
            await asyncio.to_thread(control.load_model, "fashion_tiny")
    await until(lambda: fleet.absent == frozenset())
    await client.see("fashion_tiny", Reply)
    assert all(isinstance(r, Reply) for v, r in client.results if v == "fashion_nano")

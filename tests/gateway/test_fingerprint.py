"""Whether what is served is what was profiled: against stubs, and a real Triton."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import tritonclient.http as sync_client

from deploy.embedded.server import EmbeddedTriton
from gateway.clock import LoopClock
from gateway.fingerprint import Fingerprints, of_model
from gateway.upstream.connect import Upstreams
from gateway.upstream.settings import UpstreamSettings
from profiler.measure.triton import Triton
from tests.gateway.running import until
from tests.gateway.stub import Received, Stub, answer, ok

CONFIG = {"name": "small", "max_batch_size": 8}
METADATA = {"name": "small", "versions": ["1", "10", "9"], "platform": "stub"}
SMALL = of_model("small", METADATA, CONFIG)


class Serving:
    """A handler of a Triton that serves one model, with a configuration that may change."""

    def __init__(self) -> None:
        self.config: dict[str, Any] = dict(CONFIG)

    async def __call__(self, request: Received) -> bytes | None:
        """See tests.gateway.stub.Handler."""
        if request.path.endswith("/config"):
            return ok(json.dumps(self.config).encode())
        if request.path == "/v2/models/small":
            return ok(json.dumps(METADATA).encode())
        return await answer(request)


def before(*http: str) -> Upstreams:
    """A fleet over these endpoints."""
    clock = LoopClock(asyncio.get_running_loop())
    settings = UpstreamSettings.model_validate({"endpoints": http})
    return Upstreams(settings, {"small": 0.01}, clock, random.Random(0).random)


@asynccontextmanager
async def fingerprints(
    profiled: Mapping[str, str], *stubs: Stub
) -> AsyncIterator[tuple[Fingerprints, Upstreams]]:
    """Of what these serve."""
    upstreams = before(*(f"127.0.0.1:{stub.port}" for stub in stubs))
    yield Fingerprints(upstreams.fleet, profiled), upstreams
    upstreams.close()


def test_the_newest_version_counts() -> None:
    """As a number: it is the one that Triton asks by default; what is odd is not the gateway's."""
    assert of_model("small", {**METADATA, "versions": ["10"]}, CONFIG) == SMALL
    assert of_model("small", {**METADATA, "versions": ["9"]}, CONFIG) != SMALL
    for odd in (None, [], ["x"], 5):
        one = of_model("small", {**METADATA, "versions": odd}, CONFIG)
        assert one == of_model("small", {**METADATA, "versions": ["1"]}, CONFIG)


async def test_what_was_profiled_is_not_foreign(stub: Stub) -> None:
    """Nor is a variant that the table has no fingerprint of, or that Triton tells nothing of."""
    stub.handler = Serving()
    async with fingerprints({"small": SMALL}, stub) as (found, _):
        await found.look()
        assert found.foreign == frozenset()
    async with fingerprints({}, stub) as (found, _):
        count = len(stub.received)
        await found.look()
        assert found.foreign == frozenset()
        assert len(stub.received) == count
    await stub.stop()
    async with fingerprints({"small": "0" * 64}, stub) as (found, _):
        await found.look()
        assert found.foreign == frozenset()
    await stub.start()


async def test_one_endpoint_that_differs_is_enough(
    stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    """Named, with what was profiled and what is served; said once, and when it is over."""
    caplog.set_level("INFO")
    other = Stub(Serving())
    await other.start()
    ours, theirs = Serving(), other.handler
    stub.handler = ours
    assert isinstance(theirs, Serving)
    theirs.config["max_batch_size"] = 9
    async with fingerprints({"small": SMALL}, stub, other) as (found, _):
        for _ in range(2):
            await found.look()
        assert found.foreign == {"small"}
        assert f"127.0.0.1:{other.port} serves another small" in found.why["small"]
        assert SMALL[:12] in found.why["small"]
        await other.stop()
        await found.look()
        assert found.foreign == {"small"}  # it has not been seen to be another one
        await other.start()
        theirs.config = dict(CONFIG)
        await found.look()
        assert found.foreign == frozenset()
        assert found.why == {}
    await other.stop()
    said = [one.getMessage() for one in caplog.records if one.name.endswith("fingerprint")]
    assert len(said) == 2
    assert said[1] == "small is what was profiled again"


async def test_another_table_may_know_what_is_served(stub: Stub) -> None:
    """A reload compares anew, without asking."""
    stub.handler = Serving()
    async with fingerprints({"small": "0" * 64}, stub) as (found, _):
        await found.look()
        assert found.foreign == {"small"}
        found.expect({"small": SMALL})
        assert found.foreign == frozenset()


async def test_it_looks_again_when_an_endpoint_has_come_back(stub: Stub) -> None:
    """It may have come back as something else."""
    serving = stub.handler = Serving()
    async with fingerprints({"small": SMALL}, stub) as (found, upstreams):
        (member,) = upstreams.fleet.members
        member.up()
        task = asyncio.create_task(found.run())
        await until(lambda: len(stub.received) == 2)
        assert found.foreign == frozenset()
        serving.config["max_batch_size"] = 9
        member.down("for a test")
        member.up()
        await until(lambda: found.foreign == {"small"})
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_an_endpoint_that_left_is_not_compared_any_more(stub: Stub) -> None:
    """And one that came is, soon."""
    stub.handler = Serving()
    other = Stub(Serving())
    await other.start()
    assert isinstance(other.handler, Serving)
    other.handler.config["max_batch_size"] = 9
    good, bad = (UpstreamSettings.model_validate({"endpoints": [f"127.0.0.1:{one.port}"]})
                 for one in (stub, other))  # fmt: skip
    async with fingerprints({"small": SMALL}, stub) as (found, upstreams):
        task = asyncio.create_task(found.run())
        upstreams.fleet.members[0].up()
        for settings, foreign in ((bad, {"small"}), (good, set())):
            upstreams.change(settings)
            upstreams.fleet.members[0].up()
            await until(lambda foreign=foreign: found.foreign == foreign)  # type: ignore[misc]
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    await other.stop()


@pytest.mark.triton
async def test_a_model_loaded_with_another_configuration_is_foreign(triton: EmbeddedTriton) -> None:
    """As the profiler took its fingerprint: the same, another configuration, the same again."""
    profiler = Triton(triton.endpoints.grpc)
    profiled = {
        name: profiler.variant(name).fingerprint for name in ("fashion_nano", "fashion_tiny")
    }
    profiler.close()
    upstreams = before(triton.endpoints.http)
    found = Fingerprints(upstreams.fleet, profiled)
    with sync_client.InferenceServerClient(triton.endpoints.http) as control:
        try:
            await found.look()
            assert found.foreign == frozenset()
            config = control.get_model_config("fashion_tiny")
            config["max_batch_size"] = 4
            config["dynamic_batching"] = {"preferred_batch_size": [4]}
            control.load_model("fashion_tiny", config=json.dumps(config))
            await found.look()
            assert found.foreign == {"fashion_tiny"}
        finally:
            control.unload_model("fashion_tiny")  # or it would keep the other configuration
            await until(lambda: not control.is_model_ready("fashion_tiny"))
            control.load_model("fashion_tiny")
        await found.look()
        assert found.foreign == frozenset()
    upstreams.close()

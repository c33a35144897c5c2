"""The hint of others' load: what Triton's metrics say beyond what is ours."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest
import tritonclient.http as sync_client
from hypothesis import given
from hypothesis import strategies as st

from deploy.embedded.server import EmbeddedTriton
from gateway.clock import LoopClock
from gateway.upstream.base import Payload, Reply
from gateway.upstream.connect import Upstreams
from gateway.upstream.endpoint import Endpoint, parse
from gateway.upstream.load import Page, beyond_ours, in_flight, read
from gateway.upstream.settings import UpstreamSettings
from gateway.upstream.triton import TritonHttp
from tests.gateway.running import until
from tests.gateway.stub import Received, Stub, ok
from tests.gateway.upstream.conftest import MakeStub
from tests.gateway.upstream.tritons import WORK, Asker

PAGE = b"""\
# HELP nv_inference_request_duration_us Cumulative inference request duration in microseconds
# TYPE nv_inference_request_duration_us counter
nv_inference_request_duration_us{model="small",version="1"} 40000000
nv_inference_request_duration_us{model="small",version="2"} 2e6
nv_inference_request_failure{model="small",reason="OTHER",version="1"} 9
# TYPE nv_inference_pending_request_count gauge
nv_inference_pending_request_count{gpu_uuid="x",model="small",version="1"} 7
nv_inference_pending_request_count{model="large",version="1"} 1.2e1
nv_inference_pending_request_count{model="odd",version="1"} ..
nv_energy_consumption{gpu_uuid="x"} 5
"""


def test_the_two_families_are_read() -> None:
    """By model, over its versions, whatever other labels there are."""
    assert read(PAGE) == Page({"small": 7.0, "large": 12.0}, {"small": 42.0})


@given(st.binary(max_size=200))
def test_any_page_is_read(page: bytes) -> None:
    """Something else than metrics tells nothing, and breaks nothing."""
    assert read(page) == Page({}, {})
    assert read(PAGE + page).pending["small"] == 7.0


def test_what_runs_is_seen_by_the_time_it_took() -> None:
    """Of 24 that run as one batch none waits: in half a second they took 24 times as long."""
    before = Page({"small": 0.0, "large": 3.0}, {"small": 100.0, "large": 50.0})
    now = Page({"small": 0.0, "large": 3.0, "new": 1.0}, {"small": 112.0, "large": 1.0, "new": 9.0})
    assert in_flight(now, before, 0.5) == {"small": 24.0, "large": 3.0, "new": 1.0}
    assert in_flight(now, None, 0.5) == now.pending


COUNTS = st.dictionaries(st.sampled_from("abcd"), st.integers(0, 1000))


@given(COUNTS, COUNTS)
def test_ours_are_never_taken_for_others(pending: dict[str, int], ours: dict[str, int]) -> None:
    """Others are what waits beyond ours, of variants that we know, and never less than none."""
    others = beyond_ours(pending, ours)
    assert others.keys() == ours.keys()
    for variant, count in others.items():
        assert count == max(0, pending.get(variant, 0) - ours[variant])
    assert not any(beyond_ours(ours, ours).values())


def fleet_before(http: str, metrics: str, work: Mapping[str, float], clock: LoopClock) -> Upstreams:
    """A fleet over one endpoint whose metrics are read."""
    settings = UpstreamSettings.model_validate({"endpoints": [{"http": http, "metrics": metrics}]})
    return Upstreams(settings, work, clock, random.Random(0).random)


async def test_waiting_requests_beyond_ours_are_load(make_stub: MakeStub, clock: LoopClock) -> None:
    """Seven small and twelve large ones wait, three of the small ones are ours."""
    triton = await make_stub(Stub())
    triton.handler = triton.hold

    async def page(request: Received) -> bytes:
        assert request.path == "/metrics"
        return ok(PAGE)

    metrics = await make_stub(Stub(page))
    upstreams = fleet_before(f"127.0.0.1:{triton.port}", f"127.0.0.1:{metrics.port}", WORK, clock)
    assert upstreams.others() == (0, 0.0)
    askers = [Asker() for _ in range(3)]
    for asker in askers:
        upstreams.fleet.infer("small", Payload((b"",)), clock.now() + 20, asker)
    await upstreams.others.look()
    requests, work_s = upstreams.others()
    assert requests == 4 + 12
    assert work_s == pytest.approx(4 * WORK["small"] + 12 * WORK["large"])
    triton.release.set()
    await until(lambda: all(asker.results for asker in askers))
    upstreams.close()


async def test_metrics_that_cannot_be_read_are_no_load(
    make_stub: MakeStub, clock: LoopClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Said once, and again when they can; what was read last is forgotten after two seconds."""
    caplog.set_level("INFO")
    metrics = await make_stub(Stub(lambda _: _page()))
    http = f"127.0.0.1:{metrics.port}"
    upstreams = fleet_before(http, http, WORK, clock)
    await upstreams.others.look()
    assert upstreams.others()[0] == 19
    await metrics.stop()
    while upstreams.others() != (0, 0.0):
        await upstreams.others.look()
    await metrics.start()
    await upstreams.others.look()
    assert upstreams.others()[0] == 19
    said = [line for line in caplog.messages if "metrics of Triton" in line]
    assert len(said) == 2
    assert "cannot be read" in said[0]
    upstreams.close()


async def test_siblings_are_seen_by_triton_too(make_stub: MakeStub, clock: LoopClock) -> None:
    """So they are not added: what is more counts."""
    metrics = await make_stub(Stub(lambda _: _page()))
    http = f"127.0.0.1:{metrics.port}"
    settings = UpstreamSettings.model_validate({"endpoints": [{"http": http, "metrics": http}]})
    siblings = [(3, 0.5)]
    chance = random.Random(0).random
    upstreams = Upstreams(settings, WORK, clock, chance, lambda: siblings[0])
    assert upstreams.others() == (3, 0.5)
    await upstreams.others.look()
    assert upstreams.others() == pytest.approx((19, 7 * WORK["small"] + 12 * WORK["large"]))
    siblings[0] = (30, 4.0)
    assert upstreams.others() == (30, 4.0)
    upstreams.close()


async def _page() -> bytes:
    return ok(PAGE)


SLOW = "fashion_medium"
BODY = json.dumps(
    {"inputs": [{"name": "images", "shape": [1, 1, 28, 28], "datatype": "FP32", "data": [0] * 784}]}
).encode()


class Closed:
    """A closed loop of `count` requests on something with infer()."""

    def __init__(self, target: object, variant: str, clock: LoopClock) -> None:
        self.target, self.variant, self.clock = target, variant, clock
        self.answered, self.over, self.open = 0, False, 0

    def start(self, count: int) -> None:
        """Keep so many in flight."""
        for _ in range(count):
            self._ask()

    def _ask(self) -> None:
        self.open += 1
        deadline = self.clock.now() + 60
        self.target.infer(self.variant, Payload((BODY,)), deadline, self)  # type: ignore[attr-defined]

    def ended(self, result: object) -> None:
        """See gateway.upstream.base.Listener."""
        assert isinstance(result, Reply)
        self.answered += 1
        self.open -= 1
        if not self.over:
            self._ask()


@asynccontextmanager
async def loading(target: object, clock: LoopClock, count: int) -> AsyncIterator[Closed]:
    """Load on `target` for a while."""
    load = Closed(target, SLOW, clock)
    load.start(count)
    try:
        yield load
    finally:
        load.over = True
        await until(lambda: load.open == 0)


@pytest.mark.triton
async def test_load_put_on_a_real_triton_is_seen_and_ours_is_not(
    triton: EmbeddedTriton, clock: LoopClock
) -> None:
    """Of 16 in flight of somebody else's more than half are seen, of 16 of ours a third at most.

    At a variant that takes its time: of a fast one, most requests would be under way on wires. Of
    ours none would be seen on an idle machine; on a busy one Triton's page is now and then older
    than what we know ourselves.
    """
    upstreams = fleet_before(triton.endpoints.http, triton.endpoints.metrics, {SLOW: 0.02}, clock)
    _, host, port = parse(triton.endpoints.http)
    direct = TritonHttp(Endpoint(host, port), clock)

    async def seen(load: Closed) -> float:
        """The mean of three looks, two dozen answers apart."""
        total = 0.0
        for looks in range(4):
            await upstreams.others.look()
            requests, work_s = upstreams.others()
            assert abs(work_s - requests * 0.02) <= 0.01
            total += requests if looks else 0  # the first one looks back on what was before
            enough = load.answered + 24
            await until(lambda enough=enough: load.answered >= enough)  # type: ignore[misc]
        return total / 3

    with sync_client.InferenceServerClient(triton.endpoints.http) as control:
        await asyncio.to_thread(control.load_model, SLOW)
        try:
            await upstreams.others.look()
            async with loading(direct, clock, 16) as load:
                theirs = await seen(load)
            async with loading(upstreams.fleet, clock, 16) as load:
                ours = await seen(load)
            await upstreams.others.look()
            await upstreams.others.look()
            assert upstreams.others() == (0, 0.0)
        finally:
            direct.close()
            upstreams.close()
            await asyncio.to_thread(control.unload_model, SLOW)
    assert 8 < theirs <= 18
    assert ours <= theirs / 3

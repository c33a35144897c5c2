"""Faults on a real Triton under open-loop load: answers go on, and tiers are kept again soon."""

import asyncio
import os
import shutil
import signal
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from deploy.embedded.server import EmbeddedTriton
from tests.gateway.chaos.tables import NANO, SMALL, TINY, chaos_table
from tests.gateway.openloop import KEPT, OpenLoop
from tests.gateway.process import GatewayProcess

pytestmark = pytest.mark.triton

REPOSITORY = Path(__file__).parents[3] / "model_repository" / "fashion"
# Requests a second. Three in four ask SMALL: more than it can do when it is ten times slower.
RATES = {"rescue": 20, "cascade": 20, "race": 20, "single": 20, "express": 20}
GRPC_RATES = {"single": 10}
A_SECOND = sum(RATES.values()) + sum(GRPC_RATES.values())
# What may be said while something is broken. Everything else is a bug, a 500 above all.
DECLARED = {
    200: {"on_time", "rescued", "best_effort"},
    502: {"failed"},
    503: {"shed", "failed"},
    504: {"late"},
}
AGAIN_S = 10.0  # after a fault's end every tier is kept again within this


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model repository of our own, whose models can be exchanged."""
    folder = tmp_path_factory.mktemp("repository")
    for model in (NANO, TINY, SMALL):
        shutil.copytree(REPOSITORY / model, folder / model)
    return folder


@pytest.fixture(scope="module")
def triton(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedTriton]:
    """A Triton of our own, to be broken."""
    models, log_dir = [NANO, TINY, SMALL], tmp_path_factory.mktemp("triton")
    with EmbeddedTriton(repository, log_dir=log_dir, models=models) as server:
        yield server


@pytest.fixture
def gateway(
    triton: EmbeddedTriton, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    """A gateway in front of it."""
    folder = tmp_path_factory.mktemp("gateway")
    with GatewayProcess(folder, chaos_table(), triton.endpoints.http) as process:
        yield process


def load_on(gateway: GatewayProcess) -> OpenLoop:
    """Every tier over REST, and one over gRPC too."""
    return OpenLoop(gateway.port, RATES, gateway.grpc, GRPC_RATES)


@asynccontextmanager
async def under_load(gateway: GatewayProcess) -> AsyncIterator[OpenLoop]:
    """Load that begins with everything kept and ends with every request accounted for."""
    async with load_on(gateway) as load:
        await load.until_kept(30)
        yield load
    assert not load.lost
    assert len(load.ended) == load.sent
    check_answers(load)
    assert "Traceback" not in gateway.log
    assert gateway.outcomes() == load.outcomes()


def check_answers(load: OpenLoop) -> None:
    """Each has a declared outcome, and came in time."""
    for one in load.ended:
        assert one.outcome in DECLARED.get(one.status, set()), one
    assert max(one.seconds for one in load.ended) < 5  # deadlines are 0.3 s: nothing hung


@contextmanager
def stopped(triton: EmbeddedTriton) -> Iterator[None]:
    """Triton stands still."""
    assert triton.pid is not None
    os.kill(triton.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(triton.pid, signal.SIGCONT)


def ask_triton(triton: EmbeddedTriton, action: str) -> None:
    """Load (again) or unload SMALL."""
    url = f"http://{triton.endpoints.http}/v2/repository/models/{SMALL}/{action}"
    with urllib.request.urlopen(urllib.request.Request(url, data=b"{}"), timeout=60) as answer:
        assert answer.status == 200


async def until_small_answers(load: OpenLoop) -> None:
    """Go on until SMALL answers again where it is the first choice."""
    seen = len(load.ended)

    def answers() -> bool:
        return any(one.tier == "single" and one.variant == SMALL for one in load.ended[seen:])

    await load.until(answers, AGAIN_S)


async def test_triton_is_killed_and_restarted(
    gateway: GatewayProcess, triton: EmbeddedTriton
) -> None:
    """While Triton is dead requests fail cleanly; 10 s after it is back every tier is kept."""
    async with under_load(gateway) as load:
        triton.kill()
        await load.until_answered(A_SECOND)
        assert load.ended[-1].outcome not in KEPT
        await asyncio.to_thread(triton.start)
        await load.until_kept(AGAIN_S)


async def test_triton_is_stopped_for_two_seconds(
    gateway: GatewayProcess, triton: EmbeddedTriton
) -> None:
    """While Triton stands still every request ends by its deadline all the same."""
    async with under_load(gateway) as load:
        with stopped(triton):
            await load.until_answered(2 * A_SECOND)
            assert load.outcomes()["late"] > 0
        await load.until_kept(AGAIN_S)


async def test_a_variant_becomes_ten_times_slower(
    gateway: GatewayProcess, triton: EmbeddedTriton, repository: Path
) -> None:
    """A slow variant is routed around where a plan without it keeps the promise."""
    model = repository / SMALL / "1" / "model.onnx"
    kept = model.read_bytes()
    async with under_load(gateway) as load:
        before = len(load.ended)
        shutil.copy(REPOSITORY / "fashion_large" / "1" / "model.onnx", model)
        await asyncio.to_thread(lambda: ask_triton(triton, "load"))
        await load.until_answered(2 * A_SECOND)
        await load.until_kept(AGAIN_S)  # without it
        single = [one for one in load.ended[before:] if one.tier == "single"]
        assert any(one.variant == TINY and one.outcome == "on_time" for one in single)
        model.write_bytes(kept)
        await asyncio.to_thread(lambda: ask_triton(triton, "load"))
        await until_small_answers(load)
        await load.until_kept(AGAIN_S)


async def test_a_variant_is_unloaded(gateway: GatewayProcess, triton: EmbeddedTriton) -> None:
    """Without a variant tiers are kept by plans that do not need it."""
    async with under_load(gateway) as load:
        await asyncio.to_thread(lambda: ask_triton(triton, "unload"))
        await load.until_kept(AGAIN_S)
        await load.until_answered(A_SECOND)
        recent = load.ended[-A_SECOND // 2 :]
        assert not any(one.variant == SMALL and one.outcome in KEPT for one in recent)
        await asyncio.to_thread(lambda: ask_triton(triton, "load"))
        await until_small_answers(load)
        await load.until_kept(AGAIN_S)


async def test_a_corrupt_tier_table_is_refused(gateway: GatewayProcess) -> None:
    """A reload of a corrupt file changes nothing, and says so; one of a good file no more."""
    async with under_load(gateway) as load:
        before = len(load.ended)
        good = gateway.tiers.read_bytes()
        gateway.tiers.write_bytes(good[: len(good) // 2])
        gateway.send(signal.SIGHUP)
        await load.until(lambda: "Invalid JSON" in gateway.log)
        await load.until_answered(A_SECOND)
        gateway.tiers.write_bytes(good)
        gateway.send(signal.SIGHUP)
        await load.until_kept(AGAIN_S)
        # The machine may hiccup, but nothing fails.
        assert {one.status for one in load.ended[before:]} <= {200, 503, 504}
        assert load.outcomes()["failed"] == 0


async def test_sigterm_answers_what_is_in_flight(triton: EmbeddedTriton, tmp_path: Path) -> None:
    """The requests in flight at SIGTERM are answered, and the gateway ends with 0."""
    with GatewayProcess(tmp_path, chaos_table(), triton.endpoints.http) as process:
        async with load_on(process) as load:
            await load.until_kept(30)
            with stopped(triton):
                await load.until(lambda: load.in_flight >= 10)
                told = time.monotonic()
                process.send(signal.SIGTERM)
            status = await asyncio.to_thread(process.wait)
        assert status == 0, process.log
        assert "Traceback" not in process.log
    assert load.sent == len(load.ended) + len(load.lost)
    # Each one that it had taken in was answered.
    assert all(began > told - 0.05 for began in load.lost)
    assert sum(one.began < told < one.at_s for one in load.ended) >= 5
    assert load.outcomes()["failed"] == 0
    check_answers(load)

"""Two worker processes serve as one, whatever becomes of them."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tailq import artefact
from tests.gateway.client import Client, get
from tests.gateway.process import GatewayProcess
from tests.gateway.steady import SteadyStub
from tests.gateway.workers.load import Load, going
from tests.tables import promise, table, tier

TABLE = table(
    tier("gold", 0.0, promise("large", 5.0)),
    tier("fast", 0.1, promise("small", 5.0), promise("small", 10.0)),
    max_outstanding=64,
)


@pytest.fixture
def triton() -> Iterator[SteadyStub]:
    with SteadyStub() as stub:
        yield stub


@pytest.fixture
def gateway(triton: SteadyStub, tmp_path: Path) -> Iterator[GatewayProcess]:
    with GatewayProcess(tmp_path, TABLE, triton.address, "--workers=2") as gateway:
        yield gateway


async def until(condition: Callable[[], Any]) -> None:
    """Ask the gateway, in a thread, until `condition` holds."""
    async with asyncio.timeout(30):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110  (another process)
            await asyncio.sleep(0.05)


def pids(gateway: GatewayProcess) -> list[int]:
    return [worker["pid"] for worker in gateway.state()["workers"] if "pid" in worker]


async def test_metrics_are_the_sum_of_all_workers(
    gateway: GatewayProcess, triton: SteadyStub
) -> None:
    """Every request over either protocol is counted once, as of the scrape, a crash or none.

    A worker that is killed takes along what it had in flight, and nothing that a scrape has shown.
    """
    load = Load(gateway)
    await asyncio.gather(*(load.rest(150) for _ in range(8)), *(load.grpc(100) for _ in range(4)))
    assert load.outcomes == {"on_time": 1600}
    assert not load.broken
    assert await asyncio.to_thread(gateway.outcomes) == {"on_time": 1600}
    before = await asyncio.to_thread(pids, gateway)
    assert len(set(before)) == 2

    os.kill(before[0], signal.SIGKILL)
    await until(lambda: len(pids(gateway)) == 2 and before[0] not in pids(gateway))
    assert await asyncio.to_thread(gateway.outcomes) == {"on_time": 1600}

    await asyncio.gather(*(load.rest(100) for _ in range(4)), *(load.grpc(50) for _ in range(4)))
    assert not load.broken
    metrics = await asyncio.to_thread(gateway.metrics)
    assert await asyncio.to_thread(gateway.outcomes) == {"on_time": 2200}
    assert metrics["tailq_worker_restarts_total"] == 1
    assert metrics["tailq_workers"] == 2
    assert metrics["tailq_outstanding"] == 0
    asks = metrics['tailq_asks_total{service="fashion",variant="small"}']
    assert asks == len(triton.stub.infers) == 2200
    view = await asyncio.to_thread(gateway.live)
    fast = next(tier for tier in view["tiers"] if tier["name"] == "fast")
    for span in (fast["since_start"], fast["window"]):
        assert span["by_outcome"]["on_time"] == span["judged"]["expected"] == 2200
        assert span["on_time"] == 1
    assert "TailqWorkerRestarts" in [trouble["runbook"] for trouble in view["troubles"]]


async def test_work_of_a_worker_that_was_killed_is_let_go(
    triton: SteadyStub, tmp_path: Path
) -> None:
    """What it had in flight is in nobody's account any more."""
    triton.stub.handler = triton.stub.hold
    with GatewayProcess(tmp_path, TABLE, triton.address, "--workers=2") as gateway:
        load = Load(gateway)
        tasks = [asyncio.create_task(load.rest(1)) for _ in range(8)]
        await until(lambda: gateway.metrics()["tailq_outstanding"] == 8)
        for pid in await asyncio.to_thread(pids, gateway):
            os.kill(pid, signal.SIGKILL)
        await until(lambda: gateway.metrics()["tailq_worker_restarts_total"] == 2)
        await until(lambda: gateway.metrics()["tailq_workers"] == 2)
        triton.release()
        await asyncio.gather(*tasks)
        metrics = await asyncio.to_thread(gateway.metrics)
        assert metrics["tailq_outstanding"] == 0
        assert load.outcomes == {"on_time": 8}  # asked anew: none of the old ones took a place


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_reload_drops_nothing(triton: SteadyStub, tmp_path: Path, workers: int) -> None:
    """A corrupt file, another service, then another table: refused, refused, taken, under load."""
    with GatewayProcess(tmp_path, TABLE, triton.address, f"--workers={workers}") as gateway:
        path = tmp_path / "tiers.json"
        count = 'tailq_reloads_total{file="tiers",result="%s",service="fashion"}'
        async with going(gateway, 4) as load:
            path.write_bytes(path.read_bytes()[:100])
            await until(lambda: gateway.metrics()[count % "refused"] == 1)
            other = TABLE.model_copy(update={"service": "shoes"})
            artefact.write(path, other)
            gateway.send(signal.SIGHUP)
            await until(lambda: gateway.metrics()[count % "refused"] == 2)
            assert "another gateway" in gateway.state()["reloads"]["tiers"]["why"]
            changed = table(tier("fast", 0.1, promise("large", 4.0)))
            artefact.write(path, changed)
            await until(lambda: gateway.metrics()[count % "ok"] == 1)
            seen = load.answers
            await until(lambda: load.answers > seen + 50)
        assert load.outcomes.keys() == {"on_time"}
        assert not load.broken
        assert list(gateway.state()["tiers"]["offered"]) == ["fast"]
        assert gateway.outcomes()["on_time"] == load.answers
        large = 'tailq_asks_total{service="fashion",variant="large"}'
        assert gateway.metrics()[large] > 50


@pytest.mark.parametrize("workers", [1, 2])
async def test_what_is_in_flight_at_the_end_is_answered(
    triton: SteadyStub, tmp_path: Path, workers: int
) -> None:
    """SIGTERM: nothing new is accepted, both protocols get their answers, exit code 0."""
    triton.stub.handler = triton.stub.hold
    with GatewayProcess(tmp_path, TABLE, triton.address, f"--workers={workers}") as gateway:
        load = Load(gateway)
        rest = [asyncio.create_task(load.rest(1)) for _ in range(4)]
        grpc = [asyncio.create_task(load.grpc(1)) for _ in range(4)]
        await until(lambda: len(triton.stub.infers) == 8)
        gateway.send(signal.SIGTERM)
        await until(lambda: refused(gateway.port))
        assert load.answers == 0
        triton.release()
        await asyncio.gather(*rest, *grpc)
        assert load.outcomes == {"on_time": 8}
        assert not load.broken
        assert await asyncio.to_thread(gateway.wait) == 0


@pytest.mark.parametrize("workers", [1, 2])
async def test_before_it_ends_it_says_so(triton: SteadyStub, tmp_path: Path, workers: int) -> None:
    """As long as load balancers need to notice: not ready over both protocols, and serving."""
    settings = tmp_path / "gateway.toml"
    settings.write_text(f"[listen]\nlame_duck_s = 600\nworkers = {workers}\n")
    options = f"--settings={settings}"
    with GatewayProcess(tmp_path, TABLE, triton.address, options) as gateway:
        gateway.ends_with(-signal.SIGTERM)  # a second one: it would be ten minutes
        async with aio.insecure_channel(gateway.grpc) as channel:
            health: Any = health_pb2_grpc.HealthStub(channel)

            async def serving() -> tuple[int, int]:
                client = await Client.connect(gateway.port)
                got = await client.ask(get("/v2/health/ready"))
                client.close()
                answer = await health.Check(health_pb2.HealthCheckRequest())
                return got.status, answer.status

            assert await serving() == (200, health_pb2.HealthCheckResponse.SERVING)
            gateway.send(signal.SIGTERM)
            async with asyncio.timeout(30):
                while await serving() != (503, health_pb2.HealthCheckResponse.NOT_SERVING):
                    pass
        load = Load(gateway)
        await asyncio.gather(load.rest(20), load.grpc(20))
        assert load.outcomes == {"on_time": 40}


def refused(port: int) -> bool:
    """Whether nobody accepts a connection there."""
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except OSError:
        return True
    return False


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_second_signal_ends_it_at_once(
    triton: SteadyStub, tmp_path: Path, workers: int
) -> None:
    """Requests in flight or not, and no worker stays."""
    triton.stub.handler = triton.stub.hold
    with GatewayProcess(tmp_path, TABLE, triton.address, f"--workers={workers}") as gateway:
        load = Load(gateway)
        asking = asyncio.create_task(load.rest(1))
        await until(lambda: triton.stub.infers)
        own = await asyncio.to_thread(pids, gateway)
        gateway.send(signal.SIGTERM)
        await until(lambda: refused(gateway.port))
        gateway.ends_with(-signal.SIGTERM)
        gateway.send(signal.SIGTERM)
        assert await asyncio.to_thread(gateway.wait) == -signal.SIGTERM
        await until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in own))
        load.over = True
        await asking
    assert load.answers == 0


async def test_workers_end_without_their_supervisor(gateway: GatewayProcess) -> None:
    """Nobody else would look after them."""
    own = await asyncio.to_thread(pids, gateway)
    gateway.ends_with(-signal.SIGKILL)
    gateway.send(signal.SIGKILL)
    await until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in own))

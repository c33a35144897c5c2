"""The list of Tritons changes while the gateway serves, as one process and as several."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.process import GatewayProcess
from tests.gateway.steady import SteadyStub
from tests.gateway.upstream.certificates import Authority
from tests.gateway.upstream.test_tls import server
from tests.gateway.workers.load import going
from tests.tables import promise, table, tier

TABLE = table(
    tier("gold", 0.0, promise("large", 5.0)),
    tier("fast", 0.1, promise("small", 5.0), promise("small", 10.0)),
    max_outstanding=64,
)
TAKEN = 'tailq_reloads_total{file="settings",result="%s",service="fashion"}'


@pytest.fixture
def tritons() -> Iterator[list[SteadyStub]]:
    with ExitStack() as stack:
        yield [stack.enter_context(SteadyStub()) for _ in range(3)]


async def until(condition: Callable[[], Any]) -> None:
    """Ask the gateway, in a thread, until `condition` holds."""
    async with asyncio.timeout(30):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110  (another process)
            await asyncio.sleep(0.05)


def endpoints(metrics: dict[str, float], name: str) -> set[str]:
    """Of which endpoints there is such a metric."""
    return {one.split('endpoint="')[1].split('"')[0] for one in metrics if one.startswith(name)}


@pytest.mark.parametrize("workers", [1, 2])
async def test_tritons_come_and_go_and_no_request_is_lost(
    tritons: list[SteadyStub], tmp_path: Path, workers: int
) -> None:
    """Every worker follows: the new one is asked, the old one left without a connection.

    A list that is none is refused whole. In the end all are replaced at once.
    """
    first, second, third = tritons
    file = tmp_path / "gateway.toml"

    def put(*listed: str) -> None:
        file.write_text(f"[listen]\nworkers = {workers}\n[upstream]\nendpoints = {list(listed)}\n")

    put(first.address, second.address)
    with GatewayProcess(tmp_path, TABLE, None, f"--settings={file}") as gateway:
        async with going(gateway, 3) as load:
            await until(lambda: first.stub.infers and second.stub.infers)
            put(second.address, third.address)
            gateway.send(signal.SIGHUP)
            await until(lambda: third.stub.infers and not first.stub.open)
            asked, seen = len(first.stub.infers), load.answers
            there = {second.address, third.address}
            await until(lambda: endpoints(gateway.metrics(), "tailq_upstream_up{") == there)
            metrics = await asyncio.to_thread(gateway.metrics)
            assert endpoints(metrics, "tailq_upstream_ejected{") == there
            counted = endpoints(metrics, "tailq_upstream_ejections_total{")
            assert counted == there | {first.address}
            await until(lambda: load.answers > seen + 50)
            assert len(first.stub.infers) == asked

            put("nonsense", first.address)
            gateway.send(signal.SIGHUP)
            await until(lambda: gateway.metrics()[TAKEN % "refused"] == 1)
            assert "'nonsense' is no HOST:PORT" in gateway.state()["reloads"]["settings"]["why"]
            put(first.address)
            await until(lambda: not second.stub.open and not third.stub.open)
            seen = load.answers
            await until(lambda: load.answers > seen + 50)
            states = (await asyncio.to_thread(gateway.state))["workers"]
            assert [[one["endpoint"] for one in state["endpoints"]] for state in states] == [
                [first.address]
            ] * workers
        assert load.outcomes.keys() == {"on_time"}
        assert not load.broken
        assert sum(len(one.stub.infers) for one in tritons) == load.answers
        assert gateway.outcomes() == {"on_time": load.answers}


async def test_tritons_of_the_command_line_stay(tritons: list[SteadyStub], tmp_path: Path) -> None:
    """They win over the file, whatever it says; the log says so."""
    first, second, _ = tritons
    file = tmp_path / "gateway.toml"
    file.write_text(f'[upstream]\nendpoints = ["{first.address}"]\n')
    with GatewayProcess(tmp_path, TABLE, first.address, f"--settings={file}") as gateway:
        file.write_text(f'[upstream]\nendpoints = ["{second.address}"]\n')
        gateway.send(signal.SIGHUP)
        await until(lambda: gateway.metrics()[TAKEN % "ok"] == 1)
        assert "gateway.toml: the Tritons stay those of --triton" in gateway.log
        (state,) = gateway.state()["workers"]
        assert [one["endpoint"] for one in state["endpoints"]] == [first.address]
        assert not second.stub.received


async def test_files_for_tritons_that_break_hold_up_no_worker(tmp_path: Path) -> None:
    """A worker that starts again goes by what was read, as do those that serve."""
    ours = Authority(tmp_path, "ours")
    mine = ours.sign("gateway")
    triton = SteadyStub()
    triton.stub.tls = server(ours.sign("127.0.0.1"), ours.file).tls
    file = tmp_path / "gateway.toml"
    names = f'ca = "{ours.file}", certificate = "{mine.certificate}", key = "{mine.key}"'
    with triton:
        file.write_text(
            f'[upstream]\nendpoints = ["https://{triton.address}"]\ntls = {{{names}}}\n'
        )
        option = f"--settings={file}"
        with GatewayProcess(tmp_path, TABLE, None, option, "--workers=2") as gateway:

            def up() -> set[int]:
                workers = gateway.state()["workers"]
                return {one["pid"] for one in workers if "pid" in one and one["endpoints"][0]["up"]}

            await until(lambda: len(up()) == 2)
            before = await asyncio.to_thread(up)
            ours.file.unlink()
            mine.key.write_text("half a fi")
            for pid in before:
                os.kill(pid, signal.SIGKILL)
            await until(lambda: len(up() - before) == 2)
            gateway.send(signal.SIGHUP)
            refused = 'tailq_reloads_total{file="%s",result="refused",service="fashion"}'
            parts = ("upstream_ca", "upstream_key")
            await until(lambda: all(gateway.metrics()[refused % name] for name in parts))
            assert len(await asyncio.to_thread(up)) == 2

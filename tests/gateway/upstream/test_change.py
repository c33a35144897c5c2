"""Another list of Tritons in the settings, against real connections."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from gateway.clock import LoopClock
from gateway.upstream import load, probes, tls
from gateway.upstream.base import Payload, Reply
from gateway.upstream.connect import Upstreams
from gateway.upstream.settings import UpstreamSettings
from tests.gateway.running import until
from tests.gateway.stub import Stub, ok
from tests.gateway.upstream.certificates import Authority
from tests.gateway.upstream.conftest import MakeStub
from tests.gateway.upstream.test_tls import server
from tests.gateway.upstream.tritons import WORK, Asker


def listing(*endpoints: Stub | dict[str, Any] | str, **more: Any) -> UpstreamSettings:
    """Settings with these endpoints."""
    written = [f"127.0.0.1:{one.port}" if isinstance(one, Stub) else one for one in endpoints]
    return UpstreamSettings.model_validate({"endpoints": written, **more})


def ask(upstreams: Upstreams) -> Asker:
    """One request, without waiting."""
    asker, clock = Asker(), upstreams.fleet.clock
    upstreams.fleet.infer("small", Payload((b"x",)), clock.now() + 20, asker)
    return asker


async def get(upstreams: Upstreams, count: int = 1) -> None:
    """So many good answers, one after the other."""
    for _ in range(count):
        asker = ask(upstreams)
        await until(lambda asker=asker: bool(asker.results))  # type: ignore[misc]
        assert isinstance(asker.result, Reply)


def up(upstreams: Upstreams) -> list[bool | None]:
    """Which members are."""
    return [member.is_up for member in upstreams.fleet.members]


async def probed(stub: Stub) -> None:
    """Three more rounds of probes."""
    rounds = health(stub) + 3
    await until(lambda: health(stub) >= rounds)


def health(stub: Stub) -> int:
    """How often it was probed."""
    return sum(one.path == "/v2/health/ready" for one in stub.received)


@pytest.fixture
async def stubs(make_stub: MakeStub) -> list[Stub]:
    return [await make_stub(Stub()) for _ in range(3)]


@pytest.fixture
async def upstreams(
    stubs: list[Stub], clock: LoopClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Upstreams]:
    """Before the first two, and looked after."""
    monkeypatch.setattr(probes, "EVERY_S", 0.05)
    monkeypatch.setattr(load, "EVERY_S", 0.05)
    made = Upstreams(listing(*stubs[:2]), WORK, clock, random.Random(0).random)
    tasks = [asyncio.ensure_future(made.probes.run()), asyncio.ensure_future(made.others.run())]
    await until(lambda: up(made) == [True, True])
    yield made
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    made.close()


async def test_one_comes_and_one_goes(upstreams: Upstreams, stubs: list[Stub]) -> None:
    """What is in flight at the one that goes is answered, then it has no connection any more.

    The one that stays is asked over the connections that it had, the one that comes from when it
    was seen to be up.
    """
    old, stays, new = stubs
    await get(upstreams, 4)
    old.handler = old.hold
    held = [ask(upstreams) for _ in range(2)]
    await until(lambda: len(old.infers) == 3)
    upstreams.change(listing(stays, new))
    assert [one.name for one in upstreams.fleet.members] == [f"127.0.0.1:{stays.port}",
                                                             f"127.0.0.1:{new.port}"]  # fmt: skip
    assert up(upstreams) == [True, None]
    await until(lambda: up(upstreams) == [True, True])
    await get(upstreams, 10)
    assert len(new.infers) == 5
    assert len(old.infers) == 3
    assert sum(bool(one.results) for one in held) == 1
    assert old.open
    old.release.set()
    await until(lambda: all(one.results for one in held))
    assert all(isinstance(one.result, Reply) for one in held)
    await until(lambda: old.open == 0)
    await probed(new)  # a probe of the old one may have been under way
    asked = len(old.received)
    await probed(new)
    assert len(old.received) == asked


async def test_a_list_as_before_changes_nothing(upstreams: Upstreams, stubs: list[Stub]) -> None:
    """Nor does another order, or a change of what is not about endpoints."""
    await get(upstreams, 4)
    members = upstreams.fleet.members
    opened = [stub.open for stub in stubs[:2]]
    upstreams.change(listing(stubs[1], stubs[0], connect_s=1.0))
    assert upstreams.fleet.members == members[::-1]
    await get(upstreams, 4)
    assert all(stub.open >= before > 0 for stub, before in zip(stubs, opened, strict=False))


async def test_a_connection_that_is_opened_when_its_endpoint_leaves_serves_once(
    upstreams: Upstreams, stubs: list[Stub]
) -> None:
    """Its request began before; then it closes."""
    upstreams.fleet.members[0].triton.drop_idle()
    upstreams.fleet.members[1].triton.drop_idle()
    asked = [ask(upstreams) for _ in range(2)]
    upstreams.change(listing(stubs[2]))
    await until(lambda: all(one.results for one in asked))
    assert all(isinstance(one.result, Reply) for one in asked)
    await until(lambda: up(upstreams) == [True])
    await until(lambda: stubs[0].open == stubs[1].open == 0)
    await get(upstreams, 4)
    assert len(stubs[2].infers) == 4


async def test_metrics_are_of_those_that_are_listed(
    upstreams: Upstreams, stubs: list[Stub], make_stub: MakeStub
) -> None:
    """Of one that stays they may be read from now on, or no more; it stays all the same."""

    async def page(_: object) -> bytes:
        return ok(b'nv_inference_pending_request_count{model="small",version="1"} 7\n')

    metrics = await make_stub(Stub(page))
    members = upstreams.fleet.members
    first = {"http": f"127.0.0.1:{stubs[0].port}", "metrics": f"127.0.0.1:{metrics.port}"}
    upstreams.change(listing(first, stubs[1]))
    await until(lambda: upstreams.others()[0] == 7)
    upstreams.change(listing(*stubs[:2]))
    await until(lambda: upstreams.others()[0] == 0 and metrics.open == 0)
    assert upstreams.fleet.members == members


async def test_an_endpoint_with_other_tls_is_another_one(
    upstreams: Upstreams, stubs: list[Stub], make_stub: MakeStub, tmp_path: Path
) -> None:
    """It is verified anew, before it is asked; with the same TLS it stays."""
    ours, theirs = Authority(tmp_path, "ours"), Authority(tmp_path, "theirs")
    secure = await make_stub(server(ours.sign("127.0.0.1")))
    https = f"https://127.0.0.1:{secure.port}"

    def trust(authority: Authority) -> None:
        settings = listing(stubs[0], https, tls={"ca": authority.file})
        assert settings.tls is not None
        upstreams.change(settings, tls.read(settings.tls))

    trust(ours)
    await until(lambda: up(upstreams) == [True, True])
    trusted = upstreams.fleet.members
    trust(ours)
    assert upstreams.fleet.members == trusted
    trust(theirs)
    assert upstreams.fleet.members[0] is trusted[0]
    await until(lambda: up(upstreams) == [True, False])
    assert "certificate is not accepted" in upstreams.fleet.members[1].why
    await get(upstreams, 4)
    assert not secure.infers

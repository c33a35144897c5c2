"""What requests that went through a fleet leave to the garbage collector."""

import gc

import pytest

from gateway.dataplane import Answer, Dataplane
from gateway.upstream.base import Payload, Result
from tailq.route import Ask, Router
from tests.gateway.upstream.tritons import ILL, REFUSED, REPLY, World
from tests.gateway.virtual import Records
from tests.tables import promise, table, tier

TABLE = table(tier("fast", 0.1, promise("small", 0.1)))


@pytest.mark.parametrize("after_s", [0.01, 0.3, None], ids=["in time", "late", "never"])
@pytest.mark.parametrize("result", [REPLY, REFUSED, ILL], ids=["answered", "elsewhere", "failed"])
def test_requests_leave_no_cyclic_garbage(result: Result, after_s: float | None) -> None:
    """Who asks, the call, and who hears of its end know each other only as long as it lasts."""
    world = World(2)
    plane = Dataplane(Router(TABLE), world.fleet, world.clock, Records())
    world.tritons[0].always(result, after_s)
    world.tritons[1].always(REPLY)

    def get() -> None:
        answers: list[Answer] = []
        execution = plane.open(Ask(tier="fast"), world.clock.now(), answers.append)
        execution.send(Payload((b"x",)))
        del execution
        world.sleep(20.0)
        assert len(answers) == 1
        for triton in world.tritons:
            triton.calls.clear()

    for _ in range(10):
        get()
    gc.collect()
    gc.disable()
    try:
        for _ in range(20):
            get()
        assert gc.collect() == 0
    finally:
        gc.enable()
    assert plane.account.own == 0

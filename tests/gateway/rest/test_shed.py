"""A tier that would rather refuse than try, over real sockets."""

from tests.gateway.client import infer
from tests.gateway.running import MakeRunning, until
from tests.gateway.stub import Stub, answer
from tests.tables import promise, table, tier

STRICT = tier("fast", 0.1, promise("small", 5.0)).model_copy(update={"otherwise": "shed"})


async def test_what_is_shed_is_answered_before_its_body(
    make_running: MakeRunning, stub: Stub
) -> None:
    """At the head, whatever the body; nothing of it is held, and upstream never hears of it."""
    stub.handler = stub.hold
    async with make_running(table(STRICT, max_outstanding=1)) as gateway:
        first, second = await gateway.client(), await gateway.client()
        await first.send(infer())
        await until(lambda: len(stub.infers) == 1)
        held = gateway.gateway.service.buffered
        got = await second.ask(infer(body=bytes(1 << 16)))
        assert got.status == 503
        assert got.headers["tailq-outcome"] == "shed"
        assert "retry-after" in got.headers
        assert gateway.gateway.service.buffered == held
        assert len(stub.infers) == 1
        stub.release.set()
        await until(lambda: gateway.gateway.service.dataplane.outstanding == 0)
        stub.handler = answer
        assert (await (await gateway.client()).ask(infer())).status == 200

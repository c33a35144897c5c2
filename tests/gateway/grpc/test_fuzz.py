"""Bytes that are nearly requests: declared codes only, and nothing grows."""

import asyncio

import grpc
from grpc import aio
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.gateway.grpc.messages import mutated, requests
from tests.gateway.grpc.serving import INFER, Serving, echo, serving
from tests.gateway.running import TABLE, running, until
from tests.gateway.stub import Stub

DECLARED = {
    grpc.StatusCode.OK,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.DEADLINE_EXCEEDED,  # of a deadline asked for, below a millisecond
}
METADATA = st.lists(
    st.tuples(
        st.sampled_from(
            ["tailq-tier", "tolerance", "tailq-deadline-ms", "tailq-request-id", "x-my", "x-my-bin"]
        ),
        st.sampled_from(["fast", "gold", "0.5", "1e9", "nan", "-1", " ", "a" * 70, "9000"]),
    ).map(lambda pair: (pair[0], pair[1].encode() if pair[0].endswith("-bin") else pair[1])),
    max_size=3,
)
MESSAGES = mutated(requests()) | requests().map(lambda one: one.SerializeToString())
CALLS = st.lists(st.tuples(MESSAGES | st.binary(max_size=100), METADATA), min_size=5, max_size=25)


async def ask_all(
    served: Serving, calls: list[tuple[bytes, list[tuple[str, str | bytes]]]]
) -> None:
    """Send all, on one connection, at once; each is answered with a declared code."""
    async with aio.insecure_channel(served.address) as channel:
        infer: aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(INFER)
        calling = [
            infer(data, metadata=(("tailq-tier", "fast"), *metadata), timeout=30)
            for data, metadata in calls
        ]
        for one in calling:
            code = await one.code()
            assert code in DECLARED, await one.details()


# To shrink an example, which takes a server, would take minutes.
@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(CALLS)
def test_whatever_is_sent_is_answered(
    calls: list[tuple[bytes, list[tuple[str, str | bytes]]]],
) -> None:
    """OK or the sender's mistake; as many outcomes as calls, and nothing is left of them."""

    async def run() -> None:
        stub = Stub(handler=echo)
        await stub.start()
        try:
            async with running(stub.port, TABLE) as gateway, serving(gateway) as served:
                await ask_all(served, [])
                tasks = len(asyncio.all_tasks())
                await ask_all(served, calls)
                await until(served.is_empty)
                assert sum(gateway.outcomes().values()) == len(calls)
                # The stub has one for each connection that is kept for later.
                await until(lambda: len(asyncio.all_tasks()) <= tasks + stub.open)
        finally:
            await stub.stop()

    asyncio.run(run())

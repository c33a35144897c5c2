"""Clients of both protocols that ask on and on, and count what comes of it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from grpc import aio

from gateway.grpc.protocol import inference_pb2 as pb
from tests.gateway.client import Client, infer
from tests.gateway.process import GatewayProcess

METHOD = "/inference.GRPCInferenceService/ModelInfer"


class Load:
    """outcomes: of the answers that came. broken: connections on which none came."""

    def __init__(self, gateway: GatewayProcess) -> None:
        self.gateway = gateway
        self.outcomes: Counter[str] = Counter()
        self.broken = 0
        self.over = False

    @property
    def answers(self) -> int:
        """How many have come."""
        return self.outcomes.total()

    async def rest(self, count: int | None = None) -> None:
        """Ask `count` times over connections that are kept; None: until it is over."""
        asked = 0
        while not self.over and asked != count:
            try:
                client = await Client.connect(self.gateway.port)
            except OSError:
                self.broken += 1
                await asyncio.sleep(0.01)
                continue
            try:
                while not self.over and asked != count:
                    got = await client.ask(infer())
                    asked += 1
                    self.outcomes[got.headers["tailq-outcome"]] += 1
            except (asyncio.IncompleteReadError, ConnectionError):
                self.broken += 1
            finally:
                client.close()

    async def grpc(self, count: int) -> None:
        """Ask `count` times over one channel."""
        request = pb.ModelInferRequest(model_name="fashion")
        metadata = (("tailq-tier", "fast"),)
        # A channel of its own: they would share one connection, and so one worker.
        options = (("grpc.use_local_subchannel_pool", 1),)
        async with aio.insecure_channel(self.gateway.grpc, options=options) as channel:
            call: Any = channel.unary_unary(METHOD)
            for _ in range(count):
                try:
                    answer = await call(request.SerializeToString(), metadata=metadata)
                except aio.AioRpcError:
                    self.broken += 1
                    continue
                response = pb.ModelInferResponse.FromString(answer)
                self.outcomes[response.parameters["tailq_outcome"].string_param] += 1


@asynccontextmanager
async def going(gateway: GatewayProcess, clients: int) -> AsyncIterator[Load]:
    """REST clients that go on until this is left."""
    load = Load(gateway)
    tasks = [asyncio.create_task(load.rest()) for _ in range(clients)]
    try:
        yield load
    finally:
        load.over = True
        await asyncio.gather(*tasks)

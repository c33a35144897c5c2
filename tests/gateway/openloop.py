"""Open-loop load on a running gateway that keeps account of every single request."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import grpc
import numpy as np
from grpc import aio

from gateway.grpc.protocol import inference_pb2 as pb
from tests.gateway.client import Client, infer

IMAGE = np.random.default_rng(0).random((1, 1, 28, 28), dtype=np.float32).tobytes()
JSON = (
    b'{"inputs":[{"name":"images","shape":[1,1,28,28],"datatype":"FP32",'
    b'"parameters":{"binary_data_size":3136}}],"parameters":{"binary_data_output":true}}'
)
MESSAGE = pb.ModelInferRequest(
    model_name="fashion",
    inputs=[
        pb.ModelInferRequest.InferInputTensor(name="images", datatype="FP32", shape=[1, 1, 28, 28])
    ],
    raw_input_contents=[IMAGE],
).SerializeToString()
METHOD = "/inference.GRPCInferenceService/ModelInfer"
# What gRPC's library says by itself where there is no server, or one that is just ending.
LIBRARY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
# HTTP's word for the codes that gRPC has for the same; 500: none that was declared.
STATUS = {
    grpc.StatusCode.OK: 200,
    grpc.StatusCode.INTERNAL: 502,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
}
# What a promise kept looks like from outside.
KEPT = frozenset(("on_time", "rescued"))


def request(tier: str) -> bytes:
    """One image for a tier, over REST."""
    head = f"Inference-Header-Content-Length: {len(JSON)}"
    return infer(head, tier=tier, body=JSON + IMAGE)


@dataclass(frozen=True, slots=True)
class Ended:
    """How one request ended. began, at_s: on the monotonic clock. None: the answer did not say."""

    tier: str
    began: float
    at_s: float
    status: int
    outcome: str | None
    variant: str | None

    @property
    def seconds(self) -> float:
        """From sending it to its answer."""
        return self.at_s - self.began


@dataclass
class OpenLoop:
    """Poisson streams, one a tier and protocol, from entry to exit of the context.

    port, rates: of REST, requests a second by tier. grpc_address, grpc_rates: the same of gRPC.
    lost: when those were sent of which the connection broke without an answer.
    """

    port: int
    rates: Mapping[str, float]
    grpc_address: str = "127.0.0.1:0"
    grpc_rates: Mapping[str, float] = field(default_factory=dict)
    seed: int = 1
    ended: list[Ended] = field(default_factory=list)
    sent: int = 0
    lost: list[float] = field(default_factory=list)
    _idle: list[Client] = field(default_factory=list)
    _asking: set["asyncio.Task[None]"] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        self._channel = aio.insecure_channel(self.grpc_address)
        self._infer: aio.UnaryUnaryMultiCallable[bytes, bytes] = self._channel.unary_unary(METHOD)
        self._streams = [
            asyncio.create_task(self._stream(send, tier, rate))
            for send, rates in ((self._rest, self.rates), (self._grpc, self.grpc_rates))
            for tier, rate in rates.items()
        ]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Send no more, and wait for what is on its way."""
        for stream in self._streams:
            stream.cancel()
        while self._asking:
            await asyncio.wait(self._asking)
        for client in self._idle:
            client.close()
        await self._channel.close()

    @property
    def in_flight(self) -> int:
        """Requests that were sent and have not ended."""
        return len(self._asking)

    async def until(self, condition: Callable[[], bool], within_s: float = 60) -> None:
        """Go on until `condition` holds."""
        async with asyncio.timeout(within_s):
            while not condition():  # noqa: ASYNC110  (it looks; there is no event)
                await asyncio.sleep(0.01)

    async def until_answered(self, count: int, within_s: float = 60) -> None:
        """Go on for so many more answers."""
        goal = len(self.ended) + count
        await self.until(lambda: len(self.ended) >= goal, within_s)

    async def until_kept(self, within_s: float) -> None:
        """Go on until a whole second's requests of every tier are kept (but one in twenty)."""
        began = time.monotonic()

        def kept() -> bool:
            since = time.monotonic() - 1
            return since > began and self._kept(one for one in self.ended if one.at_s >= since)

        await self.until(kept, within_s)

    def _kept(self, recent: Iterable[Ended]) -> bool:
        seen, kept = Counter[str](), Counter[str]()
        for one in recent:
            seen[one.tier] += 1
            kept[one.tier] += one.outcome in KEPT
        tiers = self.rates.keys() | self.grpc_rates.keys()
        return all(kept[tier] >= max(1, 0.95 * seen[tier]) for tier in tiers)

    def outcomes(self) -> Counter[str | None]:
        """How many ended in which way."""
        return Counter(one.outcome for one in self.ended)

    async def _stream(
        self, send: Callable[[str], Coroutine[None, None, None]], tier: str, rate: float
    ) -> None:
        rng = random.Random(f"{self.seed} {send.__name__} {tier}")
        due = time.monotonic()
        while True:
            due += rng.expovariate(rate)
            await asyncio.sleep(due - time.monotonic())
            self.sent += 1
            task = asyncio.create_task(send(tier))
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)

    async def _rest(self, tier: str) -> None:
        began = time.monotonic()
        client: Client | None = None
        try:
            client = self._idle.pop() if self._idle else await Client.connect(self.port)
            got = await client.ask(request(tier))
        except (ConnectionError, asyncio.IncompleteReadError):
            self.lost.append(began)
            if client is not None:
                client.close()
            return
        self._end(tier, began, got.status, got.headers)
        if got.headers.get("connection") == "close":
            client.close()
        else:
            self._idle.append(client)

    async def _grpc(self, tier: str) -> None:
        began = time.monotonic()
        call = self._infer(MESSAGE, metadata=(("tailq-tier", tier),), timeout=20)
        code = await call.code()
        status = STATUS.get(code, 500)
        trailers = {str(name): str(value) for name, value in await call.trailing_metadata()}
        if code in LIBRARY and "tailq-outcome" not in trailers:
            self.lost.append(began)
        else:
            self._end(tier, began, status, trailers)

    def _end(self, tier: str, began: float, status: int, said: Mapping[str, str]) -> None:
        outcome, variant = said.get("tailq-outcome"), said.get("tailq-variant")
        self.ended.append(Ended(tier, began, time.monotonic(), status, outcome, variant))

"""A gateway in the test's loop that listens for gRPC, and a server behind it that echoes."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import grpc
import numpy as np
import tritonclient.grpc as client
from grpc import aio

from gateway.grpc.server import GrpcServer
from tests.gateway.running import Running
from tests.gateway.stub import Received, answer, ok

INFER = "/inference.GRPCInferenceService/ModelInfer"
IMAGE = np.arange(6, dtype=np.float32).reshape(2, 3)
FAST = {"tailq-tier": "fast"}


@dataclass
class Serving:
    """A gateway that listens for gRPC."""

    running: Running
    server: GrpcServer
    port: int

    @property
    def address(self) -> str:
        """HOST:PORT."""
        return f"127.0.0.1:{self.port}"

    def is_empty(self) -> bool:
        """Whether nothing is held or counted for any request."""
        service = self.running.gateway.service
        return service.buffered == 0 and service.dataplane.outstanding == 0


@asynccontextmanager
async def serving(running: Running, **options: Any) -> AsyncIterator[Serving]:
    """`running`, listening for gRPC too."""
    gateway = running.gateway
    server = GrpcServer(gateway.service, gateway.readiness, **options)
    try:
        yield Serving(running, server, await server.start())
    finally:
        await server.stop(0)


def tensor(array: Any = IMAGE, name: str = "images", datatype: str = "FP32") -> client.InferInput:
    """An input of tritonclient's."""
    one = client.InferInput(name, array.shape, datatype)
    one.set_data_from_numpy(array)
    return one


def message(array: Any = IMAGE, model: str = "fashion") -> bytes:
    """A ModelInferRequest."""
    request = client.service_pb2.ModelInferRequest(model_name=model)
    one = tensor(array)
    request.inputs.extend([one._get_tensor()])
    request.raw_input_contents.append(one._get_content())
    content: bytes = request.SerializeToString()
    return content


async def call(
    address: str,
    data: bytes,
    *metadata: tuple[str, str | bytes],
    method: str = INFER,
    patience_s: float | None = 20.0,
    compression: grpc.Compression | None = None,
) -> tuple[grpc.StatusCode, str, bytes, dict[str, str]]:
    """Status, its text, message and trailers of a call with bytes as they are."""
    async with aio.insecure_channel(address) as channel:
        multi: aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method)
        calling = multi(data, timeout=patience_s, metadata=metadata, compression=compression)
        content = b""
        with suppress(aio.AioRpcError):
            content = await calling
        trailers = {str(name): str(value) for name, value in await calling.trailing_metadata()}
        return await calling.code(), await calling.details() or "", content, trailers


async def echo(request: Received) -> bytes | None:
    """What a model would say that gives each of its inputs back, by the same name."""
    if not request.path.endswith("/infer"):
        return await answer(request)
    size = int(request.headers["inference-header-content-length"])
    asked = json.loads(request.body[:size])
    content = {"model_name": "small", "model_version": "1"}
    if "id" in asked:
        content["id"] = asked["id"]
    head = json.dumps({**content, "outputs": asked["inputs"]}).encode()
    return ok(head + request.body[size:], f"Inference-Header-Content-Length: {len(head)}")

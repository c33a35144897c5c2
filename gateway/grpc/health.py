"""grpc.health.v1: whether requests can be served, asked when a client wants to know."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import grpc
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from gateway.upstream.readiness import Readiness

Request = health_pb2.HealthCheckRequest
Response = health_pb2.HealthCheckResponse
Context = aio.ServicerContext[Request, Response]

SERVICE: Final = "inference.GRPCInferenceService"
_OVERALL: Final = ""
_LOOK_EVERY_S: Final = 1.0
# Who watches holds a call for as long as it likes: those who infer need some, too.
_MOST_WATCH: Final = 512


class Health(health_pb2_grpc.HealthServicer):
    """Serving means that every variant can be asked, and that this gateway is not about to end.

    https://github.com/grpc/grpc/blob/master/doc/health-checking.md
    """

    def __init__(self, readiness: Readiness) -> None:
        self._readiness = readiness
        self._draining = asyncio.Event()
        self._watching = 0

    def drain(self) -> None:
        """No more requests are taken; those who watch are told, and let go."""
        self._draining.set()

    @property
    def draining(self) -> bool:
        """Whether drain() was called."""
        return self._draining.is_set()

    async def Check(self, request: Request, context: Context) -> Response:  # noqa: N802
        """See the protocol."""
        if request.service not in (_OVERALL, SERVICE):
            await context.abort(
                grpc.StatusCode.NOT_FOUND, f"there are: {_OVERALL!r} and {SERVICE!r}"
            )
        return Response(status=await self._status())

    async def Watch(  # noqa: N802
        self, request: Request, context: Context
    ) -> AsyncIterator[Response]:
        """See the protocol: the state now, and whenever it changes."""
        if self._watching >= _MOST_WATCH:
            text = f"{_MOST_WATCH} watch already; use Check"
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, text)
        self._watching += 1
        try:
            async for response in self._changes(request):
                yield response
        finally:
            self._watching -= 1

    async def _changes(self, request: Request) -> AsyncIterator[Response]:
        if request.service not in (_OVERALL, SERVICE):
            yield Response(status=Response.SERVICE_UNKNOWN)
            await self._draining.wait()
            return
        said = None
        while not self._draining.is_set():
            status = await self._status()
            if status != said:
                said = status
                yield Response(status=status)
            try:
                await asyncio.wait_for(self._draining.wait(), _LOOK_EVERY_S)
            except TimeoutError:
                continue
        yield Response(status=Response.NOT_SERVING)

    async def _status(self) -> int:
        if self._draining.is_set() or await self._readiness.not_ready() is not None:
            return Response.NOT_SERVING
        return Response.SERVING

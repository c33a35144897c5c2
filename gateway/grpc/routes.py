"""Which method is answered by whom; methods that are not served are refused in words."""

from collections.abc import AsyncIterable
from functools import partial
from typing import Final

import grpc
from grpc import aio

from gateway.grpc.health import SERVICE
from gateway.grpc.infer import Infer
from gateway.grpc.methods import Methods
from gateway.service import Service

Context = aio.ServicerContext[bytes, bytes]

_PREFIX: Final = f"/{SERVICE}/"
_INFER: Final = f"{_PREFIX}ModelInfer"
_REFUSED: Final = {
    "ModelStreamInfer": "streams are not served, since each of their requests needs a deadline "
    "and an outcome of its own; send each by ModelInfer (tritonclient: infer or async_infer)",
    "ModelConfig": "the configuration is served over HTTP: GET /v2/models/{service}/config",
}
_NOT_SERVED: Final = (
    "the gateway does not serve {method}; it serves ServerLive, ServerReady, ServerMetadata, "
    "ModelReady, ModelMetadata and ModelInfer. For the others ask Triton itself"
)


class Routes(grpc.GenericRpcHandler):
    """The handlers of the inference service. They are given bytes and return bytes.

    ModelInfer's begins when the head of its call has come, and reads the message by itself: the
    clock starts at the head, since a message may be large and slow. On the wire it is unary.
    """

    def __init__(self, infer: Infer, methods: Methods, service: Service) -> None:
        self._now = service.dataplane.clock.now
        self._serve = infer.serve
        self._name = service.name
        self._handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
            f"{_PREFIX}{name}": grpc.unary_unary_rpc_method_handler(method)
            for name, method in (
                ("ServerLive", methods.server_live),
                ("ServerReady", methods.server_ready),
                ("ServerMetadata", methods.server_metadata),
                ("ModelReady", methods.model_ready),
                ("ModelMetadata", methods.model_metadata),
            )
        }

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> "grpc.RpcMethodHandler[bytes, bytes] | None":
        """See grpc.GenericRpcHandler. None: the method of another service."""
        path = handler_call_details.method
        if path == _INFER:
            return grpc.stream_unary_rpc_method_handler(partial(self._answer, self._now()))
        handler = self._handlers.get(path)
        if handler is None and path.startswith(_PREFIX):
            # Whatever it streams: this reads nothing and answers nothing.
            method = path.removeprefix(_PREFIX)
            return grpc.stream_stream_rpc_method_handler(partial(self._refuse, method))
        return handler

    async def _answer(
        self, arrived: float, _requests: AsyncIterable[bytes], context: Context
    ) -> bytes:
        return await self._serve(context, arrived)

    async def _refuse(self, method: str, _requests: AsyncIterable[bytes], context: Context) -> None:
        text = _REFUSED.get(method, _NOT_SERVED)
        await context.abort(
            grpc.StatusCode.UNIMPLEMENTED,
            text.format(service=self._name, method=ascii(method[:64])),
        )

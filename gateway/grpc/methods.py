"""The methods of the protocol that are asked seldom: liveness, readiness, metadata."""

from typing import Any

import grpc
from google.protobuf.message import DecodeError
from grpc import aio

from gateway import said
from gateway.errors import UnknownModel
from gateway.grpc import respond
from gateway.grpc.protocol import inference_pb2 as messages
from gateway.service import VERSION, Service
from gateway.upstream.readiness import Readiness

Context = aio.ServicerContext[bytes, bytes]


class Methods:
    """Handlers of bytes, for one service. name, version: of this server."""

    def __init__(self, service: Service, readiness: Readiness, name: str, version: str) -> None:
        self._service = service
        self._readiness = readiness
        self._server = messages.ServerMetadataResponse(
            name=name, version=version, extensions=["binary_tensor_data"]
        ).SerializeToString()

    async def server_live(self, _data: bytes, _context: Context) -> bytes:
        """See the protocol."""
        return messages.ServerLiveResponse(live=True).SerializeToString()

    async def server_ready(self, _data: bytes, _context: Context) -> bytes:
        """See the protocol."""
        ready = await self._readiness.not_ready() is None
        return messages.ServerReadyResponse(ready=ready).SerializeToString()

    async def server_metadata(self, _data: bytes, _context: Context) -> bytes:
        """See the protocol."""
        return self._server

    async def model_ready(self, data: bytes, context: Context) -> bytes:
        """See the protocol."""
        request = messages.ModelReadyRequest()
        await self._check(request, data, context)
        ready = await self._readiness.not_ready() is None
        return messages.ModelReadyResponse(ready=ready).SerializeToString()

    async def model_metadata(self, data: bytes, context: Context) -> bytes:
        """See the protocol: of the reference variant, in the service's name."""
        request = messages.ModelMetadataRequest()
        await self._check(request, data, context)
        found = await self._readiness.metadata()
        try:
            return self._metadata(found or {})
        except (LookupError, TypeError, ValueError):
            await context.abort(
                grpc.StatusCode.UNAVAILABLE,
                "Triton does not tell what the model is like; try again",
                respond.retry(said.RETRY_AFTER_S),
            )

    def _metadata(self, found: dict[str, Any]) -> bytes:
        """Raises LookupError, TypeError, ValueError if `found` is not of the protocol's form."""
        return messages.ModelMetadataResponse(
            name=self._service.name,
            versions=[VERSION],
            platform=found["platform"],
            inputs=_tensors(found.get("inputs", ())),
            outputs=_tensors(found.get("outputs", ())),
        ).SerializeToString()

    async def _check(
        self,
        request: messages.ModelReadyRequest | messages.ModelMetadataRequest,
        data: bytes,
        context: Context,
    ) -> None:
        try:
            request.ParseFromString(data)
            self._service.check(request.name, request.version or None)
        except DecodeError:
            await context.abort(
                grpc.StatusCode.INVALID_ARGUMENT, f"the message is no {request.DESCRIPTOR.name}"
            )
        except UnknownModel as error:
            response = respond.refusal(error)
            assert response.code is not None
            await context.abort(response.code, response.text)


def _tensors(found: object) -> list[messages.ModelMetadataResponse.TensorMetadata]:
    """Triton's JSON has the members of the message; others are left out."""
    return [
        messages.ModelMetadataResponse.TensorMetadata(
            name=each["name"],
            datatype=each["datatype"],
            shape=[int(size) for size in each["shape"]],
        )
        for each in (found if isinstance(found, list) else ())
    ]

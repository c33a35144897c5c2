"""ModelInfer: who asks, for what, by when; and how the call ends."""

import logging
from typing import Final

import grpc
from grpc import aio

from gateway.clients import Client, ratelimit
from gateway.grpc import metadata, respond
from gateway.grpc.exchange import Context, Exchange
from gateway.grpc.payload import Payloads
from gateway.grpc.respond import Response
from gateway.service import Service
from tailq.errors import BadRequest
from tailq.route import Ask

_log: Final = logging.getLogger("tailq.gateway")


class Infer:
    """Answers ModelInfer for one service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._payloads = Payloads(service)
        self.reload()

    def reload(self) -> None:
        """The service's tiers or clients are others now."""
        self._metadata = metadata.Reader(self._service.clients)
        self._responder = respond.Responder(self._service.table)

    async def serve(self, context: Context, arrived: float) -> bytes:
        """Serve a call. arrived: when its head had come, on the dataplane's clock, seconds."""
        try:
            response = await self._response(context, arrived)
        except aio.BaseError:  # gRPC's own: the call, or the server, has ended
            raise
        except Exception:  # noqa: BLE001  (a mistake of ours: logged, and not for the client)
            _log.exception("a gRPC request failed in the gateway")
            response = respond.bad(grpc.StatusCode.INTERNAL, "the gateway has failed; see its log")
        if response.code is not None:
            await context.abort(response.code, response.text, response.trailers)
        context.set_trailing_metadata(response.trailers)
        return response.message

    async def _response(self, context: Context, arrived: float) -> Response:
        service = self._service
        trailers: respond.Trailers = ()
        client: Client | None = None
        entered = False
        try:
            head = self._metadata.read(tuple(context.invocation_metadata() or ()))
            request_id = head.request_id or service.new_id()
            trailers = (("tailq-request-id", request_id.decode()),)
            ask = self._in_time(head.ask, context, arrived)
            client = head.client
            if client is not None:
                ask = client.enter(service.dataplane.router.tier(ask).name, ask, arrived)
                entered = True
            exchange = Exchange(service, self._payloads, self._responder, head, request_id, context)
            response = await exchange.response(ask, arrived)
        except BadRequest as error:
            service.dataplane.recorder.refused()
            response = respond.refusal(error, trailers)
        finally:
            if client is not None and entered:
                client.leave()
        if client is not None:
            response.trailers += ratelimit.fields(client, service.dataplane.clock.now())
        return response

    def _in_time(self, ask: Ask, context: Context, arrived: float) -> Ask:
        remaining_s: float | None = context.time_remaining()
        if remaining_s is None:
            return ask
        elapsed_s = self._service.dataplane.clock.now() - arrived
        return metadata.tightened(ask, elapsed_s, remaining_s)

"""ModelInfer: who asks, for what, by when; its way through the dataplane; how the call ends."""

import asyncio
import logging
from functools import partial
from typing import Final

import grpc
from grpc import aio

from gateway.clients import Client, ratelimit
from gateway.dataplane import Answer, Execution
from gateway.grpc import metadata, respond
from gateway.grpc.metadata import Head
from gateway.grpc.payload import Payloads
from gateway.grpc.respond import Responder, Response
from gateway.service import Service
from tailq.errors import BadRequest
from tailq.route import Ask

Context = aio.ServicerContext[bytes, bytes]

_log: Final = logging.getLogger("tailq.gateway.grpc")


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


class Exchange:
    """Takes a request through the dataplane. The clock starts at its head, not at its message."""

    __slots__ = ("_buffered", "_context", "_head", "_id", "_payloads", "_responder", "_service")

    def __init__(
        self,
        service: Service,
        payloads: Payloads,
        responder: Responder,
        head: Head,
        request_id: bytes,
        context: Context,
    ) -> None:
        self._service = service
        self._payloads = payloads
        self._responder = responder
        self._head = head
        self._id = request_id
        self._context = context
        self._buffered = 0

    async def response(self, ask: Ask, arrived: float) -> Response:
        """The response, by the deadline. Raises UnknownTier; when cancelled, the client has left.

        arrived: when the head had come, on the dataplane's clock.
        """
        service = self._service
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        client = self._head.client
        known_as = self._id if client is None else client.owner + self._id
        execution = service.dataplane.open(ask, arrived, partial(_settle, answer), known_as)
        try:
            if not answer.done():
                refused = await self._send(execution, arrived)
                if refused is not None:
                    return refused
            ended = await answer
        finally:
            execution.leave()  # unless it has ended
            service.buffered -= self._buffered
        service.requests.ended(ended, self._id, self._head.passed)
        return self._responder.response(ended, self._id.decode())

    async def _send(self, execution: Execution, arrived: float) -> Response | None:
        """Send the message on when it has come. A response: it is refused. None: to be answered."""
        service = self._service
        left_s = arrived + execution.decision.deadline_s - service.dataplane.clock.now()
        try:
            async with asyncio.timeout(left_s):
                data = await self._context.read()
        except TimeoutError:
            return None  # the dataplane is about to say so
        trailers = (("tailq-request-id", self._id.decode()),)
        if not isinstance(data, bytes):
            execution.fail("invalid")
            return respond.refusal(BadRequest("the call ended without a message"), trailers)
        self._buffered = len(data)
        service.buffered += self._buffered
        if service.buffered > service.max_buffered:
            execution.fail("shed")
            return respond.full(trailers)
        try:
            payload = self._payloads.read(data, self._head.passed)
        except BadRequest as error:
            execution.fail("invalid")
            return respond.refusal(error, trailers)
        execution.send(payload)
        return None


def _settle(future: "asyncio.Future[Answer]", answer: Answer) -> None:
    # Cancelled by a client that left in this very turn of the loop; leave() is still to come.
    if not future.done():
        future.set_result(answer)

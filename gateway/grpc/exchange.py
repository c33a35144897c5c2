"""One infer request over gRPC, from its head to its response."""

import asyncio
from functools import partial

from grpc import aio

from gateway.dataplane import Answer, Execution
from gateway.grpc import respond
from gateway.grpc.metadata import Head
from gateway.grpc.payload import Payloads
from gateway.grpc.respond import Responder, Response
from gateway.service import Service
from tailq.errors import BadRequest
from tailq.route import Ask

Context = aio.ServicerContext[bytes, bytes]


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
        execution = service.dataplane.open(ask, arrived, partial(_settle, answer))
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

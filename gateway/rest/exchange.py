"""One infer request over HTTP, from its headers to its response, whatever server carries it."""

import logging
from collections.abc import Callable, Iterable
from typing import Final

from gateway.clients import Client, ratelimit
from gateway.dataplane import Answer, Execution
from gateway.rest import head, problem
from gateway.rest.response import Response
from gateway.rest.shared import Rest
from gateway.upstream.base import Payload
from tailq.errors import BadRequest

_log: Final = logging.getLogger("tailq.gateway.rest")


class Exchange:
    """Feed it the request; `respond` is called once, at the deadline at the latest.

    It may be called within start(), body() or end(). After gone() it is not called. To be made when
    the headers are there: it is rendered with the tiers it is decided by, were they gone since.
    head: None until it was read, or if it makes no sense.
    """

    __slots__ = (
        "_buffered",
        "_entered",
        "_execution",
        "_id",
        "_pieces",
        "_renderer",
        "_respond",
        "_service",
        "head",
    )

    def __init__(self, rest: Rest, respond: Callable[[Response], None]) -> None:
        self._service = rest.service
        self._renderer = rest.renderer
        self._respond = respond
        self._execution: Execution | None = None
        self._entered: Client | None = None  # who is to leave() when this ends
        self.head: head.Head | None = None
        self._id = b""
        self._pieces: list[bytes] = []
        self._buffered = 0

    @property
    def answered(self) -> bool:
        """Whether there is a response, or nobody to have it."""
        return self._respond is _nobody

    def start(self, headers: Iterable[tuple[bytes, bytes]], arrived: float) -> None:
        """The head is complete. headers: names in lower case. arrived: dataplane's clock."""
        service = self._service
        try:
            understood = head.read(headers, service.max_body, service.clients)
        except BadRequest as error:
            service.dataplane.recorder.refused()
            self._refuse(error)
        else:
            self.open(understood, arrived)

    def open(self, understood: head.Head, arrived: float) -> None:
        """As start(), with a head that was read before."""
        service = self._service
        self.head = understood
        self._id = understood.request_id or service.new_id()
        try:
            ask, client, known_as = understood.ask, understood.client, self._id
            if client is not None:
                ask = client.enter(service.dataplane.router.tier(ask).name, ask, arrived)
                self._entered = client
                known_as = client.owner + known_as
            execution = service.dataplane.open(ask, arrived, self._answered, known_as)
        except BadRequest as error:
            service.dataplane.recorder.refused()
            self._refuse(error)
        else:
            if not self.answered:  # at once
                self._execution = execution

    def body(self, piece: bytes) -> None:
        """A piece of the body; ignored once there is a response."""
        if self._execution is None:
            return
        service = self._service
        self._buffered += len(piece)
        service.buffered += len(piece)
        if self._buffered > service.max_body:
            self._execution.fail("invalid")
            self._refuse(head.too_large(service.max_body))
        elif service.buffered > service.max_buffered:
            self._execution.fail("shed")
            text = "the gateway holds as many bytes of requests as it may; try again"
            self._close(problem.response(503, text, self._own_head(), outcome="shed"))
        else:
            self._pieces.append(piece)

    def end(self) -> None:
        """The body is complete."""
        if self._execution is None:
            return
        understood = self.head
        assert understood is not None
        if understood.json_length is not None and understood.length is None:
            try:
                head.check_json_length(understood.json_length, self._buffered)
            except BadRequest as error:
                self._execution.fail("invalid")
                self._refuse(error)
                return
        self._execution.send(Payload(self._pieces, understood.passed))

    def gone(self) -> None:
        """The client has left."""
        execution = self._execution
        self._release()
        self._respond = _nobody
        if execution is not None:
            execution.leave()

    def _answered(self, answer: Answer) -> None:
        assert self.head is not None
        try:
            response = self._renderer.response(answer, self._id)
        except Exception:  # noqa: BLE001  (a mistake of ours: logged, and not for the client)
            _log.exception("an HTTP response could not be made")
            text = "the gateway has failed; see its log"
            response = problem.response(500, text, self._own_head())
        self._close(response)
        self._service.requests.ended(answer, self._id, self.head.passed)

    def _refuse(self, error: BadRequest) -> None:
        self._close(problem.of(error, self._own_head()))

    def _own_head(self) -> bytes:
        return b"tailq-request-id: %s\r\n" % self._id if self._id else b""

    def _close(self, response: Response) -> None:
        if self.head is not None and self.head.client is not None:
            response.head += self._limits(self.head.client)
        self._release()
        # What responds holds the exchange: let go, or every request would be work for the
        # garbage collector.
        respond, self._respond = self._respond, _nobody
        respond(response)

    def _limits(self, client: Client) -> bytes:
        fields = ratelimit.fields(client, self._service.dataplane.clock.now())
        return "".join([f"{name}: {value}\r\n" for name, value in fields]).encode()

    def _release(self) -> None:
        self._execution = None
        self._service.buffered -= self._buffered
        self._buffered = 0
        self._pieces = []
        if self._entered is not None:
            client, self._entered = self._entered, None
            client.leave()


def _nobody(response: Response) -> None:
    """Stands for a client that has its response, or has left."""

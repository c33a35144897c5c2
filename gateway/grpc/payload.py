"""From the bytes of a ModelInferRequest to what Triton is sent."""

from collections.abc import Sequence
from typing import Final

from google.protobuf.message import DecodeError

from gateway.grpc import transcode, wire
from gateway.grpc.protocol.inference_pb2 import ModelInferRequest
from gateway.remembered import Remembered
from gateway.service import Service
from gateway.upstream.base import Payload
from tailq.errors import BadRequest

_SHORT: Final = 1024  # bytes of a head that is worth remembering


class Payloads:
    """Makes payloads of requests to one service. What their heads mean is remembered."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._questions = Remembered[tuple[bytes, tuple[int, ...]], transcode.Question]()

    def read(self, data: bytes, passed: bytes) -> Payload:
        """The payload of a request. passed: header lines for Triton, each ending in CRLF.

        Raises BadRequest, UnknownModel: it is no request, or for another model.
        """
        parts = wire.split(data)
        if parts is None:
            request = _parsed(data)
            tensors: Sequence[transcode.Piece] = request.raw_input_contents
            question = transcode.question(request, tuple(map(len, tensors)))
        else:
            head, tensors = parts
            question = self._question(head, tuple(map(len, tensors)))
        self._service.check(question.model, question.version or None)
        if question.tensors is not None:
            tensors = question.tensors
        lines = b"%scontent-type: application/octet-stream\r\n" % passed
        length = b"inference-header-content-length: %d\r\n" % len(question.head)
        return Payload((question.head, *tensors), lines + length)

    def _question(self, head: bytes, sizes: tuple[int, ...]) -> transcode.Question:
        if len(head) > _SHORT:
            return transcode.question(_parsed(head), sizes)
        question = self._questions.find((head, sizes))
        if question is None:
            question = transcode.question(_parsed(head), sizes)
            self._questions.learn((head, sizes), question)
        return question


def _parsed(data: bytes) -> ModelInferRequest:
    try:
        return ModelInferRequest.FromString(data)
    except DecodeError:
        raise BadRequest("the message is no ModelInferRequest") from None

"""From the dataplane's answer to an HTTP response: headers, parameters, problems."""

import json
from typing import Final

from gateway import said, wording
from gateway.dataplane import Answer
from gateway.remembered import Remembered
from gateway.rest import problem
from gateway.rest.response import Response
from gateway.rest.splice import splice
from gateway.upstream.base import Failure, Refusal, Reply
from tailq.tier import TierTable

_JSON: Final = b"application/json"
_BINARY: Final = b"application/octet-stream"
_SHORT: Final = 1024  # bytes of a head that is worth remembering


class Renderer:
    """Renders answers of one service; what many answers say alike is rendered once."""

    def __init__(self, table: TierTable) -> None:
        self._service = json.dumps(table.service).encode()
        self._name = table.service
        self._table = table
        self._said = Remembered[said.Key, tuple[bytes, bytes]]()
        self._spliced = Remembered[tuple[bytes, bytes], bytes]()

    def response(self, answer: Answer, request_id: bytes) -> Response:
        """The response to a request that the dataplane has answered."""
        if isinstance(answer.result, Reply):
            response = self._good(answer, answer.result, request_id)
            if response is not None:
                return response
            answer = said.unreadable(answer, "malformed JSON")
        return problem.response(
            _status(answer),
            wording.why_not(answer, self._name),
            self._head(answer) + b"tailq-request-id: %s\r\n%s" % (request_id, _timing(answer)),
            outcome=answer.outcome,
        )

    def _good(self, answer: Answer, reply: Reply, request_id: bytes) -> Response | None:
        """None: the answer's JSON is none."""
        head, parameters = self._rendered(answer)
        body: tuple[bytes | memoryview, ...] = (reply.body,)
        json_length = reply.json_length
        kind, length = _JSON, b""
        size = len(reply.body)
        cut = size if json_length is None else min(json_length, size)
        if reply.encoding is None:
            spliced = self._splice(reply.body[:cut], parameters)
            if spliced is None:
                return None
            # Large tensors stay where they are: two pieces instead of a copy of all.
            body = (spliced, memoryview(reply.body)[cut:]) if cut < size else (spliced,)
            size += len(spliced) - cut
            cut = len(spliced)
        if json_length is not None:
            kind, length = _BINARY, b"inference-header-content-length: %d\r\n" % cut
        if reply.encoding is not None:
            length += b"content-encoding: %s\r\n" % reply.encoding
        return Response(
            200,
            b"content-type: %s\r\ncontent-length: %d\r\n%s%stailq-request-id: %s\r\n%s"
            % (kind, size, length, head, request_id, _timing(answer)),
            body,
        )

    def _splice(self, head: bytes, parameters: bytes) -> bytes | None:
        """As splice(), but the short heads of binary answers, mostly the same, are remembered."""
        if len(head) > _SHORT:
            return splice(head, self._service, parameters)
        key = (head, parameters)
        spliced = self._spliced.find(key)
        if spliced is None:
            spliced = splice(head, self._service, parameters)
            if spliced is not None:
                self._spliced.learn(key, spliced)
        return spliced

    def _rendered(self, answer: Answer) -> tuple[bytes, bytes]:
        """Header lines, and members of `parameters`, of a good answer."""
        key = said.key(answer)
        found = self._said.find(key)
        if found is None:
            parameters = json.dumps(said.parameters(answer), separators=(",", ":"))
            found = (self._head(answer), parameters.encode()[1:-1])
            self._said.learn(key, found)
        return found

    def _head(self, answer: Answer) -> bytes:
        fields = said.headers(answer, self._table)
        return "".join([f"{name}: {value}\r\n" for name, value in fields]).encode()


def _status(answer: Answer) -> int:
    match answer.result:
        case Refusal():
            return 400
        case Failure(kind="broken"):
            return 502
    return 504 if answer.outcome == "late" else 503


def _timing(answer: Answer) -> bytes:
    return b"server-timing: %s\r\n" % said.timing(answer).encode()

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

# Of a good answer: header lines, and its JSON with our parameters; None where it stays as it is.
_Frame = tuple[bytes, bytes | None]


class Renderer:
    """Renders answers of one service; what many answers say alike is rendered once."""

    def __init__(self, table: TierTable) -> None:
        self._service = json.dumps(table.service).encode()
        self._name = table.service
        self._table = table
        self._said = Remembered[said.Key, tuple[bytes, bytes]]()
        self._frames = Remembered[tuple[said.Key, int, bytes], _Frame]()

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
            self._told(self._head(answer), answer, request_id),
            outcome=answer.outcome,
        )

    def _good(self, answer: Answer, reply: Reply, request_id: bytes) -> Response | None:
        """None: the answer's JSON is none."""
        body, cut = reply.body, reply.json_length
        if cut is None or cut > _SHORT or reply.encoding is not None:
            frame = self._frame(answer, reply)
        else:  # a binary answer, of which mostly only the tensors differ from those before
            key = (said.key(answer), len(body), body[:cut])
            frame = self._frames.find(key)
            if frame is None:
                frame = self._frame(answer, reply)
                if frame is not None:
                    self._frames.learn(key, frame)
        if frame is None:
            return None
        lines, spliced = frame
        pieces: tuple[bytes | memoryview, ...] = (body,)
        if spliced is not None:
            # Large tensors stay where they are: two pieces instead of a copy of all.
            pieces = (spliced,) if cut is None else (spliced, memoryview(body)[cut:])
        return Response(200, self._told(lines, answer, request_id), pieces)

    def _frame(self, answer: Answer, reply: Reply) -> _Frame | None:
        """None: the answer's JSON is none."""
        head, parameters = self._rendered(answer)
        size, cut = len(reply.body), reply.json_length
        cut = None if cut is None else min(cut, size)
        kind, more, spliced = _JSON, b"", None
        if reply.encoding is not None:
            more = b"content-encoding: %s\r\n" % reply.encoding
        else:
            spliced = splice(reply.body[:cut], self._service, parameters)
            if spliced is None:
                return None
            size += len(spliced) - len(reply.body[:cut])
            cut = None if cut is None else len(spliced)
        if cut is not None:
            kind, more = _BINARY, b"inference-header-content-length: %d\r\n%s" % (cut, more)
        return b"content-type: %s\r\ncontent-length: %d\r\n%s%s" % (kind, size, more, head), spliced

    def _told(self, lines: bytes, answer: Answer, request_id: bytes) -> bytes:
        """Header lines, and those that are each request's own."""
        return b"%stailq-request-id: %s\r\nserver-timing: %s\r\n" % (
            lines,
            request_id,
            said.timing(answer),
        )

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

"""Triton over its HTTP endpoint: requests in, bytes untouched, pooled keep-alive connections."""

import asyncio
import json
from typing import Any, Final
from urllib.parse import quote

from gateway.clock import Clock
from gateway.upstream.base import Call, Failure, Listener, Payload, Refusal, Reply, Result
from gateway.upstream.connection import Message
from gateway.upstream.endpoint import Endpoint
from gateway.upstream.pool import Pool
from gateway.upstream.transfer import Transfer

# What Triton 2.51 says, with status 500, of a request's JSON that is malformed.
_PARSING: Final = ("failed to parse the request JSON buffer", "Unable to parse '")
# What it says, with different statuses, of a model that is not loaded, and of a full queue.
_MISSING: Final = ("Request for unknown model", "Model version not ready")
_BUSY: Final = ("Exceeds maximum queue size", "Request timeout expired")
# What it says, with status 404, of shared memory that a request names and nobody has registered.
_NO_REGION: Final = "Unable to find "
# Characters of a text of Triton's that are told further: what a client wrote may stand in it.
_LONGEST_TEXT: Final = 4096
# Statuses below 500 that are about the server or the model, not about the request.
_NOT_THE_CLIENT: Final = frozenset((401, 403, 404, 405, 408, 429))


class TritonHttp:
    """One Triton: inference, and the few questions that readiness and metadata need.

    connect_s: seconds a connection may take to open. max_reply: bytes of an answer accepted.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        clock: Clock,
        *,
        connect_s: float = 2.0,
        max_reply: int = 64 << 20,
    ) -> None:
        self.endpoint = endpoint
        self.clock = clock
        self.pool = Pool(endpoint, connect_s=connect_s, max_reply=max_reply)
        self._heads: dict[str, bytes] = {}  # as many as there are variants

    def infer(self, variant: str, payload: Payload, deadline: float, listener: Listener) -> Call:
        """See upstream.base.Upstream."""
        known = self._heads.get(variant)
        if known is None:
            known = self._heads[variant] = self._head("POST", f"{model_path(variant)}/infer")
        length = sum(map(len, payload.body))
        head = b"%scontent-length: %d\r\n%s\r\n" % (known, length, payload.headers)
        return Transfer(self.pool, self.clock, head, payload.body, deadline, listener.ended, judge)

    async def ask(self, path: str, within_s: float) -> Message | Failure:
        """What Triton answers to a GET within so many seconds.

        No exception for a Triton that is down: that is an answer to this question too.
        """
        answer: asyncio.Future[Message | Failure] = asyncio.get_running_loop().create_future()

        def done(outcome: Message | Failure) -> None:
            if not answer.done():
                answer.set_result(outcome)

        head = self._head("GET", path) + b"\r\n"
        until = self.clock.now() + within_s
        call = Transfer(self.pool, self.clock, head, (), until, done, lambda message: message)
        try:
            async with asyncio.timeout(within_s):
                return await answer
        except TimeoutError:
            return Failure("lost", f"no answer within {within_s:g} s")
        finally:
            call.cancel()

    async def get(self, path: str, within_s: float) -> Message | None:
        """What Triton answers to a GET; None: nothing within so many seconds."""
        outcome = await self.ask(path, within_s)
        return None if isinstance(outcome, Failure) else outcome

    async def json(self, path: str, within_s: float) -> dict[str, Any] | None:
        """The JSON object that Triton answers to a GET; None: no such answer."""
        answer = await self.get(path, within_s)
        return None if answer is None or answer.status != 200 else _object(answer.body)

    def drop_idle(self) -> None:
        """Close the connections that nothing is asked over."""
        self.pool.drop_idle()

    def retire(self) -> None:
        """Close each connection when what is asked over it has ended."""
        self.pool.retire()

    def close(self) -> None:
        """Close every connection."""
        self.pool.close()

    def _head(self, method: str, path: str) -> bytes:
        return f"{method} {path} HTTP/1.1\r\nhost: {self.endpoint}\r\n".encode()


def model_path(name: str) -> str:
    """The path of a model on Triton."""
    return f"/v2/models/{quote(name, safe='')}"


def judge(message: Message) -> Result:
    """What a response of Triton's to an inference request means."""
    status = message.status
    if status == 200:
        # What is compressed cannot be looked into; what is not is an object, or no answer at all.
        if message.encoding is None and not message.body.startswith(b"{"):
            return Failure("broken", "an answer that is no JSON object")
        return Reply(message.body, message.json_length, message.encoding)
    detail = error_text(message.body) or f"Triton answered {status}"
    if status < 400:
        return Failure("broken", detail)
    # What a client has written may stand in the text, but for its beginning.
    if detail.startswith(_NO_REGION):
        return Refusal(detail)
    if status == 404 or detail.startswith(_MISSING):
        return Failure("unavailable", detail, "missing")
    if status == 429 or (status == 503 and any(text in detail for text in _BUSY)):
        return Failure("unavailable", detail, "busy")
    if status in _NOT_THE_CLIENT:
        return Failure("unavailable", detail)
    if status < 500 or status == 501 or (status == 500 and detail.startswith(_PARSING)):
        return Refusal(detail)
    return Failure("unavailable", detail)


def error_text(body: bytes) -> str | None:
    """The `error` of a Triton error answer, cut if it is long; None if it has none."""
    text = (_object(body) or {}).get("error")
    return text[:_LONGEST_TEXT] if isinstance(text, str) else None


def _object(body: bytes) -> dict[str, Any] | None:
    """The JSON object in `body`; None: there is none, or it is nested too deeply."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None

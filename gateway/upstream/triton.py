"""Triton over its HTTP endpoint: requests in, bytes untouched, pooled keep-alive connections."""

import asyncio
import json
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

from gateway.clock import Clock
from gateway.upstream.base import Call, Failure, Listener, Payload, Refusal, Reply, Result
from gateway.upstream.connection import Message
from gateway.upstream.health import Health
from gateway.upstream.pool import Endpoint, Pool
from gateway.upstream.transfer import Transfer

# What Triton 2.51 says, with status 500, of a request's JSON that is malformed.
_PARSING: Final = ("failed to parse the request JSON buffer", "Unable to parse '")
# Statuses below 500 that are about the server or the model, not about the request.
_NOT_THE_CLIENT: Final = frozenset((401, 403, 404, 405, 408, 429))


class TritonHttp:
    """An upstream.base.Upstream, and the few questions that readiness and metadata need.

    connect_s: seconds a connection may take to open. max_reply: bytes of an answer accepted.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        variants: Iterable[str],
        clock: Clock,
        *,
        connect_s: float = 2.0,
        max_reply: int = 64 << 20,
    ) -> None:
        self.endpoint = endpoint
        self.health = Health(str(endpoint))
        self.clock = clock
        self.pool = Pool(endpoint, self.health, connect_s=connect_s, max_reply=max_reply)
        self._heads = {
            variant: self._head("POST", f"{model_path(variant)}/infer") for variant in variants
        }

    def infer(self, variant: str, payload: Payload, deadline: float, listener: Listener) -> Call:
        """See upstream.base.Upstream."""
        length = sum(map(len, payload.body))
        head = b"%scontent-length: %d\r\n%s\r\n" % (self._heads[variant], length, payload.headers)

        def done(outcome: Message | Failure) -> None:
            if isinstance(outcome, Failure):
                listener.ended(outcome)
            else:
                if not self.health.is_up:
                    self.health.up()
                listener.ended(judge(outcome))

        return Transfer(self.pool, self.clock, head, payload.body, deadline, done)

    async def get(self, path: str, within_s: float) -> Message | None:
        """What Triton answers to a GET; None: nothing within so many seconds.

        No exception for a Triton that is down: that is an answer to this question too.
        """
        answer: asyncio.Future[Message | Failure] = asyncio.get_running_loop().create_future()

        def done(outcome: Message | Failure) -> None:
            if not answer.done():
                answer.set_result(outcome)

        head = self._head("GET", path) + b"\r\n"
        call = Transfer(self.pool, self.clock, head, (), self.clock.now() + within_s, done)
        try:
            async with asyncio.timeout(within_s):
                outcome = await answer
        except TimeoutError:
            self.health.down(f"no answer within {within_s:g} s")
            return None
        finally:
            call.cancel()
        if isinstance(outcome, Failure):
            self.health.down(outcome.detail)
            return None
        self.health.up()
        return outcome

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
        return Reply(message.body, message.json_length, message.encoding)
    detail = error_text(message.body) or f"Triton answered {status}"
    if status < 400:
        return Failure("broken", detail)
    if status in _NOT_THE_CLIENT:
        return Failure("unavailable", detail)
    if status < 500 or status == 501 or (status == 500 and detail.startswith(_PARSING)):
        return Refusal(detail)
    return Failure("unavailable", detail)


def error_text(body: bytes) -> str | None:
    """The `error` of a Triton error answer, None if it has none."""
    try:
        content = json.loads(body)
    except ValueError:
        return None
    text = content.get("error") if isinstance(content, dict) else None
    return text if isinstance(text, str) else None

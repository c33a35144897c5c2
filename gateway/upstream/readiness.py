"""Whether Triton can serve, asked of Triton itself, not more often than is useful."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, Generic, TypeVar

from gateway.clock import Clock
from gateway.upstream.connection import Message
from gateway.upstream.triton import TritonHttp, model_path

Value = TypeVar("Value")

WITHIN_S: Final = 2.0
FRESH_S: Final = 0.5
PROBE_EVERY_S: Final = 1.0


class Shared(Generic[Value]):
    """The result of a question that many may ask: asked once at a time, fresh for `fresh_s`."""

    def __init__(
        self, ask: Callable[[], Awaitable[Value]], clock: Clock, fresh_s: float = FRESH_S
    ) -> None:
        self._ask = ask
        self._clock = clock
        self._fresh_s = fresh_s
        self._lock = asyncio.Lock()
        self._last: tuple[float, Value] | None = None

    async def get(self) -> Value:
        """The result, at most `fresh_s` seconds old."""
        async with self._lock:
            if self._last is None or self._clock.now() - self._last[0] > self._fresh_s:
                value = await self._ask()
                self._last = (self._clock.now(), value)
            return self._last[1]


class Readiness:
    """What health, readiness and metadata routes answer from."""

    def __init__(self, triton: TritonHttp, variants: Iterable[str], reference: str) -> None:
        self._triton = triton
        self._variants = tuple(sorted(variants))
        path = model_path(reference)
        self._ready = Shared(self._not_ready, triton.clock)
        self._metadata = Shared(lambda: self._json(path), triton.clock)
        self._config = Shared(lambda: self._json(f"{path}/config"), triton.clock)

    async def not_ready(self) -> str | None:
        """Why not every variant can be served; None: every one can. Within a few seconds."""
        return await self._ready.get()

    async def metadata(self) -> dict[str, Any] | None:
        """What Triton tells of the reference variant; None: no answer."""
        return await self._metadata.get()

    async def config(self) -> dict[str, Any] | None:
        """The reference variant's configuration; None: no answer."""
        return await self._config.get()

    async def probe(self) -> None:
        """Look after Triton for ever, so that its state is known without traffic too."""
        while True:
            await self._triton.get("/v2/health/ready", WITHIN_S)
            await asyncio.sleep(PROBE_EVERY_S)

    async def _not_ready(self) -> str | None:
        answer = await self._triton.get("/v2/health/ready", WITHIN_S)
        if answer is None:
            return f"Triton at {self._triton.endpoint} does not answer"
        if not _ok(answer):
            return f"Triton at {self._triton.endpoint} is not ready"
        answers = await asyncio.gather(
            *(self._triton.get(f"{model_path(name)}/ready", WITHIN_S) for name in self._variants)
        )
        missing = [
            name for name, answer in zip(self._variants, answers, strict=True) if not _ok(answer)
        ]
        return f"Triton does not serve: {', '.join(missing)}" if missing else None

    async def _json(self, path: str) -> dict[str, Any] | None:
        answer = await self._triton.get(path, WITHIN_S)
        if answer is None or not _ok(answer):
            return None
        try:
            content = json.loads(answer.body)
        except ValueError:
            return None
        return content if isinstance(content, dict) else None


def _ok(answer: Message | None) -> bool:
    return answer is not None and answer.status == 200

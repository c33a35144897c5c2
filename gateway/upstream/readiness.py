"""Whether Triton can serve, asked of Triton itself, not more often than is useful."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, Generic, TypeVar

from gateway.clock import Clock
from gateway.upstream.fleet import Fleet
from gateway.upstream.probes import WITHIN_S, Probes
from gateway.upstream.triton import TritonHttp, model_path

Value = TypeVar("Value")

FRESH_S: Final = 0.5


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
    """What health, readiness and metadata routes answer from.

    reference: the variant whose metadata and configuration stand for the service.
    """

    def __init__(self, fleet: Fleet[TritonHttp], probes: Probes, reference: str) -> None:
        self._fleet = fleet
        self._probes = probes
        self.refer(reference)
        self._ready = Shared(self._not_ready, fleet.clock)
        self._metadata = Shared(lambda: self._json(self._path), fleet.clock)
        self._config = Shared(lambda: self._json(f"{self._path}/config"), fleet.clock)

    def refer(self, reference: str) -> None:
        """Another variant stands for the service from now on."""
        self._path = model_path(reference)

    async def not_ready(self) -> str | None:
        """Why not every variant is served somewhere; None: each is. Within a few seconds."""
        return await self._ready.get()

    async def metadata(self) -> dict[str, Any] | None:
        """What Triton tells of the reference variant; None: no answer."""
        return await self._metadata.get()

    async def config(self) -> dict[str, Any] | None:
        """The reference variant's configuration; None: no answer."""
        return await self._config.get()

    async def _not_ready(self) -> str | None:
        await self._probes.look()
        down = [one for one in self._fleet.members if one.is_up is False]
        if len(down) == len(self._fleet.members):
            return "; ".join(f"Triton at {one.name} is down: {one.why}" for one in down)
        missing = ", ".join(sorted(self._fleet.absent))
        return f"Triton does not serve: {missing}" if missing else None

    async def _json(self, path: str) -> dict[str, Any] | None:
        for member in self._fleet.members:
            if member.is_up is not False:
                content = await member.triton.json(path, WITHIN_S)
                if content is not None:
                    return content
        return None

"""Telling the gateway what was right, as clients do who learn it later: for a share of requests."""

import asyncio
from collections import Counter
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import aiohttp
import numpy as np

# As often as batches leave, and what one holds at most: the gateway takes a thousand.
_EVERY_S = 1.0
_MOST = 500


class Feedback:
    """Labels for the gateway at `address`. Use as an asynchronous context manager.

    share: of the requests whose label is told, in [0, 1]. counts: by what became of them, as the
    gateway names it ("taken" counts); what it refused altogether is there by its words.
    """

    def __init__(self, address: str, share: float, seed: int) -> None:
        self.counts: Counter[str] = Counter()
        self._url = f"http://{address}/v1/feedback"
        self._share = share
        self._random = np.random.default_rng(seed)
        self._pending: list[dict[str, Any]] = []

    def learn(self, request_id: str, label: int) -> None:
        """Take note of the right class of a request that was answered; it may be told."""
        if self._random.random() < self._share:
            self._pending.append({"request_id": request_id, "label": label})

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession()
        self._ended = asyncio.Event()
        self._task = asyncio.create_task(self._tell_on())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        async with self._session:
            await self._task

    async def _tell_on(self) -> None:
        ended = False
        while not ended:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), _EVERY_S)
            ended = self._ended.is_set()
            while self._pending:
                batch, self._pending = self._pending[:_MOST], self._pending[_MOST:]
                self.counts.update(await self._tell(batch))

    async def _tell(self, batch: list[dict[str, Any]]) -> dict[str, int]:
        """What became of them."""
        try:
            async with self._session.post(self._url, json={"feedback": batch}) as answer:
                said = await answer.json(content_type=None)
                return dict(said["counts"]) if answer.ok else {str(said["error"]): len(batch)}
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError, LookupError, TypeError):
            return {"not understood by the gateway": len(batch)}

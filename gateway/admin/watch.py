"""A gateway's numbers of the last quarter of an hour, and what /v1/live makes of them."""

import asyncio
import time
from typing import Final

from pydantic import TypeAdapter

from gateway.admin.operated import Operated
from gateway.live.glance import glance, lately
from gateway.live.history import STEP_S, History
from gateway.live.view import LiveView

# To make a view takes milliseconds, in the loop that serves where there is one process.
_SHARED_S: Final = 1.0
_JSON: Final = TypeAdapter(LiveView)


class Watch:
    """Of a gateway of one process or of many."""

    def __init__(self, operated: Operated) -> None:
        self._operated = operated
        self._history = History()
        self._saying: asyncio.Task[bytes] | None = None
        self._asked_at = float("-inf")

    async def keep(self) -> None:
        """Keep the history; for ever. A step that took longer is made up for by the next ones."""
        now = asyncio.get_running_loop().time
        at = now()
        while True:
            self._history.add(lately(await self._operated.families()))
            at += STEP_S
            await asyncio.sleep(at - now())

    async def said(self) -> bytes:
        """The view as JSON. All who ask within a second get the same: many cost what one does."""
        now = asyncio.get_running_loop().time()
        if self._saying is None or now - self._asked_at >= _SHARED_S:
            self._asked_at = now
            self._saying = asyncio.create_task(self._say())
        return await asyncio.shield(self._saying)  # others wait for it, too

    async def _say(self) -> bytes:
        return _JSON.dump_json(await self.view())

    async def view(self) -> LiveView:
        """How each tier's promise is kept."""
        families = await self._operated.families()
        return glance(families, self._history, self._operated.table, time.time())

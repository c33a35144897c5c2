"""Work that goes on for ever beside requests."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

log = logging.getLogger("tailq.gateway.serving")


def start(name: str, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
    """A task of `work`. If it ends by a mistake of ours, that is logged at once and not lost."""
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(_ended)
    return task


def _ended(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("%s ended by a mistake; restart the gateway", task.get_name(), exc_info=error)

"""Open-loop load on a gateway whose images can be changed while it goes on."""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Self

import numpy as np

from loadtest import openloop
from loadtest.cli import make_streams
from loadtest.feedback import Feedback
from loadtest.openloop import Reply
from profiler.datasets.base import ArrayDataset, Floats
from tailq.samples import Samples
from tailq.tier import TierTable
from tests.gateway.process import GatewayProcess

_LONGEST_S = 600.0


class Load:
    """A context manager, in a thread of its own: Poisson streams of labelled images, one a tier.

    rates: requests a second by tier. share: of the requests that the gateway is told the label of.
    replies: what became of each.
    """

    def __init__(
        self,
        gateway: GatewayProcess,
        table: TierTable,
        data: ArrayDataset,
        rates: Mapping[str, float],
        share: float,
    ) -> None:
        self.replies: list[Reply] = []
        self._images = data.values
        self._samples = Samples(data.values.copy(), data.labels)
        self._table = table
        self._address = gateway.address
        wanted = [f"{tier}={rate}" for tier, rate in rates.items()]
        self._streams = make_streams(table, len(data.labels), wanted, _LONGEST_S, seed=0)
        self._share = share
        self._error: BaseException | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run)

    def answered(self, tier: str) -> list[Reply]:
        """Those of one tier, so far."""
        return [reply for reply in self.replies if reply.tier == tier]

    def until_answered(self, tier: str, count: int) -> None:
        """Go on until so many more have been."""
        goal = len(self.answered(tier)) + count
        until = time.monotonic() + _LONGEST_S
        while len(self.answered(tier)) < goal:
            assert self._thread.is_alive(), self._error
            assert time.monotonic() < until
            time.sleep(0.1)

    def change(self, how: Callable[[Floats], Floats]) -> None:
        """From now on the clients' images are these of the real ones."""
        self._samples.inputs[:] = how(self._images)

    def __enter__(self) -> Self:
        self._task = self._loop.create_task(self._send())
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Send no more; what is on its way is given up."""
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(60)
        self._loop.close()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            with suppress(asyncio.CancelledError):
                self._loop.run_until_complete(self._task)
        except BaseException as error:  # noqa: BLE001  (raised where it is left)
            self._error = error

    async def _send(self) -> None:
        target = await openloop.find_target(self._address, self._table)
        async with Feedback(self._address, self._share, seed=0) as labels:
            await openloop.drive(
                target, self._streams, self._samples, self.replies.append, labels.learn
            )


def inverted(images: Floats) -> Floats:
    """White on black becomes black on white."""
    return np.asarray(1 - images, np.float32)


def grainy(images: Floats) -> Floats:
    """As of a camera in the dark: a tenth of the range is noise."""
    noise = np.random.default_rng(0).normal(0, 0.1, images.shape)
    return np.clip(images + noise, 0, 1).astype(np.float32)

"""A stub of Triton in a thread of its own: for gateways that are other processes."""

import asyncio
import threading
from typing import Self

from tests.gateway.stub import Handler, Stub, answer


class SteadyStub:
    """A context manager; `stub` belongs to its thread's loop, plain reads of it are fine."""

    def __init__(self, handler: Handler = answer) -> None:
        self.stub = Stub(handler)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.stub.start(), self._loop).result(20)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self.stub.stop(), self._loop).result(20)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(20)
        self._loop.close()

    @property
    def address(self) -> str:
        """HOST:PORT it listens at."""
        return f"127.0.0.1:{self.stub.port}"

    def release(self) -> None:
        """Let held requests be answered."""
        self._loop.call_soon_threadsafe(self.stub.release.set)

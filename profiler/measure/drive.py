"""Driving Triton: a closed loop of workers, each with one request in flight.

Threads with blocking calls on bytes, one connection each, are what adds least to a latency: a
blocking call waits for its answer in the calling thread itself, where callbacks and asyncio hand
it over from another one, and tritonclient's `infer` would serialise tensors inside the measured
time. Answers are kept as bytes and read after the round, so that a worker that reads one does
not keep the others from noting the time.
"""

import itertools
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

import grpc  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray

from profiler.measure.interrupt import Stop
from profiler.measure.triton import channel

_INFER = "/inference.GRPCInferenceService/ModelInfer"
# How often the waiting main thread looks whether the user asked to stop.
_LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Request:
    """A request in two parts (see profiler.measure.wire): together the bytes that are sent."""

    head: bytes
    body: bytes


@dataclass(slots=True)
class Driven:
    """What came of n requests, in their order.

    sent_s: [n] seconds on the clock of time.perf_counter. latency_s: [n] seconds, inf where no
    answer came. answers: [n] bytes, None where none came. why: what the server said of one that
    failed.
    """

    sent_s: NDArray[np.float64]
    latency_s: NDArray[np.float64]
    answers: list[bytes | None]
    why: str = ""

    @classmethod
    def of(cls, n: int) -> "Driven":
        """Nothing came of `n` requests yet."""
        return cls(np.zeros(n), np.full(n, np.inf), [None] * n)


@dataclass(slots=True)
class _Batch:
    """The requests of one call of `drive`, shared by the workers."""

    requests: Sequence[Request]
    fill: bool
    driven: Driven
    turns: "itertools.count[int]" = field(default_factory=itertools.count)
    done: list[int] = field(default_factory=list)
    over: bool = False

    @property
    def finished(self) -> bool:
        return len(self.done) >= len(self.requests)


class Driver:
    """Keeps connections to one Triton open and sends requests over them.

    workers: the most requests in flight. timeout_s: a request without an answer for so long has
    failed. check: called after a failure; raises if it makes no sense to go on.
    """

    def __init__(
        self,
        address: str,
        *,
        workers: int,
        timeout_s: float,
        check: Callable[[], None],
        stop: Stop,
    ) -> None:
        self._channels = [channel(address) for _ in range(workers)]
        self._calls = [connection.unary_unary(_INFER) for connection in self._channels]
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="drive")
        self._timeout_s = timeout_s
        self._check = check
        self._checking = threading.Lock()
        self._stop = stop

    def close(self) -> None:
        """End everything in flight and close the connections."""
        for connection in self._channels:
            connection.close()
        self._pool.shutdown()

    def drive(self, requests: Sequence[Request], load: int) -> Driven:
        """Send all requests, in their order, with exactly `load` in flight until the last answer.

        So that the load does not fade while the last answers are awaited, some requests are sent
        again meanwhile and not recorded. Raises Interrupted, or what `check` raises.
        """
        batch = _Batch(requests, fill=True, driven=Driven.of(len(requests)))
        self._finish([batch] * load)
        return batch.driven

    def drive_lanes(self, lanes: Sequence[Sequence[Request]]) -> list[Driven]:
        """Send several lists of requests side by side, each with one request in flight.

        Raises Interrupted, or what `check` raises.
        """
        batches = [_Batch(lane, fill=False, driven=Driven.of(len(lane))) for lane in lanes]
        self._finish(batches)
        return [batch.driven for batch in batches]

    def _finish(self, batches: list[_Batch]) -> None:
        """Let one worker work on each; the same batch several times is shared by as many."""
        pending = {
            self._pool.submit(self._work, call, batch)
            for call, batch in zip(self._calls, batches, strict=False)
        }
        assert len(pending) == len(batches), "more in flight than workers"
        try:
            while pending:
                done, pending = wait(pending, timeout=_LOOK_S, return_when=FIRST_EXCEPTION)
                if self._stop.requested is not None:
                    self.close()
                    self._stop.check()
                for worker in done:
                    worker.result()
        finally:
            for batch in batches:
                batch.over = True

    def _work(self, call: Callable[..., bytes], batch: _Batch) -> None:
        for turn in batch.turns:
            recorded = turn < len(batch.requests)
            if self._stop.requested is not None or batch.over:
                return
            if not recorded and (batch.finished or not batch.fill):
                return
            request = batch.requests[turn % len(batch.requests)]
            self._one(call, request, batch, turn if recorded else None)

    def _one(
        self, call: Callable[..., bytes], request: Request, batch: _Batch, turn: int | None
    ) -> None:
        content = request.head + request.body
        failure = ""
        sent = time.perf_counter()
        try:
            answer = call(content, timeout=self._timeout_s)
            came = time.perf_counter()
        except (grpc.RpcError, ValueError) as error:
            if self._stop.requested is not None:  # closed under us, on purpose
                return
            if isinstance(error, ValueError):
                raise
            failure = f"{error.code().name}: {error.details()}"
        if turn is None:
            return
        batch.driven.sent_s[turn] = sent
        if failure:
            batch.driven.why = failure
            with self._checking:
                self._check()
        else:
            batch.driven.latency_s[turn] = came - sent
            batch.driven.answers[turn] = answer
        batch.done.append(turn)

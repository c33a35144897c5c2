"""Driving Triton: workers, each with one request in flight, in a closed or an open loop.

Threads with blocking calls on bytes, one connection each, are what adds least to a latency: a
blocking call waits for its answer in the calling thread itself, where callbacks and asyncio hand
it over from another one, and tritonclient's `infer` would serialise tensors inside the measured
time. Answers are kept as bytes and read after the round, so that a worker that reads one does
not keep the others from noting the time.
"""

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field

import grpc
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

    sent_s: [n] seconds on the clock of time.perf_counter, in an open loop when it was due.
    latency_s: [n] seconds from then, inf where no answer came. answers: [n] bytes, None where none
    came. why: what the server said of one that failed.
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
    due_s: Sequence[float] | None = None
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

    def drive_open(self, requests: Sequence[Request], due_s: NDArray[np.float64]) -> Driven:
        """Send each request when it is due, whether or not others are answered.

        due_s: [n] seconds from now, ascending. Latency counts from when a request was due: one that
        had to wait for a free worker, because as many as there are were in flight, is as late as
        its sender would see it. So a slow answer does not keep the requests behind it from being
        counted (no coordinated omission). Raises Interrupted, or what `check` raises.
        """
        batch = _Batch(
            requests,
            fill=False,
            driven=Driven.of(len(requests)),
            due_s=(time.perf_counter() + due_s).tolist(),
        )
        self._finish([batch] * len(self._calls))
        return batch.driven

    def connect(self) -> None:
        """Open all connections, so that no request waits for one. Raises what `check` raises."""
        for connection in self._channels:
            try:
                grpc.channel_ready_future(connection).result(timeout=self._timeout_s)
            except grpc.FutureTimeoutError:
                self._check()

    def drive_lanes(self, lanes: Sequence[Sequence[Request]]) -> list[Driven]:
        """Send several lists of requests side by side, each with one request in flight.

        Raises Interrupted, or what `check` raises.
        """
        batches = [_Batch(lane, fill=False, driven=Driven.of(len(lane))) for lane in lanes]
        self._finish(batches)
        return [batch.driven for batch in batches]

    @contextmanager
    def occupy(self, requests: Sequence[Request], load: int) -> Iterator[None]:
        """Meanwhile keep `load` of these requests in flight, over and over, and record nothing.

        The workers are taken until the end of the context: nothing else can be driven meanwhile.
        """
        # Turns beyond the requests are those that fill up, and go on until it is over.
        turns = itertools.count(len(requests))
        batch = _Batch(requests, fill=True, driven=Driven.of(0), turns=turns)
        pending = [self._pool.submit(self._work, call, batch) for call in self._calls[:load]]
        assert len(pending) == load, "more in flight than workers"
        try:
            yield
        finally:
            batch.over = True
            wait(pending)

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
        if batch.due_s is None or turn is None:
            sent = time.perf_counter()
        else:
            sent = batch.due_s[turn]
            if not self._wait_until(sent, batch):
                return
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

    def _wait_until(self, due: float, batch: _Batch) -> bool:
        """Sleep until then, on the clock of time.perf_counter. False: it is over before."""
        while (left_s := due - time.perf_counter()) > 0:
            if self._stop.requested is not None or batch.over:
                return False
            time.sleep(min(left_s, _LOOK_S))
        return True

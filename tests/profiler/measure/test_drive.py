"""The closed and the open loop, against a gRPC server that does as the test says."""

import itertools
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import grpc
import numpy as np
import pytest

from profiler.errors import Interrupted, TritonGone
from profiler.measure.drive import Driver, Request
from profiler.measure.interrupt import Stop

Answer = Callable[[bytes, grpc.ServicerContext], bytes]


class Handler(grpc.GenericRpcHandler):
    """Answers every call with a function of its bytes."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def service(self, _: object) -> "grpc.RpcMethodHandler[bytes, bytes]":
        return grpc.unary_unary_rpc_method_handler(self._answer)


@contextmanager
def driver(
    answer: Answer,
    *,
    workers: int = 1,
    check: Callable[[], None] = lambda: None,
    stop: Stop | None = None,
) -> Iterator[Driver]:
    """A driver of a server that answers with `answer`."""
    server = grpc.server(ThreadPoolExecutor(8), handlers=[Handler(answer)])
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    made = Driver(address, workers=workers, timeout_s=30, check=check, stop=stop or Stop())
    try:
        with closing(made):
            yield made
    finally:
        server.stop(None).wait()


def requests(count: int) -> list[Request]:
    return [Request(b"head ", str(number).encode()) for number in range(count)]


def echo(content: bytes, _: grpc.ServicerContext) -> bytes:
    return content


def test_answers_come_in_the_order_of_the_requests() -> None:
    """Head and body are sent as one; each answer lies where its request was."""
    with driver(echo, workers=3) as made:
        driven = made.drive(requests(20), 3)
    assert driven.answers == [f"head {number}".encode() for number in range(20)]
    assert (driven.latency_s > 0).all()
    assert (driven.sent_s > 0).all()


def test_the_load_is_held_from_the_first_to_the_last_answer() -> None:
    """Requests wait for each other at the server: with fewer in flight they would not get on."""
    barrier = threading.Barrier(4, timeout=30)
    arrivals = itertools.count(1)

    def together(content: bytes, context: grpc.ServicerContext) -> bytes:
        if next(arrivals) <= 8:
            barrier.wait()
        return content

    # 7 is no multiple of 4: the last recorded ones have company that is not recorded.
    with driver(together, workers=4) as made:
        driven = made.drive(requests(7), 4)
    assert None not in driven.answers


def test_lanes_are_driven_side_by_side() -> None:
    """Each lane has one request in flight, and its answers in its order."""
    barrier = threading.Barrier(2, timeout=30)

    def together(content: bytes, context: grpc.ServicerContext) -> bytes:
        barrier.wait()
        return content

    with driver(together, workers=3) as made:
        one, other = made.drive_lanes([requests(5), requests(5)])
    assert one.answers == other.answers == [f"head {number}".encode() for number in range(5)]


def test_an_open_loop_sends_when_due_whether_or_not_others_are_answered() -> None:
    """Nobody is answered before all have come, and all come; nothing is sent before it is due."""
    barrier = threading.Barrier(6, timeout=30)

    def together(content: bytes, context: grpc.ServicerContext) -> bytes:
        barrier.wait()
        return content

    due_s = np.linspace(0.0, 0.05, 6)
    with driver(together, workers=6) as made:
        made.connect()
        driven = made.drive_open(requests(6), due_s)
    assert driven.answers == [f"head {number}".encode() for number in range(6)]
    assert driven.sent_s - driven.sent_s[0] == pytest.approx(due_s)
    # All are answered when the last has come.
    assert (driven.latency_s >= 0.05 - due_s).all()


def test_latency_in_an_open_loop_counts_from_when_it_was_due() -> None:
    """One worker, all due at once: the last waited for all others, and its latency says so."""
    answered = threading.Event()

    def slow(content: bytes, context: grpc.ServicerContext) -> bytes:
        answered.wait(0.02)
        return content

    with driver(slow, workers=1) as made:
        driven = made.drive_open(requests(4), np.zeros(4))
    assert (driven.sent_s == driven.sent_s[0]).all()
    assert (driven.latency_s >= 0.02 * np.arange(1, 5)).all()


def test_an_open_loop_can_be_stopped_while_it_waits() -> None:
    """Nobody waits an hour for what is due in an hour."""
    stop = Stop()

    def interrupts(content: bytes, context: grpc.ServicerContext) -> bytes:
        stop.requested = signal.SIGINT
        return content

    with driver(interrupts, workers=2, stop=stop) as made, pytest.raises(Interrupted):
        made.drive_open(requests(2), np.array([0.0, 3600.0]))


def test_a_failed_request_is_recorded_and_the_others_go_on() -> None:
    """It has no answer and no end; the server's words are kept; the server was looked at."""
    checked: deque[bool] = deque()

    def third_fails(content: bytes, context: grpc.ServicerContext) -> bytes:
        if content == b"head 2":
            context.abort(grpc.StatusCode.INTERNAL, "out of luck")
        return content

    with driver(third_fails, check=lambda: checked.append(True)) as made:
        driven = made.drive(requests(5), 1)
    assert [answer is None for answer in driven.answers] == [False, False, True, False, False]
    assert driven.latency_s[2] == float("inf")
    assert driven.why == "INTERNAL: out of luck"
    assert len(checked) == 1


def test_a_server_that_is_gone_ends_the_drive() -> None:
    """What the check raises comes out, and the rest is not sent."""
    seen: deque[bytes] = deque()

    def fails(content: bytes, context: grpc.ServicerContext) -> bytes:
        seen.append(content)
        context.abort(grpc.StatusCode.UNAVAILABLE, "going down")
        return content

    def gone() -> None:
        raise TritonGone("gone")

    with driver(fails, check=gone) as made, pytest.raises(TritonGone, match="gone"):
        made.drive(requests(100), 1)
    assert len(seen) == 1

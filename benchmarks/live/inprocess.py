"""The dataplane alone, with an upstream that answers at once: as much of it as there can be."""

import asyncio
import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.gateway.table import SMALL, table
from benchmarks.live.bare import Bare
from gateway.app import Gateway, assemble
from gateway.clock import LoopClock
from gateway.dataplane import Answer, Recorder
from gateway.live.judging import first_confidences
from gateway.live.live import AT_ONCE
from gateway.settings import Settings
from gateway.upstream.base import Call, Listener, Payload, Reply
from tailq.route import Ask

_HEAD = (
    b'{"model_name":"fashion_nano","model_version":"1","outputs":[{"name":"logits",'
    b'"datatype":"FP32","shape":[1,10],"parameters":{"binary_data_size":40}}]}'
)
_ASK = Ask(tier="small")
_BODY = Payload([b"body"])
_BLOCK, _BLOCKS = 500, 200  # a block has five rounds in it
_PARTS = 50


@dataclass(frozen=True)
class Costs:
    """Microseconds of processor time a request, with live accounting and without.

    ratio: of the requests a second. parts: of what accounting does, by name.
    """

    with_us: float
    without_us: float
    ratio: float
    parts: dict[str, float]


class _Instant:
    """An upstream.base.Upstream. replies: what it answers, in turn."""

    endpoints = 1
    absent: frozenset[str] = frozenset()

    def __init__(self) -> None:
        logits = np.random.default_rng(0).normal(0.0, 3.0, (256, 10)).astype("<f4")
        self._replies = [Reply(_HEAD + row.tobytes(), len(_HEAD)) for row in logits]
        self._asked = 0
        self._listener: Listener | None = None

    def next(self) -> Reply:
        """Another one than before."""
        self._asked += 1
        return self._replies[self._asked % len(self._replies)]

    def infer(
        self,
        variant: str,  # noqa: ARG002
        payload: Payload,  # noqa: ARG002
        deadline: float,  # noqa: ARG002
        listener: Listener,
    ) -> Call:
        """See Upstream."""
        self._listener = listener
        return _CALL

    def answer(self) -> None:
        """What was asked last."""
        assert self._listener is not None
        self._listener.ended(self.next())


class _Call:
    def abandon(self) -> None:
        """See Call."""

    def cancel(self) -> None:
        """See Call."""


_CALL = _Call()


def measure() -> Costs:
    """With and without, in turns, and the parts."""
    return asyncio.run(_measure())


async def _measure() -> Costs:
    settings = Settings.model_validate(
        {"tiers": Path("tiers.json"), "upstream": {"endpoints": ["127.0.0.1:1"]}}
    )
    gateway = assemble(table(), settings, LoopClock(asyncio.get_running_loop()))
    upstream, plane = _Instant(), gateway.service.dataplane
    plane.upstream = upstream
    answers: list[Answer] = []

    def one() -> None:
        execution = plane.open(_ASK, time.monotonic(), answers.append, b"0123456789abcdef")
        execution.send(_BODY)
        upstream.answer()
        answers.clear()

    ways: dict[str, Recorder] = {"with": gateway.live, "without": Bare(gateway.metrics)}
    taken: dict[str, list[float]] = {name: [] for name in ways}
    with _quiet():
        for block in range(_BLOCKS + 1):
            for name in sorted(ways, reverse=block % 2 == 0):
                plane.recorder = ways[name]
                taken[name].append(_each_us(one, _BLOCK))
        parts = _parts(gateway, upstream)
    # The first block warms up.
    own, other = taken["with"][1:], taken["without"][1:]
    return Costs(
        median(own),
        median(other),
        median(b / a for a, b in zip(own, other, strict=True)),
        parts,
    )


def _parts(gateway: Gateway, upstream: _Instant) -> dict[str, float]:
    """What judging takes of one request, step by step, each alone in a loop."""
    live, plane = gateway.live, gateway.service.dataplane
    decision = plane.router.decide(_ASK, 0.0, plane.load(time.monotonic()))
    answers = [
        Answer(
            "on_time",
            decision,
            upstream.next(),
            0.002,
            variant=SMALL,
            asked=(SMALL,),
            request_id=b"%016x" % number,
        )
        for number in range(AT_ONCE)
    ]
    judge = live._judge
    readings = judge.readings(answers)
    judged = [one for one in judge.judge(answers, readings) if one is not None]
    qualities, promised = [one.expected for one in judged], [one.promised for one in judged]
    held = live._held["small", "expected"]

    def remember() -> None:
        if live.remember is not None:
            for answer, one in zip(answers, judged, strict=True):
                live.remember(answer.request_id, one)

    def compare() -> None:
        for variant, confidences in first_confidences(answers, readings).items():
            live._confidence.observe(variant, confidences)

    steps: dict[str, Callable[[], object]] = {
        "what answers say": lambda: judge.readings(answers),
        "what they are worth": lambda: judge.judge(answers, readings),
        "sums, evidence, rounds": lambda: held.observe(qualities, promised),
        "rounds alone": lambda: held._rounds.observe(qualities),
        "drift of confidence": compare,
        "remembered for feedback": remember,
    }
    return {
        name: min(_each_us(step, _PARTS) for _ in range(_PARTS)) / AT_ONCE
        for name, step in steps.items()
    }


def _each_us(step: Callable[[], object], times: int) -> float:
    begun = time.process_time()
    for _ in range(times):
        step()
    return (time.process_time() - begun) / times * 1e6


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the garbage collector's walks over what lasts, as the gateway is at work."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()

"""Timing contenders fairly: in turns, in one process, on the same input."""

import time
from collections.abc import Callable, Mapping
from statistics import median


def interleaved(contenders: Mapping[str, tuple[Callable[[], object], int]]) -> dict[str, float]:
    """Median seconds of each contender, given as (function, calls).

    They take turns, those with more calls more often, so that a slow moment of the machine hits
    all of them. Each is called once before, untimed.
    """
    for function, _ in contenders.values():
        function()
    turns = min(calls for _, calls in contenders.values())
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(turns):
        for name, (function, calls) in contenders.items():
            for _ in range(calls // turns):
                seconds[name].append(_timed(function))
    return {name: median(taken) for name, taken in seconds.items()}


def _timed(function: Callable[[], object]) -> float:
    began = time.perf_counter()
    function()
    return time.perf_counter() - began

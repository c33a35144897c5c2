"""Streams of requests whose truth is known: independent, autocorrelated, and slow in bursts."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from profiler.predict.record import Record

Floats = NDArray[np.float64]
Latencies = Callable[[np.random.Generator, int], Floats]

ACCURACY = 0.93
# Of a stream that is long enough to know its truth by.
_LONG = 2_000_000
_APART = 7


def independent(random: np.random.Generator, size: int) -> Floats:
    """Log-normal latencies of 10 ms, spread 30 %."""
    return np.asarray(0.01 * np.exp(0.3 * random.standard_normal(size)))


def autoregressive(correlation: float) -> Latencies:
    """Log-latency as an AR(1) process with the same law at each moment as `independent`."""

    def draw(random: np.random.Generator, size: int) -> Floats:
        noise = random.standard_normal(size) * np.sqrt(1 - correlation**2)
        noise[0] = random.standard_normal()
        series = signal.lfilter([1.0], [1.0, -correlation], noise)
        return np.asarray(0.01 * np.exp(0.3 * series))

    return draw


def bursts(share: float, length: float, factor: float = 3.0) -> Latencies:
    """Independent, but `factor` times slower a `share` of the time, in bursts of mean `length`."""

    def draw(random: np.random.Generator, size: int) -> Floats:
        quiet = length * (1 - share) / share
        pairs = int(2 * size / (quiet + length)) + 50
        lasting = np.stack(
            [random.geometric(1 / quiet, pairs), random.geometric(1 / length, pairs)]
        )
        if random.random() < share:
            lasting[0, 0] = 0  # begins within a burst; geometric lengths remember nothing
        slow = np.repeat(np.tile([False, True], pairs), lasting.T.ravel())[:size]
        return np.asarray(independent(random, size) * np.where(slow, factor, 1.0))

    return draw


def drifting(random: np.random.Generator, size: int) -> Floats:
    """Independent but for a slow change that a few neighbours do not show."""
    slow = np.log(autoregressive(0.998)(random, size) / 0.01) / 0.3
    return np.asarray(independent(random, size) * np.exp(0.15 * slow))


@dataclass(frozen=True)
class Stream:
    """A stream with its deadline at a quantile of its latency, and the truth of its rounds."""

    name: str
    latencies: Latencies
    late: float
    requests: int

    @cached_property
    def _long(self) -> Floats:
        return self.latencies(np.random.default_rng(7), _LONG)

    @cached_property
    def deadline_s(self) -> float:
        """The deadline that a share `late` of the requests misses."""
        return float(np.quantile(self._long, 1 - self.late))

    @cached_property
    def rounds(self) -> Floats:
        """Quality of very many rounds, ascending: all right but `1 - ACCURACY`, less the late."""
        right = np.random.default_rng(8).random(_LONG) < ACCURACY
        total = np.concatenate([[0], np.cumsum(right & (self._long > self.deadline_s))])
        lost = (total[self.requests :: _APART] - total[: -self.requests : _APART]) / self.requests
        return np.sort(ACCURACY - lost)

    @property
    def tail_5(self) -> float:
        """The true 5 % tail quality."""
        return float(np.quantile(self.rounds, 0.05))

    def below(self, quality: float) -> float:
        """The share of rounds whose quality is below it."""
        return float(np.searchsorted(self.rounds, quality - 1e-9) / len(self.rounds))

    def record(self, random: np.random.Generator, size: int) -> Record:
        """A record of so many requests, of samples in random order."""
        score = (np.arange(10_000) < 10_000 * ACCURACY).astype(np.float64)
        sample = random.integers(0, len(score), size)
        return Record(score, sample, self.latencies(random, size))

"""The evidence in a profile: what each variant answers to each sample, and when it came.

The one place where the measured columns become the arrays that everything is computed from:
summary, prediction, tiers, report.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from profiler.record.observations import Answers, Observations

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Timed:
    """The timed requests at one load: M times a sample was asked of all V variants in one round.

    round, sample: [M], rounds ascending. sent_s, latency_s: [M, V] seconds; latency is inf where
    no answer came, or a worse one than `Evidence.score` says: the answer it tells never came.
    """

    round: Ints
    sample: Ints
    sent_s: Floats
    latency_s: Floats


@dataclass(frozen=True)
class Evidence:
    """What was measured of V variants on N samples.

    score: [N, V] how good each answer is by itself, in [0, 1], without a deadline. confidence:
    [N, V] what the model says of it, in [0, 1]. service_s: [V] device-seconds of one request.
    by_load: the timed requests by requests in flight, closed loop with every variant in turn.
    """

    variants: tuple[str, ...]
    score: Floats
    confidence: Floats
    service_s: Floats
    by_load: Mapping[int, Timed]

    @property
    def samples(self) -> int:
        """How many samples every variant answered."""
        return len(self.score)

    @property
    def quality(self) -> Floats:
        """Quality of each variant without a deadline: [V]."""
        return np.asarray(self.score.mean(axis=0))

    def index(self, variant: str) -> int:
        """Column of a variant."""
        return self.variants.index(variant)


def evidence_of(answers: Answers, observations: Observations) -> Evidence:
    """Arrange measured columns. Every variant answers every sample and is timed in every round."""
    count = len(answers.variants)
    order = np.lexsort((answers.variant, answers.sample))
    shape = (-1, count)
    score = answers.score[order].astype(np.float64).reshape(shape)
    confidence = answers.confidence[order].astype(np.float64).reshape(shape)
    closed = observations.where(observations.rate == 0)
    busy = closed.where(~closed.alone)
    return Evidence(
        variants=answers.variants,
        score=score,
        confidence=confidence,
        service_s=_service(closed),
        by_load={
            int(load): _timed(busy.where(busy.load == load), score) for load in np.unique(busy.load)
        },
    )


def _timed(seen: Observations, score: Floats) -> Timed:
    order = np.lexsort((seen.variant, seen.sample, seen.round))
    seen = seen.where(order)
    shape = (-1, len(seen.variants))
    known = score[seen.sample, seen.variant]
    worse = ~seen.ok | (seen.score < known - 1e-6)  # scores are kept in single precision
    latency = np.where(worse, np.inf, seen.latency_s)
    first = slice(None, None, len(seen.variants))
    return Timed(
        round=seen.round[first].astype(np.int64),
        sample=seen.sample[first].astype(np.int64),
        sent_s=seen.sent_s.reshape(shape),
        latency_s=latency.reshape(shape),
    )


def _service(closed: Observations) -> Floats:
    """Median latency alone with one in flight, or else at the lowest load."""
    lowest = closed.where((closed.load == closed.load.min()) & closed.ok)
    medians = []
    for index in range(len(closed.variants)):
        own = lowest.variant == index
        alone = own & lowest.alone
        medians.append(np.median(lowest.latency_s[alone if alone.any() else own]))
    return np.array(medians)

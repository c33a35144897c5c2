"""Quality of a future round if requests were independent of each other: its exact law.

The quality of a round is a sum of scores, each there with the probability that its answer comes
in time: a weighted Poisson-binomial variable. Its characteristic function is a product, and the
discrete Fourier transform of it at as many points as there are values is the law itself, without
approximation (Fernandez & Williams 2010; Hong 2013).

Latencies on a real machine are not independent: see profiler/predict/correlated.py.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from profiler.predict.record import Record, composed

Floats = NDArray[np.float64]

# Scores are exact if they are multiples of 1/2 ... 1/100, and else rounded to multiples of
# whatever keeps the law to so many values.
_FINEST = 100
_VALUES = 2**16


def predict(
    record: Record, deadlines_s: Floats, requests: int, levels: tuple[float, ...]
) -> tuple[Floats, Floats]:
    """Predict the quality of a round: its mean [D], and its quantiles at `levels` [L, D]."""
    asked = composed(record.score, requests)
    probability = in_time(record, deadlines_s)[asked]
    score = record.score[asked]
    tails = np.stack(
        [quantiles(*law(score, column), np.asarray(levels)) for column in probability.T], axis=1
    )
    return np.asarray(score @ probability / requests), tails / requests


def in_time(record: Record, deadlines_s: Floats) -> Floats:
    """Probability that the answer to each sample comes by each deadline: [N, D].

    Of samples timed often enough their own share, of the others the share of all together.
    """
    timely = (record.latency_s[:, None] <= deadlines_s).astype(np.float64)
    pooled = np.broadcast_to(timely.mean(axis=0), (len(record.score), len(deadlines_s))).copy()
    often = record.timed_often
    if often.any():
        counts = np.bincount(record.sample, minlength=len(record.score))
        for index in range(len(deadlines_s)):
            hits = np.bincount(record.sample, timely[:, index], minlength=len(record.score))
            pooled[often, index] = hits[often] / counts[often]
    return pooled


def law(weight: Floats, probability: Floats) -> tuple[Floats, Floats]:
    """The law of the sum of independent weights, each there with its probability.

    weight, probability: [n] in [0, 1]. Returns its values, ascending, and their probabilities.
    """
    steps = _steps(weight)
    lattice = np.rint(weight * steps).astype(np.int64)
    pairs, count = np.unique(np.stack([lattice, probability]), axis=1, return_counts=True)
    size = int(lattice.sum()) + 1
    angle = -2j * np.pi * np.arange(size // 2 + 1) / size
    transform = np.ones(len(angle), dtype=np.complex128)
    for (jump, p), times in zip(pairs.T, count, strict=True):
        if jump:
            transform *= (1 - p + p * np.exp(angle * jump)) ** times
    mass = np.maximum(fft.irfft(transform, n=size), 0.0)
    # Where scores were rounded, the greatest possible sum is still theirs.
    scale = weight.sum() / max(size - 1, 1)
    return np.arange(size) * scale, mass / mass.sum()


def quantiles(values: Floats, mass: Floats, levels: Floats) -> Floats:
    """Lower quantiles of a discrete law: the first values whose cumulated mass reaches `levels`."""
    reached = np.searchsorted(np.cumsum(mass), levels - 1e-12)
    return np.asarray(values[np.minimum(reached, len(values) - 1)])


def _steps(weight: Floats) -> int:
    """Steps of the lattice on which the weights lie, or nearly."""
    candidates = np.arange(1, _FINEST + 1)
    scaled = np.unique(weight)[:, None] * candidates
    exact = np.all(np.abs(scaled - np.rint(scaled)) < 1e-6, axis=0)
    most = max(int(_VALUES / max(weight.sum(), 1.0)), 1)
    return int(candidates[np.argmax(exact)]) if exact.any() else most

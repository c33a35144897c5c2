"""Quality at 100 deadlines for 10,000 samples in 100 rounds: 1,000,000 requests.

Latencies are log-normal; the deadlines lie at even quantiles of them, so that every deadline
parts the requests: no contender is helped by deadlines that all or none meet.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.timing import interleaved
from tailq.quality import quality_by_round

SAMPLES, ROUNDS, DEADLINES = 10_000, 100, 100

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def loop(
    correct: Sequence[Sequence[bool]],
    latency_s: Sequence[Sequence[float]],
    deadlines_s: Sequence[float],
) -> list[list[float]]:
    """The definition, as one would write it in pure Python, on lists: a list of a list a round."""
    quality = []
    for right, taken in zip(correct, latency_s, strict=True):
        row = []
        for deadline in deadlines_s:
            count = 0
            for ok, seconds in zip(right, taken, strict=True):
                if ok and seconds <= deadline:
                    count += 1
            row.append(count / len(right))
        quality.append(row)
    return quality


def per_threshold(correct: Bools, latency_s: Floats, deadlines_s: Floats) -> Floats:
    """One mask a deadline over arrays [R, N], and its mean by round.

    The fastest of the usual ways: for booleans `mean` beats count_nonzero and add.reduceat.
    """
    quality = np.empty((len(latency_s), len(deadlines_s)))
    for column, deadline in enumerate(deadlines_s):
        quality[:, column] = (correct & (latency_s <= deadline)).mean(axis=1)
    return quality


def measure() -> dict[str, float]:
    """Median seconds of ours, NumPy's and the loop's; they must agree. Takes half a minute."""
    random = np.random.default_rng(0)
    latency = random.lognormal(-4, 0.6, (ROUNDS, SAMPLES))
    correct = random.random((ROUNDS, SAMPLES)) < 0.9
    deadlines = np.quantile(latency, np.linspace(0, 1, DEADLINES))
    # As the profile keeps them: a row a request, with its round.
    flat = correct.ravel(), latency.ravel(), np.repeat(np.arange(ROUNDS), SAMPLES)
    lists = correct.tolist(), latency.tolist(), deadlines.tolist()
    ours = quality_by_round(*flat, deadlines)
    np.testing.assert_allclose(ours, per_threshold(correct, latency, deadlines), rtol=1e-12)
    np.testing.assert_allclose(ours, loop(*lists), rtol=1e-12)
    return interleaved(
        {
            "ours": (lambda: quality_by_round(*flat, deadlines), 15),
            "numpy": (lambda: per_threshold(correct, latency, deadlines), 15),
            "loop": (lambda: loop(*lists), 3),
        }
    )

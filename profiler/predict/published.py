"""Quality of a future round as published: Yang et al., arXiv 2212.13925.

A kernel density of the latency of each sample (improved Sheather-Jones bandwidth), rounds drawn
from the densities by Monte Carlo, every sample independently of the others, and the quality of
each round at the deadlines.

Differences: densities are fitted to log-latency (tailq/latency.py says why); a request that
failed is late; samples timed too rarely for a density of their own share one fitted to all.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import special

from profiler.predict.record import Record, composed
from tailq import latency

Floats = NDArray[np.float64]

# Below this the Monte Carlo error of the 1 % quantile exceeds that of rounds themselves.
_ROUNDS = 1000
_AT_ONCE = 2**21


def predict(record: Record, deadlines_s: Floats, requests: int, seed: int) -> Floats:
    """Draw the quality of rounds of `requests` requests: [R, D].

    A latency is within the deadline iff a uniform number is below the density's distribution
    function there; one number a request serves all deadlines, as one latency would.
    """
    asked = composed(record.score, requests)
    probability = in_time(record, deadlines_s)[asked].astype(np.float32)
    score = record.score[asked].astype(np.float32)
    random = np.random.default_rng(seed)
    rows = max(1, _AT_ONCE // requests)
    blocks = []
    for start in range(0, _ROUNDS, rows):
        size = (min(rows, _ROUNDS - start), requests)
        uniform = random.random(size, dtype=np.float32)
        blocks.append(np.stack([(uniform < column) @ score for column in probability.T], axis=1))
    # Rounding may lift a round in which nothing was late above what is possible.
    quality = np.concatenate(blocks).astype(np.float64) / requests
    return np.asarray(np.minimum(quality, record.score[asked].mean()))


def in_time(record: Record, deadlines_s: Floats) -> Floats:
    """Probability by the densities that the answer to each sample is in time: [N, D]."""
    shared = distribution(record.latency_s, deadlines_s)
    probability = np.tile(shared, (len(record.score), 1))
    for sample in np.flatnonzero(record.timed_often):
        own = record.latency_s[record.sample == sample]
        probability[sample] = distribution(own, deadlines_s)
    return probability


def distribution(latency_s: Floats, deadlines_s: Floats) -> Floats:
    """Distribution function of the kernel density of latencies [M] at the deadlines: [D]."""
    answered = float(np.isfinite(latency_s).mean())
    if answered == 0:
        return np.zeros(len(deadlines_s))
    density = latency.fit(latency_s)
    distance = np.log(deadlines_s) - density.log_latency[:, None]
    return np.asarray(answered * special.ndtr(distance / density.bandwidth).mean(axis=0))

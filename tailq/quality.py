"""Quality at a deadline: an answer that comes late counts as no answer.

Definitions after Yang et al., "Quality at the Tail of Machine Learning Inference",
arXiv 2212.13925: in round r the sample i is answered after t[r, i] seconds; at deadline d the
answer is valid iff t[r, i] <= d; an invalid answer is wrong, and never leaves the denominator.
All deadlines are computed at once: each request is put into the bin of the first deadline it
meets, and the bins are cumulated. `make bench-profiler` says what that saves.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tailq.thresholds import first_met_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Scores = NDArray[np.float64] | NDArray[np.bool_]

# Requests that are binned at a time, unless there are more bins.
_BLOCK = 2**16
# With fewer requests a round than this, rounds are numbered by sorting them, which takes longer
# but leaves no gaps.
_FEW = 8


def quality_at(correct: ArrayLike, latency_s: ArrayLike, deadlines_s: ArrayLike) -> Floats:
    """Quality at each deadline over all requests together.

    correct: [n] bool or score in [0, 1]. latency_s: [n] seconds, inf where no answer came.
    deadlines_s: [D] seconds, in any order. Returns [D] in [0, 1].
    Raises ValueError on NaN, differing lengths or no requests.
    """
    everything = np.zeros(np.shape(latency_s), dtype=np.int64)
    quality: Floats = quality_by_round(correct, latency_s, everything, deadlines_s)[0]
    return quality


def quality_by_round(
    correct: ArrayLike, latency_s: ArrayLike, round_: ArrayLike, deadlines_s: ArrayLike
) -> Floats:
    """Quality at each deadline in each round.

    round_: [n] int, the round of each request; rounds may differ in size. Other arguments as in
    `quality_at`. Returns [R, D], rows by ascending round. Raises ValueError like `quality_at`.
    """
    score, latency, rounds, deadlines = _checked(correct, latency_s, round_, deadlines_s)
    order = np.argsort(deadlines, kind="stable")
    row, rows = _rows(rounds)
    gained, size = _binned(score, latency, row, rows, deadlines[order])
    occurs = size > 0
    quality: Floats = np.empty((np.count_nonzero(occurs), deadlines.size))
    quality[:, order] = np.cumsum(gained[occurs, :-1], axis=1) / size[occurs, None]
    return quality


def _binned(
    score: Scores, latency: Floats, row: Ints, rows: int, ascending: Floats
) -> tuple[Floats, Ints]:
    """Sum of the scores in each row by the first deadline that was met, and requests in each row.

    Returns [rows, D + 1], where the last bin takes what meets no deadline, and [rows]. Works in
    blocks that stay in the processor's cache, and counts requests by bin rather than by row: to
    count up one place again and again is slow.
    """
    first_met = first_met_of(ascending, latency.size)
    width = ascending.size + 1
    bins = rows * width
    gained: Floats = np.zeros(bins)
    count: Ints = np.zeros(bins, dtype=np.int64)
    length = max(_BLOCK, bins)
    for start in range(0, latency.size, length):
        block = slice(start, start + length)
        cell = row[block] * width
        cell += first_met(latency[block])
        gained += np.bincount(cell, weights=score[block], minlength=bins)
        count += np.bincount(cell, minlength=bins)
    return gained.reshape(rows, width), count.reshape(rows, width).sum(axis=1)


def _rows(rounds: Ints) -> tuple[Ints, int]:
    """Number the rounds from 0, ascending: [n], and how many numbers there are, some unused."""
    first, last = int(rounds.min()), int(rounds.max())
    if last - first < rounds.size // _FEW:
        return (rounds - first if first else rounds), last - first + 1
    labels, row = np.unique(rounds, return_inverse=True)
    return row, labels.size


def completed_by_round(
    accuracy: float,
    right: ArrayLike,
    latency_s: ArrayLike,
    round_: ArrayLike,
    deadlines_s: ArrayLike,
) -> Floats:
    """Quality at each deadline in each round, as if every round had timed all samples: [R, D].

    A round times a few samples. The share of right answers among them differs from round to round
    by the luck of the draw, which says nothing of the served system and would drown what does.
    The quality over all samples without a deadline is known (`accuracy`), so a round only has to
    tell which share of the right answers came in time:
    quality = accuracy * (right and in time) / (right), the ratio estimator (Cochran, "Sampling
    Techniques", 1977, ch. 6). Other arguments as in `quality_by_round`; a failed request counts
    with the correctness its sample has without a deadline, and latency inf.
    """
    score = np.asarray(right, dtype=np.float64)
    in_time = quality_by_round(score, latency_s, round_, deadlines_s)
    ever = quality_by_round(score, np.zeros_like(score), round_, [0.0])
    # Where a round has no right answer, whether answers came in time at all stands in.
    anything = quality_by_round(np.ones_like(score), latency_s, round_, deadlines_s)
    share: Floats = np.divide(in_time, ever, out=anything, where=ever > 0)
    return accuracy * share


def tail(quality: Floats, p: float) -> Floats:
    """The quality that all but a share `p` of rounds reach: lower empirical quantile over rounds.

    quality: [R, D]. p in [0, 1]; 0 gives the worst round. Returns [D]. With R rounds a `p` below
    1/R cannot be told from the worst round.
    """
    return np.asarray(np.quantile(quality, p, axis=0, method="inverted_cdf"), dtype=np.float64)


def _checked(
    correct: ArrayLike, latency_s: ArrayLike, round_: ArrayLike, deadlines_s: ArrayLike
) -> tuple[Scores, Floats, Ints, Floats]:
    score: Scores = np.asarray(correct)
    if score.dtype != np.bool_:
        score = score.astype(np.float64, copy=False)
    latency = np.asarray(latency_s, dtype=np.float64)
    rounds = np.asarray(round_)
    deadlines = np.asarray(deadlines_s, dtype=np.float64)
    if score.ndim != 1 or score.shape != latency.shape or score.shape != rounds.shape:
        raise ValueError(
            "correct, latency_s and round_ must be vectors of one length, "
            f"not of shapes {score.shape}, {latency.shape}, {rounds.shape}"
        )
    if score.size == 0:
        raise ValueError("there are no requests to take the quality of")
    for name, values in (
        ("correct", score),
        ("latency_s", latency),
        ("deadlines_s", deadlines),
    ):
        if np.isnan(values).any():
            raise ValueError(f"{name} contains NaN; an unanswered request has latency inf")
    return score, latency, rounds.astype(np.int64, copy=False), deadlines

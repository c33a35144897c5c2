"""Quality at a deadline for any metric, at all deadlines at once.

Sorting by latency turns "what is in time at deadline d" into "the first k answers"; a metric is
evaluated once for each k that differs, however many deadlines there are. Additive metrics take
the path of tailq.quality, which does all rounds together.
"""

import numpy as np
from numpy.typing import ArrayLike

from profiler.tasks.base import Floats, Ints, Judged, Scores
from tailq import quality as additive


def quality_by_round(
    judged: Judged, sample: Ints, latency_s: ArrayLike, round_: ArrayLike, deadlines_s: ArrayLike
) -> Floats:
    """Quality at each deadline in each round, over the samples that the round timed.

    sample: [n] index into `judged` of each request. latency_s: [n] seconds, inf where no answer
    came. round_: [n] int. deadlines_s: [D] seconds, in any order. Returns [R, D] in [0, 1], rows
    by ascending round. Raises ValueError on NaN, differing lengths or no requests.
    """
    if isinstance(judged, Scores):
        return additive.quality_by_round(judged.scores[sample], latency_s, round_, deadlines_s)
    return _by_round(judged, sample, latency_s, round_, deadlines_s)[:, :-1]


def completed_by_round(
    judged: Judged, sample: Ints, latency_s: ArrayLike, round_: ArrayLike, deadlines_s: ArrayLike
) -> Floats:
    """Quality at each deadline in each round, as if every round had timed all samples: [R, D].

    The ratio estimator of tailq.quality.completed_by_round for any metric: quality over all
    samples * (quality of the round's samples at the deadline) / (quality of the round's samples
    without one). Where the latter is 0, the share of answers in time stands in for the ratio. A
    metric that is not additive may gain by a bad answer's being late; the result stays within 1.
    Arguments and errors as in `quality_by_round`.
    """
    known = without_deadline(judged)
    if isinstance(judged, Scores):
        score = judged.scores[sample]
        return additive.completed_by_round(known, score, latency_s, round_, deadlines_s)
    quality = _by_round(judged, sample, latency_s, round_, deadlines_s)
    in_time, ever = quality[:, :-1], quality[:, -1:]
    anything = additive.quality_by_round(np.ones(sample.size), latency_s, round_, deadlines_s)
    share = np.divide(in_time, ever, out=anything, where=ever > 0)
    return np.asarray(np.minimum(known * share, 1.0))


def without_deadline(judged: Judged) -> float:
    """Quality over all samples when nothing is late, in [0, 1]."""
    if isinstance(judged, Scores):
        return float(judged.scores.mean())
    samples = np.arange(judged.scores.size)
    return float(judged.quality(samples, np.array([samples.size]))[0])


def _by_round(
    judged: Judged, sample: Ints, latency_s: ArrayLike, round_: ArrayLike, deadlines_s: ArrayLike
) -> Floats:
    """Like quality_by_round, with one more column: without any deadline."""
    latency = np.asarray(latency_s, dtype=np.float64)
    rounds = np.asarray(round_)
    deadlines = np.asarray(deadlines_s, dtype=np.float64)
    # Refuses what has no quality.
    additive.quality_by_round(judged.scores[sample], latency, rounds, deadlines)
    order = np.lexsort((latency, rounds))
    starts = np.flatnonzero(np.diff(rounds[order], prepend=rounds[order[0]] - 1))
    return np.array(
        [
            _at(judged, sample[rows], latency[rows], deadlines)
            for rows in np.split(order, starts[1:])
        ]
    )


def _at(judged: Judged, sample: Ints, latency: Floats, deadlines: Floats) -> Floats:
    """Quality of one round at each deadline and without any. latency: [M] ascending."""
    in_time = np.append(np.searchsorted(latency, deadlines, side="right"), latency.size)
    distinct, which = np.unique(in_time, return_inverse=True)
    return np.asarray(judged.quality(sample, distinct)[which])

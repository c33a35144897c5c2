"""Latency under load: from the timed requests to quantiles by work outstanding. Pure.

The work outstanding when a request is sent is what is known of the queue at that moment without
asking the device: the service times of all requests in flight. Latency is not the sum of them (a
device may do several things at a time, batch them, or take turns), but it does not fall with
them; so the model is monotone and otherwise free.
"""

import numpy as np
from numpy.typing import NDArray

from profiler.record.observations import Observations
from tailq.load import LatencyQuantile, LatencyUnderLoad

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEVELS = (0.5, 0.9, 0.95, 0.99, 0.999)

# A level is told apart from the maximum by at least so many slower requests.
_SLOWER = 10
# Bins by mass, and as many by work. Each has at least so many requests: pooling over bins makes up
# for noise, but not for a bin of a handful.
_CUTS = 8
_A_BIN = 100
_FOLDS = 5


def outstanding_work(observations: Observations, service_s: Floats) -> Floats:
    """Seconds of service in flight when each request was sent, its own not counted: [n].

    observations: all timed requests of a run, of all variants and conditions. service_s: [V]
    device-seconds of one request. A request is in flight from when it is sent (in an open loop:
    due) to its answer. Those never answered count for nothing, as nobody knows how long the
    device was busy with them.
    """
    work = np.zeros(len(observations))
    for index, seconds in enumerate(service_s):
        own = observations.variant == index
        answered = own & observations.ok
        sent = observations.sent_s[answered]
        # Counted in whole requests, so that "none" is exactly 0.
        begun = np.searchsorted(np.sort(sent), observations.sent_s, side="right")
        ended = np.searchsorted(
            np.sort(sent + observations.latency_s[answered]), observations.sent_s, side="right"
        )
        work += (begun - ended - answered) * seconds
    return np.round(work, 9)  # nanoseconds: equal work is equal to the last bit


def under_load(
    observations: Observations, outstanding_s: Floats, variant: int
) -> LatencyUnderLoad | None:
    """The model of one variant, its error measured out of sample.

    outstanding_s: [n] of `outstanding_work`. A level is left out where fewer than ten requests
    were slower than it. `exceeded` is cross-validated in blocks of consecutive rounds, because
    requests of one round share the machine's moment: each fifth of the rounds of every condition
    is told from the other four. None: too few requests even for the median, or a single round.
    """
    rows = np.flatnonzero((observations.variant == variant) & observations.ok)
    levels = np.array([level for level in LEVELS if rows.size * (1 - level) >= _SLOWER - 1e-9])
    block = _blocks(observations)[rows]
    if levels.size == 0 or np.unique(block).size < 2:
        return None
    work, latency = outstanding_s[rows], observations.latency_s[rows]
    knots, quantiles = _fit(work, latency, levels)
    slower = _slower(work, latency, block, levels)
    exceeded, of_open = slower.mean(axis=1), observations.rate[rows] > 0
    exceeded_open = (
        slower[:, of_open].mean(axis=1).tolist() if of_open.any() else [None] * len(slower)
    )
    return LatencyUnderLoad(
        outstanding_s=tuple(knots.tolist()),
        quantiles=tuple(
            LatencyQuantile(
                level=level, latency_s=tuple(by_knot), exceeded=all_, exceeded_open=open_
            )
            for level, by_knot, all_, open_ in zip(
                levels.tolist(), quantiles.tolist(), exceeded.tolist(), exceeded_open, strict=True
            )
        ),
    )


def _fit(work: Floats, latency: Floats, levels: Floats) -> tuple[Floats, Floats]:
    """Knots of work [K] and quantiles of latency at them [L, K].

    Requests of similar work are pooled in bins; over the bins it is isotonic quantile regression
    (see Mösching & Dümbgen, arXiv 1901.02398) in its max-min form: at bin i the greatest over
    a <= i of the least over b >= i of the quantile of bins a to b together. That is non-decreasing
    in work, and since the quantiles of any one pool do not cross, neither do these. A bin is level
    from its least to its greatest work: whatever way latencies go within it, the right share of
    them is slower.
    """
    order = np.argsort(work, kind="stable")
    work, latency = work[order], latency[order]
    edges = _bins(work)
    bins = edges.size - 1
    pooled = np.full((levels.size, bins, bins), np.inf)
    for first, last in zip(*np.triu_indices(bins), strict=True):
        pool = latency[edges[first] : edges[last + 1]]
        # "weibull": a new request exceeds it with probability 1 - level.
        pooled[:, first, last] = np.quantile(pool, levels, method="weibull")
    least = np.minimum.accumulate(pooled[:, :, ::-1], axis=2)[:, :, ::-1]
    least[:, *np.tril_indices(bins, -1)] = -np.inf
    fitted = np.repeat(least.max(axis=1), 2, axis=1)
    ends = np.column_stack((edges[:-1], edges[1:] - 1)).ravel()
    knots, first = np.unique(work[ends], return_index=True)
    fitted = fitted[:, first]
    bends = (np.diff(fitted) != 0).any(axis=0)
    kept = np.append(True, bends) | np.append(bends, True)
    kept[[0, -1]] = True  # the range that was measured
    return knots[kept], fitted[:, kept]


def _bins(work: Floats) -> Ints:
    """Edges of bins in ascending work: [K + 1] positions, 0 and n among them.

    Cut in equal mass, where most requests are, and in equal steps of work, where queues are long
    and rare. Equal work is never split, nor mixed with other if there is much of it: in a closed
    loop of one there is nothing but 0.
    """
    even = np.linspace(0, 1, _CUTS, endpoint=False)
    wanted = np.append(work[(even * work.size).astype(np.int64)], even * work[-1])
    sides = [np.searchsorted(work, wanted, side=side) for side in ("left", "right")]
    kept = [0]
    for edge in np.unique(sides).tolist():
        if min(edge - kept[-1], work.size - edge) >= _A_BIN:
            kept.append(edge)
    return np.array([*kept, work.size])


def _slower(work: Floats, latency: Floats, block: Ints, levels: Floats) -> NDArray[np.bool_]:
    """Whether each request was slower than the quantile the other blocks tell for it: [L, n]."""
    slower = np.zeros((levels.size, work.size), dtype=np.bool_)
    for number in np.unique(block):
        own = block == number
        knots, quantiles = _fit(work[~own], latency[~own], levels)
        beyond = np.maximum(work[own] - knots[-1], 0.0)  # as LatencyUnderLoad has it
        for index, by_knot in enumerate(quantiles):
            slower[index, own] = latency[own] > np.interp(work[own], knots, by_knot) + beyond
    return slower


def _blocks(observations: Observations) -> Ints:
    """Block of each request: [n]. Every condition's rounds in order, cut into five."""
    conditions = np.column_stack((observations.load, observations.rate, observations.alone))
    _, condition = np.unique(conditions, axis=0, return_inverse=True)
    block = np.empty(len(observations), dtype=np.int64)
    for index in range(int(condition.max(initial=-1)) + 1):
        rows = np.flatnonzero(condition == index)
        rounds, rank = np.unique(observations.round[rows], return_inverse=True)
        block[rows] = rank * _FOLDS // rounds.size
    return block

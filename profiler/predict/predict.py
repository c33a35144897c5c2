"""Predict the quality at a deadline of future rounds, by one of three methods. Pure.

correlated    requests that follow each other may be slow together (the default: it covers)
independent   the exact law, were they independent
published     as Yang et al. do: kernel densities and Monte Carlo, independent too
"""

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from profiler.predict import correlated, independent, published
from profiler.predict.dispersion import observe
from profiler.predict.record import Record, record_of
from profiler.record.evidence import Evidence
from tailq.profile import Prediction
from tailq.quality import tail

Floats = NDArray[np.float64]
Method = Literal["correlated", "independent", "published"]
METHODS: tuple[Method, ...] = get_args(Method)

_TAILS = (0.05, 0.01)
# The ends of the 90 % confidence interval.
_INTERVAL = [0.05, 0.95]


def predict(
    evidence: Evidence,
    variant: int,
    load: int,
    deadlines_s: Sequence[float],
    *,
    requests: int | None = None,
    method: Method = "correlated",
    seed: int = 0,
) -> tuple[Prediction, ...]:
    """Predict the quality at each deadline of rounds of consecutive requests.

    variant: index. load: one of `evidence.by_load`. requests: in a round; as many as there are
    samples, if None. seed: of the Monte Carlo of `published`; the others have none. The metric
    must be additive.
    """
    record = record_of(evidence, variant, load)
    return predict_record(
        record,
        deadlines_s,
        requests=evidence.samples if requests is None else requests,
        method=method,
        seed=seed,
    )


def predict_record(
    record: Record,
    deadlines_s: Sequence[float],
    *,
    requests: int,
    method: Method = "correlated",
    seed: int = 0,
) -> tuple[Prediction, ...]:
    """Predict from the record of one variant at one load; see `predict`."""
    deadlines = np.asarray(deadlines_s, dtype=np.float64)
    loss = observe(record.scores, record.latency_s, deadlines, requests)
    if method == "correlated":
        rounds, possible = correlated.predict(loss, requests)
        mean = record.quality * (1 - loss.share)
        tails = record.quality * (1 - np.quantile(rounds, [1 - p for p in _TAILS], axis=0))
    else:
        # Neither states how sure it is: this is the interval that their assumption leads to.
        _, possible = correlated.predict(loss.if_independent(), requests)
        mean, tails = _independent(record, deadlines, requests, method, seed)
    ends = record.quality * (1 - np.quantile(possible, _INTERVAL, axis=0))
    half_width = np.abs(ends - tails[0]).max(axis=0)
    return tuple(
        Prediction(
            requests=requests,
            mean=float(mean[index]),
            tail_5=float(tails[0, index]),
            tail_1=float(tails[1, index]),
            half_width=float(half_width[index]),
        )
        for index in range(len(deadlines))
    )


def _independent(
    record: Record, deadlines: Floats, requests: int, method: Method, seed: int
) -> tuple[Floats, Floats]:
    if method == "independent":
        return independent.predict(record, deadlines, requests, _TAILS)
    rounds = published.predict(record, deadlines, requests, seed)
    return rounds.mean(axis=0), np.stack([tail(rounds, p) for p in _TAILS])

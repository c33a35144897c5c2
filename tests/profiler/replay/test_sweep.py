"""Sweeping a pair's thresholds agrees with replaying each of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.record.evidence import Evidence
from profiler.replay import replay, sweep, without_deadline
from tailq.plan import Cascade, Race, Single
from tests.profiler.replay.strategies import LOAD, SURE, deadlines, evidences, prices

THRESHOLDS = [0.1, *SURE, 0.75]

pairs = st.sampled_from(
    [
        Cascade(stages=("b", "a"), thresholds=(0.0,)),
        Race(fast="c", accurate="a", threshold=0.0, terminate=True),
        Race(fast="a", accurate="b", threshold=0.0, terminate=False),
    ]
)


def at(plan: Cascade | Race, threshold: float) -> Cascade | Race:
    """The plan with another threshold, validated."""
    if isinstance(plan, Race):
        return Race.model_validate({**plan.model_dump(), "threshold": threshold})
    return Cascade(stages=plan.stages, thresholds=(threshold,))


@given(evidences(), pairs, deadlines.filter(np.isfinite), prices, st.sampled_from([None, 50, 95]))
def test_a_sweep_is_the_replay_of_each_threshold(
    evidence: Evidence,
    plan: Cascade | Race,
    deadline_s: float,
    price: dict[str, float],
    percentile: float | None,
) -> None:
    """Means of score, wait, asks, cost and what is lost; ties and failed requests included."""
    seen = sweep(plan, THRESHOLDS, evidence, LOAD, deadline_s, price, percentile)
    sample = evidence.by_load[LOAD].sample
    for index, threshold in enumerate(THRESHOLDS):
        one = replay(at(plan, threshold), evidence, LOAD, deadline_s, price)
        waits = np.minimum(one.response_s, deadline_s)
        wait = waits.mean() if percentile is None else np.percentile(waits, percentile)
        undisturbed = without_deadline(at(plan, threshold), evidence)[sample]
        wanted = [
            one.score.mean(),
            wait,
            one.asks.mean(),
            one.cost.mean(),
            (undisturbed - one.score).mean(),
        ]
        figures = (seen.score, seen.wait_s, seen.asks, seen.cost, seen.lost)
        np.testing.assert_allclose([f[index] for f in figures], wanted, rtol=1e-12, atol=1e-12)


@given(evidences())
def test_only_pairs_with_a_threshold_are_swept(evidence: Evidence) -> None:
    """Others are refused by name."""
    three = Cascade(stages=("a", "b", "c"), thresholds=(0.5, 0.5))
    for plan in (three, Single(variant="a")):
        with pytest.raises(ValueError, match="only pairs with a threshold"):
            sweep(plan, [0.5], evidence, LOAD, 0.1)

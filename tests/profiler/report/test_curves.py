"""What is drawn of quality against deadline."""

import numpy as np
import pytest

from profiler.record.evidence import Evidence, Timed
from profiler.report.curves import (
    curve_of,
    plan_curve,
    profiled_curves,
    thresholds,
    variant_curves,
    worst,
)
from tailq.plan import Cascade, Single
from tests.profiler.report import synthetic

_SEEN = synthetic.evidence()


def test_thresholds_span_the_latencies_and_contain_the_deadlines() -> None:
    """A hundred deadlines even in log time, and the profiled ones exactly."""
    grid = thresholds(_SEEN, synthetic.DEADLINES_S)
    latency = np.concatenate([timed.latency_s for timed in _SEEN.by_load.values()])
    assert 100 <= grid.size <= 103
    assert np.all(np.diff(grid) > 0)
    assert grid[0] < latency.min()
    assert np.isin(synthetic.DEADLINES_S, grid).all()
    assert (latency <= grid[-1]).mean() > 0.998


def test_an_outage_does_not_flatten_the_figure() -> None:
    """One answer after a minute, or none, leaves the grid where the others are."""
    timed = _SEEN.by_load[4]
    latency = timed.latency_s.copy()
    latency[0, 0], latency[1, 0] = 60.0, np.inf
    seen = Evidence(
        _SEEN.variants,
        _SEEN.score,
        _SEEN.confidence,
        _SEEN.service_s,
        {4: Timed(timed.round, timed.sample, timed.sent_s, latency)},
    )
    assert thresholds(seen, [])[-1] < 2


def test_curves_agree_with_the_profile() -> None:
    """At a profiled deadline a curve has the figures that the profile has."""
    profile = synthetic.profile(_SEEN)
    grid = thresholds(_SEEN, synthetic.DEADLINES_S)
    for variant in profile.variants:
        drawn = variant_curves(_SEEN, variant.name, grid)
        for curve, known in zip(drawn, profiled_curves(variant), strict=True):
            at = np.searchsorted(grid, known.deadline_s)
            assert curve.load == known.load
            for name in ("mean", "tail_5", "tail_1", "worst"):
                assert getattr(curve, name)[at] == pytest.approx(getattr(known, name))


def test_more_time_never_costs_quality() -> None:
    """Mean and tails of a variant rise with the deadline, up to its quality without one."""
    grid = thresholds(_SEEN, synthetic.DEADLINES_S)
    for index, name in enumerate(_SEEN.variants):
        for curve in variant_curves(_SEEN, name, grid):
            assert np.all(np.diff(curve.mean) >= -1e-12)
            assert np.all(curve.worst <= curve.tail_1)
            assert np.all(curve.tail_1 <= curve.tail_5)
            assert curve.mean[-1] <= _SEEN.quality[index] + 1e-12


def test_the_worst_load_is_the_one_that_costs_most() -> None:
    """Of a variant's curves the one with the lowest mean stands for it."""
    grid = np.array([0.01, 0.02])
    low, high = (curve_of(np.full((3, 2), q), load, grid) for q, load in ((0.5, 4), (0.9, 1)))
    assert worst([high, low]) is low


def test_a_plan_of_one_variant_is_the_variant_without_lateness() -> None:
    """Replayed with all the time there is, a plan has the quality that it has without deadline."""
    grid = np.array([1e3])
    for name in _SEEN.variants:
        plan = plan_curve(Single(variant=name), _SEEN, 4, grid)
        (variant,) = (c for c in variant_curves(_SEEN, name, grid) if c.load == 4)
        assert plan.mean == pytest.approx(variant.mean)


def test_a_cascade_that_is_never_confident_is_late_more_often() -> None:
    """Asking two in turn takes longer than asking the second alone, at every deadline."""
    grid = thresholds(_SEEN, [])
    second = plan_curve(Single(variant="fashion_medium"), _SEEN, 1, grid)
    stages = ("fashion_tiny", "fashion_medium")
    sure = np.clip(_SEEN.confidence, 0.0, 0.9)
    seen = Evidence(_SEEN.variants, _SEEN.score, sure, _SEEN.service_s, _SEEN.by_load)
    early = plan_curve(Cascade(stages=stages, thresholds=(1.0,)), seen, 1, grid)
    middle = (second.mean > 0.2) & (second.mean < 0.9)
    tiny = float(_SEEN.quality[_SEEN.index("fashion_tiny")])
    # Until the second answers, the first one's answer is in hand.
    assert early.mean[middle].min() >= 0.9 * tiny
    assert early.mean[-1] == pytest.approx(second.mean[-1], abs=0.02)

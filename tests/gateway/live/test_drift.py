"""Drift: what is counted of confidences and latencies."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.live.drift import ConfidenceDrift, LatencyDrift
from gateway.live.histogram import Histogram
from gateway.live.names import Points
from tailq.tier import ConfidenceSpread, Served
from tests.served import LEVELS, served, under_load

UPPER = (0.2, 0.6, 0.9)


def spread(upper: tuple[float, ...]) -> dict[str, Served]:
    share = (1 / len(upper),) * len(upper)
    return {"a": Served(service_s=0.01, spread=ConfidenceSpread(upper=upper, share=share))}


def counts(points: Points) -> dict[tuple[str, ...], float]:
    found = {}
    for spec, labels, value in points:
        assert not isinstance(value, Histogram)
        found[spec.name, *labels] = value
    return found


@given(st.lists(st.lists(st.floats(0, 1) | st.sampled_from(UPPER), max_size=9), max_size=9))
def test_each_sample_is_in_the_bin_that_the_profile_has_it_in(said: list[list[float]]) -> None:
    """A bin holds its upper end; what is surer than any sample of the profile is in the last."""
    drift = ConfidenceDrift()
    drift.know(spread(UPPER))
    for confidences in said:
        drift.observe("a", confidences)
        drift.observe("elsewhere", confidences)
    every = [each for confidences in said for each in confidences]
    below = [sum(each <= upper for each in every) for upper in (0.2, 0.6)]
    expected = [below[0], below[1] - below[0], len(every) - below[1]]
    assert counts(drift.points()) == {
        ("tailq_confidence_answers", "a", str(number)): count
        for number, count in enumerate(expected)
    }


def test_other_bins_take_nothing_from_what_was_counted() -> None:
    """Fewer or more of them, or none."""
    drift = ConfidenceDrift()
    drift.know(spread(UPPER))
    drift.observe("a", [0.1, 0.5, 0.95])
    for upper in ((1.0,), (0.1, 0.2, 0.3, 0.4), UPPER):
        before = counts(drift.points())
        drift.know(spread(upper))
        drift.observe("a", [0.95])
        after = counts(drift.points())
        assert all(after[key] >= count for key, count in before.items())
        assert sum(after.values()) == sum(before.values()) + 1
    drift.know({})
    drift.observe("a", [0.5])
    assert counts(drift.points()) == after


@given(st.lists(st.integers(0, 4), max_size=30))
def test_a_latency_exceeds_all_quantiles_below_it(beyond: list[int]) -> None:
    """So the counts fall with the quantile, and the least of them may be all."""
    drift = LatencyDrift()
    drift.know({"a": served(0.01)})
    for each in beyond:
        drift.compared("a", each)
    found = counts(drift.points())
    assert found["tailq_latency_compared", "a"] == len(beyond)
    for number, level in enumerate(LEVELS):
        exceeded = sum(each > number for each in beyond)
        assert found["tailq_latency_beyond", "a", f"{level:g}"] == exceeded


def test_latencies_that_were_compared_stay_counted_after_a_reload() -> None:
    """By the quantiles that were known then; of calls of a former model more are ignored."""
    drift = LatencyDrift()
    drift.know({"a": served(0.01)})
    drift.compared("a", 4)
    drift.know(
        {"a": Served(service_s=0.01, under_load=under_load(0.01, levels=(0.5,), factors=(1.0,)))}
    )
    drift.compared("a", 4)
    drift.compared("a", 1)
    drift.compared("elsewhere", 1)
    found = counts(drift.points())
    assert found["tailq_latency_compared", "a"] == 2
    assert found["tailq_latency_beyond", "a", "0.5"] == 2
    assert found["tailq_latency_beyond", "a", "0.99"] == 1


def test_shares_beyond_are_those_of_the_profile_where_nothing_drifts() -> None:
    """One in a hundred of latencies drawn from it exceeds its 99 % quantile."""
    drift, draw = LatencyDrift(), np.random.default_rng(0)
    drift.know({"a": served(0.01)})
    levels = np.array(LEVELS)
    for share in draw.random(20_000):
        drift.compared("a", int((levels < share).sum()))
    found = counts(drift.points())
    for level in LEVELS:
        exceeded = found["tailq_latency_beyond", "a", f"{level:g}"] / 20_000
        assert exceeded == pytest.approx(1 - level, abs=0.005)

"""Histograms: every observation is in one bucket, whatever becomes of the edges."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.live.histogram import Histogram, cumulative_at

SECONDS = st.floats(0, 10, allow_nan=False)
EDGES = st.lists(st.sampled_from([0.1, 0.2, 0.5, 1.0, 2.0, 5.0]), max_size=6)


def filled(edges: list[float], seconds: list[float]) -> Histogram:
    histogram = Histogram(edges)
    for each in seconds:
        histogram.observe(each)
    return histogram


def cumulative(histogram: Histogram) -> dict[float, float]:
    return {float(edge): count for edge, count in histogram.buckets()}


@given(EDGES, EDGES, st.lists(SECONDS, max_size=20))
def test_other_edges_lose_nothing(old: list[float], new: list[float], seconds: list[float]) -> None:
    """At common edges counts stay; elsewhere they never claim more than lies below."""
    before = filled(old, seconds)
    after = before.at(new)
    assert after.total == before.total
    assert sum(after.counts) == len(seconds)
    was, now = cumulative(before), cumulative(after)
    for edge, count in now.items():
        assert count <= sum(each <= edge for each in seconds)
        if edge in was:
            assert count == was[edge]


@given(EDGES, st.lists(SECONDS, max_size=20), SECONDS)
def test_counts_at_any_edge_are_what_is_known(
    edges: list[float], seconds: list[float], edge: float
) -> None:
    """A lower bound of what lies at or below, exact at an edge."""
    counts = cumulative(filled(edges, seconds))
    known = cumulative_at(edge, counts)
    assert known <= sum(each <= edge for each in seconds)
    if edge in counts:
        assert known == counts[edge]


@given(EDGES, st.lists(st.lists(st.floats(0.01, 1), min_size=1, max_size=3), max_size=9))
def test_an_observation_may_be_spread_over_buckets(
    edges: list[float], laws: list[list[float]]
) -> None:
    """Each counts as one in all, so the last bucket is a whole number and none is above it."""
    histogram = Histogram(edges)
    size = len(histogram.counts)
    for law in laws:
        weights = (law + [0.0] * size)[:size]
        histogram.observe_spread([each / sum(weights) for each in weights], 1, 0.5)
    counts = list(cumulative(histogram).values())
    assert counts[-1] == histogram.count == len(laws)
    assert counts == sorted(counts)
    assert histogram.total == 0.5 * len(laws)


def test_exemplars_stay_with_their_observations_when_edges_change() -> None:
    """The newest of each bucket."""
    histogram = Histogram([1.0, 2.0])
    for value, trace in ((0.5, "a"), (0.6, "b"), (1.5, "c")):
        histogram.observe(value)
        histogram.show(value, trace, 10.0)
    assert [(n, e.trace_id) for n, e in histogram.exemplars.items()] == [(0, "b"), (1, "c")]
    moved = histogram.at([0.55, 2.0])
    assert [(n, e.trace_id) for n, e in sorted(moved.exemplars.items())] == [(1, "c")]

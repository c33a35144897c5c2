"""Rounds: their quality, and how far it may be off the mean."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.live.rounds import EDGES, Rounds

qualities = st.lists(st.floats(0, 1), max_size=350)


def cumulative(rounds: Rounds) -> dict[float, float]:
    return {float(edge): count for edge, count in rounds.histogram.buckets()}


@given(qualities, st.integers(1, 120))
def test_each_hundred_is_counted_together(given: list[float], together: int) -> None:
    """However many are told at once; the rest waits for more."""
    rounds = Rounds()
    for start in range(0, len(given), together):
        rounds.observe(given[start : start + together])
    whole = len(given) // 100 * 100
    assert rounds.histogram.count == whole
    assert rounds.histogram.total == pytest.approx(sum(given[:whole]))
    counts = list(cumulative(rounds).values())
    assert counts == sorted(counts)
    assert counts[-1] == whole


@given(st.integers(0, 100))
def test_known_qualities_lie_in_one_bucket(right: int) -> None:
    """One for each number of right answers from 50 on; on the edge is within."""
    rounds = Rounds()
    rounds.observe([1.0] * right + [0.0] * (100 - right))
    for edge, count in cumulative(rounds).items():
        assert count == pytest.approx(100 * (right / 100 <= edge), abs=1e-10)


def test_expected_qualities_spread_as_the_share_of_right_answers_does() -> None:
    """Against a simulation of rounds in which each answer is right with its own probability."""
    draw = np.random.default_rng(0)
    probabilities = draw.beta(9, 1, 100)
    rounds = Rounds()
    rounds.observe(probabilities.tolist())
    right = (draw.random((200_000, 100)) < probabilities).sum(axis=1)
    found = {edge: count / 100 for edge, count in cumulative(rounds).items()}
    for edge, probability in found.items():
        expected = float(np.mean(right <= min(edge, 1.0) * 100 + 1e-9))
        assert probability == pytest.approx(expected, abs=0.005)
    tail = next(edge for edge, probability in found.items() if probability >= 0.05)
    assert tail <= probabilities.mean() - 0.03


def test_the_buckets_are_few() -> None:
    """They are kept for each tier and source."""
    assert len(EDGES) <= 60
    assert list(EDGES) == sorted(set(EDGES))

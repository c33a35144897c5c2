"""Quality at a deadline against its definition, by brute force."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailq.quality import completed_by_round, quality_at, quality_by_round, tail

requests = st.lists(
    st.tuples(
        st.booleans(),
        # A coarse grid, so that ties between latencies and deadlines happen all the time.
        st.sampled_from([0.0, 0.01, 0.02, 0.03, float("inf")]),
        st.integers(0, 4),
    ),
    min_size=1,
    max_size=60,
)
deadlines = st.lists(st.sampled_from([0.005, 0.01, 0.02, 0.025, 1.0]), min_size=1, max_size=6)


@given(requests, deadlines)
def test_each_round_counts_right_answers_that_are_in_time(
    sent: list[tuple[bool, float, int]], limits: list[float]
) -> None:
    """In every round the quality is the share of its requests answered right by the deadline."""
    correct, latency, round_ = (list(column) for column in zip(*sent, strict=True))
    expected = [
        [np.mean([c and t <= d for c, t, r in sent if r == which]) for d in limits]
        for which in sorted(set(round_))
    ]
    np.testing.assert_allclose(quality_by_round(correct, latency, round_, limits), expected)


@given(requests, deadlines)
def test_a_round_over_all_samples_is_completed_by_nothing(
    sent: list[tuple[bool, float, int]], limits: list[float]
) -> None:
    """If a round timed all samples, completing it gives the plain quality at the deadline."""
    correct, latency, _ = (list(column) for column in zip(*sent, strict=True))
    one_round = [0] * len(sent)
    completed = completed_by_round(float(np.mean(correct)), correct, latency, one_round, limits)
    if any(correct):
        np.testing.assert_allclose(completed[0], quality_at(correct, latency, limits))
    else:
        assert not completed.any()


@given(requests, deadlines)
def test_a_later_deadline_never_lowers_quality(
    sent: list[tuple[bool, float, int]], limits: list[float]
) -> None:
    """Quality is monotone in the deadline."""
    correct, latency, _ = (list(column) for column in zip(*sent, strict=True))
    assert np.all(np.diff(quality_at(correct, latency, sorted(limits))) >= 0)


@pytest.mark.parametrize("spread", [1, 3, 10**9])
def test_many_requests_are_counted_as_few_are(spread: int) -> None:
    """What is done for speed with many requests changes nothing; nor do gaps between rounds."""
    random = np.random.default_rng(5)
    n = 150_000
    correct, score = random.random(n) < 0.9, random.random(n)
    latency = random.lognormal(-4, 0.6, n)
    latency[::97] = np.inf
    round_ = random.integers(-3, 4, n) * spread
    limits = np.concatenate([[0.0, 1.0], random.permutation(latency)[:40]])
    for gained in (correct, score):
        expected = [
            [np.where(latency <= d, gained, 0)[round_ == which].mean() for d in limits]
            for which in np.unique(round_)
        ]
        np.testing.assert_allclose(quality_by_round(gained, latency, round_, limits), expected)


def test_all_late_is_no_quality() -> None:
    """A service that is always late has quality 0, however right it is."""
    assert quality_at([True, True], [0.2, float("inf")], [0.1]).tolist() == [0.0]


def test_a_score_counts_as_much_as_it_is() -> None:
    """Correctness may be a score between 0 and 1."""
    assert quality_at([0.5, 1.0], [0.01, 0.01], [0.1]).tolist() == [0.75]


@pytest.mark.parametrize(
    ("correct", "latency", "limits", "message"),
    [
        ([1.0], [float("nan")], [1.0], "latency_s contains NaN"),
        ([float("nan")], [1.0], [1.0], "correct contains NaN"),
        ([1.0], [1.0], [float("nan")], "deadlines_s contains NaN"),
        ([1.0, 0.0], [1.0], [1.0], "one length"),
        ([], [], [1.0], "no requests"),
    ],
)
def test_what_has_no_quality_is_refused(
    correct: list[float], latency: list[float], limits: list[float], message: str
) -> None:
    """NaN, differing lengths and nothing at all are refused by name."""
    with pytest.raises(ValueError, match=message):
        quality_at(correct, latency, limits)


def test_the_tail_is_what_all_but_a_share_of_rounds_reach() -> None:
    """With 20 rounds the 5 % tail is the worst round, the 10 % tail the second worst."""
    quality = np.arange(20, dtype=float)[:, None] / 20
    assert tail(quality, 0.0).tolist() == [0.0]
    assert tail(quality, 0.05).tolist() == [0.0]
    assert tail(quality, 0.10).tolist() == [0.05]

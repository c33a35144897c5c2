"""Quality at a deadline by rounds, for metrics that are additive and metrics that are not."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.tasks.base import Floats, Ints, Judged, Scores, encode, parse
from profiler.tasks.f1 import WeightedF1
from profiler.tasks.quality import completed_by_round, quality_by_round, without_deadline
from profiler.tasks.wer import JudgedWords

DEADLINES = [0.02, 0.005, 0.025, 1.0]
requests = st.lists(
    st.tuples(
        st.integers(0, 7),
        st.sampled_from([0.0, 0.01, 0.02, 0.03, float("inf")]),
        st.integers(0, 4),
    ),
    min_size=1,
    max_size=40,
)
answers = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=8, max_size=8)
Requests = list[tuple[int, float, int]]


@dataclass
class Slowly:
    """An additive metric that does not say that it is."""

    scores: Floats

    def quality(self, samples: Ints, in_time: Ints) -> Floats:
        return np.array([self.scores[samples[:k]].sum() / samples.size for k in in_time])


def columns(sent: Requests) -> tuple[Ints, Floats, Ints]:
    sample, latency, round_ = (np.array(column) for column in zip(*sent, strict=True))
    return sample, latency, round_


@given(requests, st.lists(st.floats(0, 1), min_size=8, max_size=8))
def test_the_fast_path_and_the_general_one_agree(sent: Requests, scores: list[float]) -> None:
    """An additive metric gives the same by either, plain and completed."""
    values = np.array(scores)
    for function in (quality_by_round, completed_by_round):
        fast = function(Scores(values), *columns(sent), DEADLINES)
        slow = function(Slowly(values), *columns(sent), DEADLINES)
        np.testing.assert_allclose(fast, slow, atol=1e-9)


@given(requests, answers)
def test_a_round_is_its_own_requests(sent: Requests, said: list[tuple[int, int]]) -> None:
    """Each row is the metric of that round's requests by themselves, in any order."""
    judged = WeightedF1().judge(*zip(*said, strict=True))
    sample, latency, round_ = columns(sent)
    got = quality_by_round(judged, sample, latency, round_, DEADLINES)
    for row, number in enumerate(sorted(set(round_.tolist()))):
        own = round_ == number
        alone = quality_by_round(judged, sample[own], latency[own], round_[own], DEADLINES)
        np.testing.assert_array_equal(got[row], alone[0])
    assert len(got) == row + 1


@given(requests, answers)
def test_completed_rounds_follow_the_ratio(sent: Requests, said: list[tuple[int, int]]) -> None:
    """Quality over all samples, times what the deadline left of the round's; within [0, 1]."""
    judged = WeightedF1().judge(*zip(*said, strict=True))
    sample, latency, round_ = columns(sent)
    known = judged.quality(np.arange(8), np.array([8]))[0]
    got = completed_by_round(judged, sample, latency, round_, DEADLINES)
    late = quality_by_round(judged, sample, latency, round_, DEADLINES)
    ever = quality_by_round(judged, sample, np.zeros(sample.size), round_, [0.0])[:, 0]
    for row, number in enumerate(sorted(set(round_.tolist()))):
        own = latency[round_ == number]
        for column, deadline in enumerate(DEADLINES):
            share = late[row, column] / ever[row] if ever[row] else np.mean(own <= deadline)
            assert got[row, column] == pytest.approx(min(1.0, known * share))


def test_a_round_that_times_everything_is_completed_by_nothing() -> None:
    """Its completed quality is its plain one."""
    judged = JudgedWords(np.array([3, 1, 4]), np.array([1, 1, 0]))
    every = (np.arange(3), np.array([0.1, 0.2, 0.3]), np.zeros(3, dtype=np.int64), [0.15, 0.25, 1])
    np.testing.assert_allclose(completed_by_round(judged, *every), quality_by_round(judged, *every))


def test_what_a_late_mistake_gains_stays_within_one() -> None:
    """A round half as good again when its mistake is late tells of all samples at most 1."""
    judged = WeightedF1().judge([0] * 9 + [1], [0] * 10)
    mistake_late = (np.array([8, 9]), [0.1, 0.9], [0, 0], [0.5, 1.0])
    plain = quality_by_round(judged, *mistake_late)[0]
    assert plain == pytest.approx([1 / 2, 1 / 3])
    known = without_deadline(judged)
    assert known * plain[0] / plain[1] > 1
    assert completed_by_round(judged, *mistake_late)[0] == pytest.approx([1.0, known])


@pytest.mark.parametrize("judged", [Scores(np.ones(2)), Slowly(np.ones(2))])
def test_all_late_is_no_quality(judged: Judged) -> None:
    """However right the answers are."""
    late = (np.arange(2), [0.2, np.inf], [0, 0], [0.1])
    assert quality_by_round(judged, *late).tolist() == [[0.0]]
    assert completed_by_round(judged, *late).tolist() == [[0.0]]


@pytest.mark.parametrize("judged", [Scores(np.ones(1)), Slowly(np.ones(1))])
@pytest.mark.parametrize(
    ("sample", "latency", "limits", "message"),
    [
        ([0], [np.nan], [1.0], "latency_s contains NaN"),
        ([0], [1.0], [np.nan], "deadlines_s contains NaN"),
        ([0, 0], [1.0], [1.0], "one length"),
        ([], [], [1.0], "no requests"),
    ],
)
def test_what_has_no_quality_is_refused(
    judged: Judged, sample: list[int], latency: list[float], limits: list[float], message: str
) -> None:
    """NaN, differing lengths and no requests are refused by name, by any metric."""
    rounds = np.zeros(len(latency), dtype=np.int64)
    with pytest.raises(ValueError, match=message):
        quality_by_round(judged, np.array(sample, dtype=np.int64), latency, rounds, limits)


def test_answers_survive_as_json() -> None:
    """What is kept is what was said."""
    values = [3, [1, 2], "π", {"boxes": [[0.1, 1, 2, 3]]}]
    assert parse(encode(values)) == values


@pytest.mark.parametrize("text", ["NaN", "[1, Infinity]", "1, 2", "", "[1"])
def test_what_is_no_json_value_is_refused(text: str) -> None:
    """NaN is not JSON, and one text is one value."""
    with pytest.raises(ValueError, match=r"not a number|one in each|Expecting"):
        parse(np.array(["1", text], dtype=object))
    with pytest.raises(ValueError, match="JSON"):
        encode([float("nan")])

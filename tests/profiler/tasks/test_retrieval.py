"""Recall and NDCG against their definitions and scikit-learn."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from profiler.tasks.base import Metric
from profiler.tasks.quality import quality_by_round
from profiler.tasks.retrieval import Ndcg, Recall

ITEMS = 9
LATENCIES = [0.0, 0.01, 0.02, float("inf")]
DEADLINES = [0.01, 0.005, 1.0]
queries = st.lists(
    st.tuples(
        st.sets(st.integers(0, ITEMS - 1), min_size=1).map(sorted),
        st.permutations(range(ITEMS)),
        st.sampled_from(LATENCIES),
    ),
    min_size=1,
    max_size=10,
)
Query = tuple[list[int], list[int], float]


def recall(relevant: list[int], ranked: list[int], k: int) -> float:
    return len(set(relevant) & set(ranked[:k])) / len(relevant)


def ndcg(relevant: list[int], ranked: list[int], k: int) -> float:
    gain = sum(1 / math.log2(i + 2) for i, item in enumerate(ranked[:k]) if item in relevant)
    return gain / sum(1 / math.log2(i + 2) for i in range(min(k, len(relevant))))


@given(queries, st.integers(1, ITEMS + 3))
def test_late_rankings_find_nothing(given_: list[Query], k: int) -> None:
    """At every deadline the mean over all queries, by the definitions; k beyond the end is all."""
    labels, answers, latency = (list(column) for column in zip(*given_, strict=True))
    count = len(labels)
    for metric, definition in ((Recall(k), recall), (Ndcg(k), ndcg)):
        judged = metric.judge(labels, answers)
        assert metric.additive
        assert judged.scores.max() <= 1
        got = quality_by_round(judged, np.arange(count), latency, np.zeros(count, int), DEADLINES)
        expected = [
            np.mean([definition(r, a, k) if t <= deadline else 0.0 for r, a, t in given_])
            for deadline in DEADLINES
        ]
        np.testing.assert_allclose(got[0], expected)


@given(queries, st.integers(1, ITEMS))
def test_ndcg_is_what_scikit_learn_says(given_: list[Query], k: int) -> None:
    """ndcg_score of relevance 0 or 1."""
    labels, answers, _ = (list(column) for column in zip(*given_, strict=True))
    relevance, given_score = np.zeros((2, len(labels), ITEMS))
    for row, (label, answer) in enumerate(zip(labels, answers, strict=True)):
        relevance[row, label] = 1
        given_score[row, answer] = np.arange(ITEMS, 0, -1)
    judged = Ndcg(k).judge(labels, answers)
    assert judged.scores.mean() == pytest.approx(ndcg_score(relevance, given_score, k=k))


@pytest.mark.parametrize("metric", [Recall(2), Ndcg(2)])
def test_what_has_no_quality_is_refused(metric: Metric) -> None:
    """Nothing relevant, and one item on two places."""
    with pytest.raises(ValueError, match="without relevant items"):
        metric.judge([[1], []], [[1], [1]])
    with pytest.raises(ValueError, match="occurs twice"):
        metric.judge([[1]], [[1, 1]])


def test_a_ranking_may_be_short_or_empty() -> None:
    """Places past its end are not relevant."""
    assert Recall(3).judge([[1, 2], [1]], [[2], []]).scores.tolist() == [0.5, 0.0]


def test_items_may_have_names() -> None:
    """Item numbers or item names."""
    assert Recall(1).judge([["tea"]], [["tea", "milk"]]).scores.tolist() == [1.0]

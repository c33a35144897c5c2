"""Weighted F1 at a deadline against scikit-learn and its definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from profiler.tasks.f1 import WeightedF1
from profiler.tasks.quality import quality_by_round

NO_LABEL = -1
# A coarse grid, so that ties between latencies and deadlines happen all the time.
LATENCIES = [0.0, 0.01, 0.02, 0.03, float("inf")]
DEADLINES = [0.02, 0.005, 0.025, 1.0]
# Answers may be classes that no sample is of.
samples = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 5), st.sampled_from(LATENCIES)), min_size=1
)


@given(samples)
def test_nothing_late_is_what_scikit_learn_says(given_: list[tuple[int, int, float]]) -> None:
    """f1_score(average="weighted"), classes without samples or answers included."""
    labels, answers, _ = (list(column) for column in zip(*given_, strict=True))
    judged = WeightedF1().judge(labels, answers)
    quality = judged.quality(np.arange(len(labels)), np.array([len(labels)]))
    assert quality[0] == pytest.approx(
        f1_score(labels, answers, average="weighted", zero_division=0.0)
    )


@given(samples)
def test_a_late_answer_has_no_label(given_: list[tuple[int, int, float]]) -> None:
    """At every deadline: true positives, and misses of late samples, counted one by one."""
    labels, answers, latency = (np.array(column) for column in zip(*given_, strict=True))
    judged = WeightedF1().judge(labels.tolist(), answers.tolist())
    got = quality_by_round(
        judged, np.arange(labels.size), latency, np.zeros(labels.size, int), DEADLINES
    )
    for deadline, quality in zip(DEADLINES, got[0], strict=True):
        said = np.where(latency <= deadline, answers, NO_LABEL)
        expected = 0.0
        for class_ in set(labels.tolist()):
            true = sum(a == b == class_ for a, b in zip(labels, said, strict=True))
            size, told = int((labels == class_).sum()), int((said == class_).sum())
            precision, recall = true / told if told else 0.0, true / size
            if true:
                f1 = 2 * precision * recall / (precision + recall)
                expected += f1 * size / labels.size
        assert quality == pytest.approx(expected)


def test_a_wrong_answer_is_better_late() -> None:
    """Late it is no false positive of the class that it takes the sample for."""
    judged = WeightedF1().judge([0, 1], [0, 0])
    assert judged.quality(np.arange(2), np.array([0, 1, 2])) == pytest.approx([0, 1 / 2, 1 / 3])
    assert judged.scores.tolist() == [1.0, 0.0]

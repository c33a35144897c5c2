"""Measured answers held against their labels, by metrics that are no mean of scores."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import f1_score

from profiler.record.judging import judge_of
from profiler.record.observations import concatenate
from profiler.record.summary import summarise
from profiler.tasks import open_task
from profiler.tasks.base import encode
from tests.profiler.columns import VARIANTS, answers, observations

LABELS = [0, 0, 1, 2]
SAID = ([0, 1, 1, 2], [0, 0, 0, 0])
F1 = open_task("classification", "f1").metric
MEASURED = replace(
    answers([[a == b for a, b in zip(said, LABELS, strict=True)] for said in SAID]),
    label=encode(LABELS * 2),
    answer=encode([*SAID[0], *SAID[1]]),
)


def test_any_choice_of_answers_is_judged() -> None:
    """One variant's answers to all samples, or each sample answered by another variant."""
    # Rows may come in any order.
    judge = judge_of(F1, MEASURED.where(np.array([6, 1, 4, 3, 0, 2, 7, 5])))
    for variant, said in enumerate(SAID):
        quality = judge.variant(variant).quality(np.arange(4), np.array([4]))[0]
        expected = f1_score(LABELS, said, average="weighted", zero_division=0.0)
        assert quality == pytest.approx(expected)
    mixed = judge(np.array([1, 3]), np.array([1, 0]))
    assert mixed.scores.tolist() == [1.0, 1.0]


def test_the_summary_is_of_the_metric() -> None:
    """Quality without a deadline, at one, and of a round, are all weighted F1."""
    latency = [0.01, 0.03, 0.01, 0.01]
    timed = [
        observations(
            latency, [a == b for a, b in zip(said, LABELS, strict=True)], [0] * 4, variant=index
        )
        for index, said in enumerate(SAID)
    ]
    versions = {name: ("1", name) for name in VARIANTS}
    for metric in (F1, None):
        summary = summarise(MEASURED, concatenate(timed), [0.02, 1.0], versions, metric)
        for variant, said in zip(summary, SAID, strict=True):
            in_time = [a if t <= 0.02 else -1 for a, t in zip(said, latency, strict=True)]
            if metric is None:
                expected = [np.mean(np.array(s) == LABELS) for s in (in_time, said)]
            else:
                expected = [
                    f1_score(LABELS, s, labels=[0, 1, 2], average="weighted", zero_division=0.0)
                    for s in (in_time, said)
                ]
            assert variant.quality == pytest.approx(expected[1])
            told = [at.quality for at in variant.loads[0].at_deadlines]
            assert told == pytest.approx(expected)

"""Holding measured answers against their labels, for metrics that are no mean of scores."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from profiler.record.observations import Answers, OpenProfile
from profiler.tasks import Judged, Metric, open_task
from profiler.tasks.base import Ints, parse


@dataclass(frozen=True)
class Judge:
    """Judges any choice of the measured answers.

    labels: [N], answers: [N, V] of V variants, both decoded from JSON.
    """

    metric: Metric
    labels: NDArray[np.object_]
    answers: NDArray[np.object_]

    def __call__(self, sample: Ints, variant: Ints) -> Judged:
        """Hold the answers of variants [M] to samples [M] against the labels: M answers."""
        return self.metric.judge(
            self.labels[sample].tolist(), self.answers[sample, variant].tolist()
        )

    def variant(self, index: int) -> Judged:
        """Hold all answers of one variant against the labels."""
        samples = np.arange(len(self.labels))
        return self(samples, np.full(samples.size, index))


def judge_for(opened: OpenProfile) -> Judge | None:
    """What holds a profile's answers against labels, where quality is more than a mean of scores.

    Raises TailqError if its metric is not installed, ValueError like `judge_of`.
    """
    metric = opened.profile.metric
    if metric.additive:
        return None
    return judge_of(open_task(metric.task, metric.name).metric, opened.answers)


def judge_of(metric: Metric, answers: Answers) -> Judge:
    """Make a judge of what was measured: every variant's answer to every sample.

    Raises ValueError if an answer or a label is not JSON.
    """
    order = np.lexsort((answers.variant, answers.sample))
    count = len(answers.variants)
    return Judge(
        metric,
        labels=_values(parse(answers.label[order][::count])),
        answers=_values(parse(answers.answer[order])).reshape(-1, count),
    )


def _values(decoded: Sequence[object]) -> NDArray[np.object_]:
    values = np.empty(len(decoded), dtype=np.object_)
    values[:] = decoded
    return values

"""A user's own metric, installed as any package is."""

import sys
from pathlib import Path

import numpy as np
import pytest

from profiler.errors import TaskError
from profiler.tasks import open_task
from profiler.tasks.quality import quality_by_round

MODULE = '''
import numpy as np


def near(labels, answers):
    """1 for the right class, 0.5 for a neighbour of it."""
    away = np.abs(np.array(labels) - np.array(answers))
    return np.select([away == 0, away == 1], [1.0, 0.5], 0.0)


def beyond(labels, answers):
    return np.full(len(labels), 2.0)


def lost(labels, answers):
    return 1.0


def unlucky(labels, answers):
    return labels[17]


class Worst:
    """The worst answer is what counts; a late one is worth nothing."""

    name, additive = "worst", False

    def judge(self, labels, answers):
        self.scores = near(labels, answers)
        return self

    def quality(self, samples, in_time):
        scores = self.scores[samples]
        return np.array([scores.min() if k == scores.size else 0.0 for k in in_time])


class Percent(Worst):
    name = "percent"

    def quality(self, samples, in_time):
        return 100 * super().quality(samples, in_time)


NUMBER = 3
'''
POINTS = """[tailq.metrics]
near = my_own_metrics:near
worst = my_own_metrics:Worst
beyond = my_own_metrics:beyond
lost = my_own_metrics:lost
unlucky = my_own_metrics:unlucky
percent = my_own_metrics:Percent
number = my_own_metrics:NUMBER
misnamed = my_own_metrics:Worst
gone = my_own_metrics:nothing
absent = no_such_module:near
"""


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package as pip leaves it: a module, and its entry points beside it."""
    (tmp_path / "my_own_metrics.py").write_text(MODULE)
    folder = tmp_path / "my_own_metrics-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: my-own-metrics\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(POINTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "my_own_metrics", raising=False)


def test_a_function_is_an_additive_metric() -> None:
    """Quality is the mean of what it returns; late is 0."""
    metric = open_task("classification", "near").metric
    assert (metric.name, metric.additive) == ("near", True)
    judged = metric.judge([3, 3, 3, 3], [3, 4, 2, 9])
    assert judged.scores.tolist() == [1.0, 0.5, 0.5, 0.0]
    quality = quality_by_round(judged, np.arange(4), [0.1, 0.2, 0.3, 0.1], [0] * 4, [0.2, 1.0])
    assert quality.tolist() == [[0.375, 0.5]]


def test_an_object_may_be_a_metric_of_any_kind() -> None:
    """What is no mean of scores says what it is, for any number of answers in time."""
    metric = open_task("classification", "worst").metric
    assert not metric.additive
    judged = metric.judge([3, 3], [3, 4])
    quality = quality_by_round(judged, np.arange(2), [0.1, 0.2], [0, 0], [0.1, 1.0])
    assert quality.tolist() == [[0.0, 0.5]]


@pytest.mark.parametrize("name", ["beyond", "lost"])
def test_what_are_no_scores_is_refused(name: str) -> None:
    """One number from 0 to 1 for each answer."""
    metric = open_task("classification", name).metric
    with pytest.raises(TaskError, match=f"metric '{name}' must return one number from 0 to 1"):
        metric.judge([1, 1], [1, 1])


def test_what_a_metric_raises_is_told_as_its_failure() -> None:
    """The user's mistake is named with the metric, and is no traceback of ours."""
    metric = open_task("classification", "unlucky").metric
    with pytest.raises(TaskError, match="metric 'unlucky' failed: IndexError: list index out of"):
        metric.judge([1, 1], [1, 1])


def test_a_quality_beyond_one_is_refused() -> None:
    """Whoever counts in per cent is told so."""
    judged = open_task("classification", "percent").metric.judge([3, 3], [3, 3])
    with pytest.raises(TaskError, match="metric 'percent' must return one number from 0 to 1"):
        judged.quality(np.arange(2), np.array([2]))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("number", "is neither a function nor a Metric of that name"),
        ("misnamed", "is neither a function nor a Metric of that name"),
        ("gone", r"my_own_metrics:nothing\) cannot be loaded: .*nothing"),
        ("absent", r"no_such_module:near\) cannot be loaded: ModuleNotFoundError: No module named"),
        ("nowhere", "no metric 'nowhere'; choose one of top-1, top-5, f1, absent, beyond, gone"),
    ],
)
def test_what_is_no_metric_is_refused(name: str, message: str) -> None:
    """The error names the entry point, or what there is."""
    with pytest.raises(TaskError, match=message):
        open_task("classification", name)


def test_one_name_for_two_metrics_is_refused(tmp_path: Path) -> None:
    """Which is meant cannot be told."""
    folder = tmp_path / "other_metrics-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: other-metrics\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text("[tailq.metrics]\nnear = others:near\n")
    with pytest.raises(TaskError, match="installed more than once: my_own_metrics:near, others"):
        open_task("classification", "near")

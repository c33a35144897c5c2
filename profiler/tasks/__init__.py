"""Tasks by name: what `--task` and `--metric` take, and what a profile says it was measured by."""

from collections.abc import Callable

from profiler.errors import TaskError
from profiler.tasks import classification, ranking, text
from profiler.tasks.base import Judged, Metric, Reader, Said, Task
from profiler.tasks.detection import task as detection
from profiler.tasks.own import own_metric, own_metrics

__all__ = ["DEFAULT_METRIC", "Judged", "Metric", "Reader", "Said", "Task", "open_task"]

DEFAULT_METRIC = {
    "classification": "top-1",
    "detection": "map",
    "text": "wer",
    "ranking": "ndcg@10",
}
_TASKS: dict[str, tuple[Callable[[Metric], Task], Callable[[str], Metric | None], str]] = {
    "classification": (classification.Classification, classification.metric, "top-1, top-5, f1"),
    "detection": (detection.Detection, detection.metric, "map"),
    "text": (text.Text, text.metric, "wer"),
    "ranking": (ranking.Ranking, ranking.metric, "recall@10, ndcg@10"),
}


def open_task(task: str, metric: str | None = None) -> Task:
    """The task of a name, judged by a metric: one of its own, or an installed one of the user's.

    metric: None for the usual one of the task. Raises TaskError naming what there is.
    """
    if task not in _TASKS:
        raise TaskError(f"there is no task {task!r}; choose one of {', '.join(_TASKS)}")
    make, known, names = _TASKS[task]
    wanted = metric or DEFAULT_METRIC[task]
    found = known(wanted) or own_metric(wanted)
    if found is None:
        others = "".join(f", {name}" for name in own_metrics())
        raise TaskError(f"task {task} has no metric {wanted!r}; choose one of {names}{others}")
    return make(found)

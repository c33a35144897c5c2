"""A user's own metric, found by entry point: group `tailq.metrics`, its name for `--metric`.

The entry point is a function from labels and answers to scores in [0, 1], which makes an additive
metric, or an object like `profiler.tasks.base.Metric`, for those that are no mean of scores.
Whatever the user's code raises, and figures outside [0, 1], become a TaskError that names it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from profiler.errors import TaskError
from profiler.tasks.base import Floats, Ints, Judged, Metric, Scores

GROUP = "tailq.metrics"


class _Theirs(Protocol):
    """What a user's object must offer: a Metric whose figures are not yet checked."""

    def judge(self, labels: Sequence[Any], answers: Sequence[Any]) -> Judged: ...


@dataclass(frozen=True, slots=True)
class OwnScore:
    """A function of a user as an additive metric."""

    name: str
    function: Callable[[Sequence[Any], Sequence[Any]], ArrayLike]
    additive: bool = True

    def judge(self, labels: Sequence[Any], answers: Sequence[Any]) -> Scores:
        """See Metric. Raises TaskError if the function does not return scores."""
        with _named(self.name):
            scores = np.asarray(self.function(labels, answers), dtype=np.float64)
        return Scores(_shares(self.name, scores, len(labels), "answers"))


@dataclass(frozen=True, slots=True)
class OwnMetric:
    """An object of a user as a metric."""

    name: str
    additive: bool
    theirs: _Theirs

    def judge(self, labels: Sequence[Any], answers: Sequence[Any]) -> Judged:
        """See Metric. Raises TaskError if theirs fails or its scores are none."""
        with _named(self.name):
            judged = self.theirs.judge(labels, answers)
            scores = np.asarray(judged.scores, dtype=np.float64)
        return _OwnJudged(self.name, judged, _shares(self.name, scores, len(labels), "answers"))


@dataclass(frozen=True, slots=True)
class _OwnJudged:
    name: str
    theirs: Judged
    scores: Floats

    def quality(self, samples: Ints, in_time: Ints) -> Floats:
        """See Judged. Raises TaskError if theirs fails or what it returns is no quality."""
        with _named(self.name):
            quality = np.asarray(self.theirs.quality(samples, in_time), dtype=np.float64)
        return _shares(self.name, quality, in_time.size, "numbers in time")


def own_metrics() -> list[str]:
    """The names of all installed ones."""
    return sorted(set(entry_points(group=GROUP).names))


def own_metric(name: str) -> Metric | None:
    """The installed metric of that name, None if there is none. Raises TaskError."""
    points = list(entry_points(group=GROUP, name=name))
    if not points:
        return None
    if len({point.value for point in points}) > 1:
        raise TaskError(
            f"metric {name!r} is installed more than once: "
            f"{', '.join(sorted({point.value for point in points}))}; rename one"
        )
    loaded = _loaded(points[0])
    if hasattr(loaded, "judge") and getattr(loaded, "name", None) == name:
        if not isinstance(getattr(loaded, "additive", None), bool):
            raise TaskError(f"metric {name!r} ({points[0].value}) does not say if it is additive")
        return OwnMetric(name, loaded.additive, loaded)
    if callable(loaded):
        return OwnScore(name, loaded)
    raise TaskError(
        f"metric {name!r} ({points[0].value}) is neither a function nor a Metric of that name"
    )


def _loaded(point: EntryPoint) -> Any:
    try:
        loaded = point.load()
        return loaded() if isinstance(loaded, type) else loaded
    except Exception as error:  # noqa: BLE001  # the user's code may raise anything
        raise TaskError(
            f"metric {point.name!r} ({point.value}) cannot be loaded: {_said(error)}"
        ) from None


@contextmanager
def _named(metric: str) -> Iterator[None]:
    """Tell of what the user's code raises as its metric's failure."""
    try:
        yield
    except Exception as error:  # the user's code may raise anything
        raise TaskError(f"metric {metric!r} failed: {_said(error)}") from error


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _shares(metric: str, values: Floats, count: int, of: str) -> Floats:
    if values.shape != (count,) or not ((values >= 0) & (values <= 1)).all():
        raise TaskError(
            f"metric {metric!r} must return one number from 0 to 1 for each of {count} {of}; "
            f"it returned {np.array2string(values, threshold=5)}"
        )
    return values

"""A user's own metric, found by entry point: group `tailq.metrics`, its name for `--metric`.

The entry point is a function from labels and answers to scores in [0, 1], which makes an additive
metric, or an object like `profiler.tasks.base.Metric`, for those that are no mean of scores.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from profiler.errors import TaskError
from profiler.tasks.base import Metric, Scores

GROUP = "tailq.metrics"


@dataclass(frozen=True, slots=True)
class OwnScore:
    """A function of a user as an additive metric."""

    name: str
    function: Callable[[Sequence[Any], Sequence[Any]], ArrayLike]
    additive: bool = True

    def judge(self, labels: Sequence[Any], answers: Sequence[Any]) -> Scores:
        """See Metric. Raises TaskError if the function does not return scores."""
        scores = np.asarray(self.function(labels, answers), dtype=np.float64)
        if scores.shape != (len(labels),) or not ((scores >= 0) & (scores <= 1)).all():
            raise TaskError(
                f"metric {self.name!r} must return one number from 0 to 1 for each of "
                f"{len(labels)} answers; it returned {np.array2string(scores, threshold=5)}"
            )
        return Scores(scores)


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
    try:
        loaded = points[0].load()
    except (ImportError, AttributeError) as error:
        raise TaskError(f"metric {name!r} ({points[0].value}) cannot be loaded: {error}") from None
    if isinstance(loaded, type):
        loaded = loaded()
    if hasattr(loaded, "judge") and getattr(loaded, "name", None) == name:
        return cast("Metric", loaded)
    if callable(loaded):
        return OwnScore(name, loaded)
    raise TaskError(
        f"metric {name!r} ({points[0].value}) is neither a function nor a Metric of that name"
    )

"""Object detection: the answer is boxes with classes and scores, in pixels of the image.

A model gives boxes [n, 4] (left, top, right, bottom, in pixels of its input), scores [n] and
classes [n]; a score of 0 or less is padding. The confidence of an answer is its highest score.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profiler.datasets.base import Dataset
from profiler.datasets.images import ImageDataset
from profiler.errors import DatasetError, ModelError
from profiler.tasks import base
from profiler.tasks.base import Said, Texts
from profiler.tasks.detection.mean_average_precision import MeanAveragePrecision
from profiler.tensors import Column, Model, Tensor
from tailq.tier import ConfidenceIn

_OUTPUTS = ("boxes", "scores", "classes")


@dataclass(frozen=True, slots=True)
class BoxReader:
    """Reads boxes. frame: width and height of the model's input. labels: [N] of the data set."""

    model: str
    confidence: ConfidenceIn
    frame: tuple[int, int]
    labels: NDArray[np.object_]

    def read(self, outputs: Sequence[Column], samples: base.Ints, /) -> Said:
        """See Reader."""
        answers = [
            self._one(boxes, scores, classes, self.labels[sample]["size"])
            for boxes, scores, classes, sample in zip(*outputs, samples.tolist(), strict=True)
        ]
        sure = [max(answer["scores"], default=0.0) for answer in answers]
        confidence = np.minimum(np.array(sure, dtype=np.float32), 1.0)
        return Said(base.encode(answers), confidence)

    def _one(
        self, boxes: NDArray[Any], scores: NDArray[Any], classes: NDArray[Any], size: list[int]
    ) -> dict[str, list[Any]]:
        corners = boxes.astype(np.float64).reshape(-1, 4)
        scores, classes = (each.astype(np.float64).ravel() for each in (scores, classes))
        if not len(corners) == scores.size == classes.size:
            raise ModelError(
                f"model {self.model} answers with {len(corners)} boxes, {scores.size} scores and "
                f"{classes.size} classes"
            )
        if not all(np.isfinite(each).all() for each in (corners, scores, classes)):
            raise ModelError(f"model {self.model} cannot be scored: an output is NaN or infinite")
        real = scores > 0
        corners = corners[real] * np.tile(np.divide(size, self.frame), 2)
        sides = np.maximum(corners[:, 2:] - corners[:, :2], 0.0)
        return {
            "boxes": np.hstack([corners[:, :2], sides]).tolist(),
            "scores": scores[real].tolist(),
            "classes": classes[real].astype(np.int64).tolist(),
        }


@dataclass(frozen=True, slots=True)
class Detection:
    """See the module."""

    metric: base.Metric
    name: str = "detection"

    def labels(self, dataset: Dataset) -> Texts:
        """See Task."""
        return base.encode(_annotated(dataset).labels.tolist())

    def outputs(self, model: Model) -> tuple[Tensor, ...]:
        """See Task: boxes, scores and classes by these names, else the first three, so ordered."""
        numbers = [output for output in model.outputs if output.floating or output.integral]
        by_name = {output.name: output for output in numbers}
        if all(name in by_name for name in _OUTPUTS):
            return tuple(by_name[name] for name in _OUTPUTS)
        if len(numbers) < len(_OUTPUTS):
            names = ", ".join(output.name for output in model.outputs)
            raise ModelError(
                f"model {model.name} has the outputs {names}; a detector has boxes, scores and "
                "classes, all of them numbers"
            )
        return tuple(numbers[: len(_OUTPUTS)])

    def reader(self, model: Model, dataset: Dataset, _probe: Sequence[Column], /) -> BoxReader:
        """See Task."""
        images = _annotated(dataset)
        _, scores, _ = self.outputs(model)
        confidence = ConfidenceIn(output=scores.name, kind="maximum")
        frame = images.frame(model.inputs[0].shape)
        return BoxReader(model.name, confidence, frame, images.labels)


def metric(name: str) -> base.Metric | None:
    """The metric of a name: map; None if there is none."""
    return MeanAveragePrecision() if name == "map" else None


def _annotated(dataset: Dataset) -> ImageDataset:
    if not isinstance(dataset, ImageDataset) or dataset.labels.dtype.kind != "O":
        raise DatasetError(
            f"{dataset.name}: is not images with annotated boxes (a COCO file); choose another "
            "--task"
        )
    return dataset

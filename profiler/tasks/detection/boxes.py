"""Boxes of many images in flat arrays, as matching and averaging take them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profiler.tasks.base import Floats, Ints

# COCO's maxDets: of each class, what a model says of an image beyond it is not looked at.
MOST = 100


@dataclass(frozen=True, slots=True)
class Truth:
    """What there is to find: [n] boxes, ascending by (image, class), crowds last in each.

    image, class_: [n]. box: [n, 4] as (left, top, width, height). crowd: [n] bool, a region of
    many objects: found or not counts nothing, nor does what is found in it.
    """

    image: Ints
    class_: Ints
    box: Floats
    crowd: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Found:
    """What a model says: [n] boxes, ascending by (image, class), the surest first in each.

    image, class_, box: as in Truth. score: [n].
    """

    image: Ints
    class_: Ints
    box: Floats
    score: Floats


def truth(labels: Sequence[Any]) -> Truth:
    """Read {"boxes": [[x, y, w, h], …], "classes": […], "crowd": […]} of each image."""
    image, class_, box = _flat(labels)
    crowd = np.array(list(chain.from_iterable(label["crowd"] for label in labels)), dtype=np.bool_)
    order = np.lexsort((crowd, class_, image))
    return Truth(image[order], class_[order], box[order], crowd[order])


def found(answers: Sequence[Any]) -> Found:
    """Read {"boxes": [[x, y, w, h], …], "scores": […], "classes": […]} of each image."""
    image, class_, box = _flat(answers)
    score = np.array(list(chain.from_iterable(a["scores"] for a in answers)), dtype=np.float64)
    order = np.lexsort((-score, class_, image))
    image, class_ = image[order], class_[order]
    starts = group_starts(image, class_)
    rank: Ints = np.arange(image.size) - np.repeat(starts, np.diff(starts, append=image.size))
    kept = rank < MOST
    return Found(image[kept], class_[kept], box[order[kept]], score[order[kept]])


def group_starts(image: Ints, class_: Ints) -> Ints:
    """Where each (image, class) begins in arrays that ascend by them."""
    begins = (np.diff(image, prepend=-1) != 0) | (np.diff(class_, prepend=0) != 0)
    return np.flatnonzero(begins)


def _flat(images: Sequence[Any]) -> tuple[Ints, Ints, Floats]:
    sizes = [len(image["classes"]) for image in images]
    of_image = np.repeat(np.arange(len(images)), sizes)
    classes = np.array(list(chain.from_iterable(i["classes"] for i in images)), dtype=np.int64)
    boxes = np.array(list(chain.from_iterable(i["boxes"] for i in images)), dtype=np.float64)
    return of_image, classes, boxes.reshape(-1, 4)

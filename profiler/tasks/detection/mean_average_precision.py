"""COCO mAP at a deadline: a late image has no detections, and its objects are still to be found.

mAP@[.5:.95] of boxes, areas "all", at most 100 detections of a class in an image, as pycocotools
computes it: the mean over 10 thresholds of overlap, 101 recalls and the classes with an object
among the samples. Matching is done once; what is late decides only which detections are ranked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from profiler.tasks.base import Floats, Ints
from profiler.tasks.detection.boxes import Found, Truth, found, truth
from profiler.tasks.detection.matching import Matches, match
from profiler.tasks.detection.precision import Rankings, average_precision

# Numbers of one array while rankings are computed together: some 100 MB for all of them.
_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class JudgedBoxes:
    """images: how many. classes: [C] those with an object that is no crowd, ascending.

    objects: [images, C] such objects of each image. Of n detections of these classes, the surest
    of each class first and by image where they tie: image, class_ (index into `classes`): [n],
    and their matches. silent: [images] 1 minus the greatest score of all detections.
    """

    images: int
    classes: Ints
    objects: Ints
    image: Ints
    class_: Ints
    matches: Matches
    silent: Floats

    @cached_property
    def scores(self) -> Floats:
        """The mAP of each image by itself.

        An image without objects scores 1 minus the confidence of the surest detection in it.
        """
        image, class_ = np.nonzero(self.objects)
        number = np.full(self.objects.shape, -1)
        number[image, class_] = np.arange(image.size)
        ranking = number[self.image, self.class_]
        precision = average_precision(
            self._ranked(ranking, np.arange(ranking.size), self.objects[image, class_])
        )
        total = np.bincount(image, weights=precision, minlength=self.images)
        count = np.bincount(image, minlength=self.images)
        return np.divide(total, count, out=self.silent.copy(), where=count > 0)

    def quality(self, samples: Ints, in_time: Ints) -> Floats:
        """See Judged. Where no sample has an object, the quality is 0."""
        objects = self.objects[samples].sum(axis=0)
        present = np.flatnonzero(objects)
        if present.size == 0:
            return np.zeros(in_time.size)
        rows, position = self._detections(samples)
        quality = np.empty(in_time.size)
        step = max(1, _AT_ONCE // max(1, rows.size * len(self.matches.right)))
        number = np.full(self.classes.size, -1)
        number[present] = np.arange(present.size)
        for start in range(0, in_time.size, step):
            limits = in_time[start : start + step]
            which, valid = np.nonzero(position < limits[:, None])
            kept = rows[valid]
            ranking = which * present.size + number[self.class_[kept]]
            each = average_precision(
                self._ranked(ranking, kept, np.tile(objects[present], limits.size))
            )
            quality[start : start + step] = each.reshape(limits.size, -1).mean(axis=1)
        return quality

    def _detections(self, samples: Ints) -> tuple[Ints, Ints]:
        """Those of the samples, in their order here, and the place of the sample of each.

        A sample that occurs more than once has its detections as often.
        """
        by_image, starts = self._by_image
        count = np.diff(starts)[samples]
        position = np.repeat(np.arange(samples.size), count)
        before = np.repeat(np.cumsum(count) - count, count)
        rows = by_image[starts[samples][position] + np.arange(position.size) - before]
        order = np.argsort(rows, kind="stable")
        return rows[order], position[order]

    @cached_property
    def _by_image(self) -> tuple[Ints, Ints]:
        """Detections image by image, and where each image's begin: [n], [images + 1]."""
        order = np.argsort(self.image, kind="stable")
        return order, np.searchsorted(self.image[order], np.arange(self.images + 1))

    def _ranked(self, ranking: Ints, rows: Ints, objects: Ints) -> Rankings:
        """Rankings of some detections, given in their order here; of ranking -1: none."""
        order = np.argsort(ranking, kind="stable")
        order = order[np.searchsorted(ranking[order], 0) :]
        kept = rows[order]
        matches = Matches(self.matches.right[:, kept], self.matches.ignored[:, kept])
        return Rankings(ranking[order], matches, objects)


@dataclass(frozen=True, slots=True)
class MeanAveragePrecision:
    """See the module."""

    name: str = "map"
    additive: bool = False

    def judge(self, labels: Sequence[Any], answers: Sequence[Any]) -> JudgedBoxes:
        """See Metric; labels and answers as profiler.tasks.detection.boxes reads them."""
        there, said = truth(labels), found(answers)
        return _judged(len(labels), there, said, match(there, said))


def _judged(images: int, there: Truth, said: Found, matches: Matches) -> JudgedBoxes:
    classes = np.unique(there.class_[~there.crowd])
    objects = np.zeros((images, classes.size), dtype=np.int64)
    column = np.searchsorted(classes, there.class_[~there.crowd])
    np.add.at(objects, (there.image[~there.crowd], column), 1)
    order = np.lexsort((said.image, -said.score, said.class_))
    kept = order[np.isin(said.class_[order], classes)]
    highest = np.zeros(images)
    np.maximum.at(highest, said.image, said.score)
    return JudgedBoxes(
        images=images,
        classes=classes,
        objects=objects,
        image=said.image[kept],
        class_=np.searchsorted(classes, said.class_[kept]),
        matches=Matches(matches.right[:, kept], matches.ignored[:, kept]),
        silent=np.clip(1 - highest, 0.0, 1.0),
    )

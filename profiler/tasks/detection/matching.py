"""Which detection finds which object: COCO's greedy matching, all images and thresholds together.

Lin et al., "Microsoft COCO: Common Objects in Context", arXiv 1405.0312, as pycocotools does it:
within an image and a class, detections are taken from the surest on; each takes the object it
overlaps most among those not taken, if by at least the threshold, and else a crowd, which any
number may take. It depends on no other image, so it is done once, whatever is late.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from profiler.tasks.base import Floats, Ints
from profiler.tasks.detection.boxes import Found, Truth, group_starts

Bools = NDArray[np.bool_]

THRESHOLDS: Floats = np.linspace(0.5, 0.95, 10)
# COCO lets an overlap of 1 pass any threshold whatever the rounding.
_LEAST = np.minimum(THRESHOLDS, 1 - 1e-10)


@dataclass(frozen=True, slots=True)
class Matches:
    """Of n detections at T thresholds. right: [T, n] found an object. ignored: [T, n] a crowd."""

    right: Bools
    ignored: Bools


@dataclass(frozen=True, slots=True)
class _Groups:
    """Pairs of a model's boxes and the true ones of one (image, class).

    Each [G]: where they begin, and how many there are.
    """

    found_at: Ints
    found: Ints
    true_at: Ints
    true: Ints

    def where(self, rows: Ints) -> "_Groups":
        return _Groups(self.found_at[rows], self.found[rows], self.true_at[rows], self.true[rows])


def match(truth: Truth, found: Found) -> Matches:
    """Match all detections."""
    shape = (THRESHOLDS.size, found.score.size)
    matches = Matches(np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.bool_))
    groups = _groups(truth, found)
    # Groups with about as many objects together, so that little is padded.
    magnitude = np.ceil(np.log2(np.maximum(groups.true, 1)))
    for size in np.unique(magnitude):
        alike = groups.where(np.flatnonzero(magnitude == size))
        _match(alike.where(np.argsort(-alike.found, kind="stable")), truth, found, matches)
    return matches


def _match(groups: _Groups, truth: Truth, found: Found, matches: Matches) -> None:
    """Match groups that come with the most detections first; the n-th detections of all at once."""
    widest = int(groups.true.max())
    column = np.arange(widest)
    real = column < groups.true[:, None]
    index = np.where(real, groups.true_at[:, None] + column, 0)
    boxes, crowd = truth.box[index], truth.crowd[index]
    taken = np.zeros((THRESHOLDS.size, *real.shape), dtype=np.bool_)
    for n in range(int(groups.found[0])):
        alive = int(np.searchsorted(-groups.found, -n, side="left"))
        detection = groups.found_at[:alive] + n
        overlap = _overlap(found.box[detection], boxes[:alive], crowd[:alive])
        overlap = np.where(real[:alive], overlap, -1.0)
        free = np.where(crowd[:alive] | taken[:, :alive], -1.0, overlap)
        # Of equal overlaps, COCO takes the last.
        best = widest - 1 - np.argmax(free[..., ::-1], axis=-1)
        right = np.take_along_axis(free, best[..., None], axis=-1)[..., 0] >= _LEAST[:, None]
        in_crowd = np.where(crowd[:alive], overlap, -1.0).max(axis=-1) >= _LEAST[:, None]
        threshold, group = np.nonzero(right)
        taken[threshold, group, best[threshold, group]] = True
        matches.right[:, detection] = right
        matches.ignored[:, detection] = in_crowd & ~right


def _overlap(box: Floats, others: Floats, crowd: Bools) -> Floats:
    """Intersection over union of boxes [B, 4] with others [B, G, 4]: [B, G].

    Over the box's own area where the other is a crowd.
    """
    low = np.maximum(box[:, None, :2], others[..., :2])
    high = np.minimum(box[:, None, :2] + box[:, None, 2:], others[..., :2] + others[..., 2:])
    sides = np.maximum(high - low, 0.0)
    both = sides[..., 0] * sides[..., 1]
    own = (box[:, 2] * box[:, 3])[:, None]
    union = np.where(crowd, own, own + others[..., 2] * others[..., 3] - both)
    return np.divide(both, union, out=np.zeros(both.shape), where=both > 0)


def _groups(truth: Truth, found: Found) -> _Groups:
    true_at = group_starts(truth.image, truth.class_)
    found_at = group_starts(found.image, found.class_)
    true = np.diff(true_at, append=truth.image.size)
    count = np.diff(found_at, append=found.image.size)
    where_true = {
        key: index
        for index, key in enumerate(
            zip(truth.image[true_at].tolist(), truth.class_[true_at].tolist(), strict=True)
        )
    }
    keys = zip(found.image[found_at].tolist(), found.class_[found_at].tolist(), strict=True)
    other = np.array([where_true.get(key, -1) for key in keys], dtype=np.int64)
    both = other >= 0
    return _Groups(found_at[both], count[both], true_at[other[both]], true[other[both]])

"""The same detections judged by pycocotools."""

import contextlib
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

Image = dict[str, list[Any]]


def coco_map(labels: Sequence[Image], answers: Sequence[Image]) -> float:
    """mAP@[.5:.95] over all images, -1 where there is nothing to find."""
    annotations = [
        {
            "id": 0,
            "image_id": image,
            "category_id": class_,
            "bbox": box,
            "area": box[2] * box[3],
            "iscrowd": int(crowd),
        }
        for image, label in enumerate(labels)
        for box, class_, crowd in zip(label["boxes"], label["classes"], label["crowd"], strict=True)
    ]
    for number, annotation in enumerate(annotations, start=1):
        annotation["id"] = number
    results = [
        {"image_id": image, "category_id": class_, "bbox": box, "score": score}
        for image, answer in enumerate(answers)
        for box, class_, score in zip(
            answer["boxes"], answer["classes"], answer["scores"], strict=True
        )
    ]
    classes = {a["category_id"] for a in annotations} | {r["category_id"] for r in results}
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {
            "images": [{"id": image} for image in range(len(labels))],
            "categories": [{"id": class_} for class_ in sorted(classes)],
            "annotations": annotations,
        }
        truth.createIndex()
        judged = COCOeval(truth, truth.loadRes(results) if results else _nothing(truth), "bbox")
        judged.evaluate()
        judged.accumulate()
        judged.summarize()
    return float(judged.stats[0])


def _nothing(truth: COCO) -> COCO:
    """What loadRes cannot say: no detections at all."""
    empty = COCO()
    empty.dataset = {**truth.dataset, "annotations": []}
    empty.createIndex()
    return empty


def images(
    random: np.random.Generator, count: int, *, classes: int = 4, most: int = 12
) -> tuple[list[Image], list[Image]]:
    """Random ground truth and what a middling detector says of it, with many ties and crowds."""
    labels, answers = [], []
    for _ in range(count):
        n = int(random.integers(0, most))
        corner = random.integers(0, 60, (n, 2))
        size = random.integers(4, 40, (n, 2))
        boxes = np.hstack([corner, size]).astype(float)
        kind = random.integers(0, classes, n)
        labels.append(
            {
                "boxes": boxes.tolist(),
                "classes": kind.tolist(),
                "crowd": (random.random(n) < 0.15).tolist(),
            }
        )
        seen = random.random(n) < 0.85
        moved = boxes[seen] + random.integers(-2, 3, (int(seen.sum()), 4))
        invented = np.hstack([random.integers(0, 60, (3, 2)), random.integers(4, 40, (3, 2))])
        said = np.concatenate([moved, moved[: n // 3], invented]).astype(float)
        said[:, 2:] = np.maximum(said[:, 2:], 1)
        given = np.concatenate([kind[seen], kind[seen][: n // 3], random.integers(0, classes, 3)])
        answers.append(
            {
                "boxes": said.tolist(),
                # Few different scores, so that they tie within and across images.
                "scores": (random.integers(1, 12, len(said)) / 12).tolist(),
                "classes": given.tolist(),
            }
        )
    return labels, answers

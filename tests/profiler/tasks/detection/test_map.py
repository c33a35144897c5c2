"""COCO mAP at a deadline against pycocotools."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profiler.tasks.detection.mean_average_precision import MeanAveragePrecision
from profiler.tasks.quality import quality_by_round
from tests.profiler.tasks.detection.coco import Image, coco_map, images

NOTHING: Image = {"boxes": [], "scores": [], "classes": []}
EVERYTHING = 1.0
seeds = st.integers(0, 2**32 - 1)


def in_time_map(labels: list[Image], answers: list[Image]) -> float:
    judged = MeanAveragePrecision().judge(labels, answers)
    samples = np.arange(len(labels))
    return float(judged.quality(samples, np.array([samples.size]))[0])


@given(seeds, st.integers(1, 25))
@settings(max_examples=60)
def test_nothing_late_is_what_pycocotools_says(seed: int, count: int) -> None:
    """With crowds, ties of score and of overlap, and classes only one side knows."""
    labels, answers = images(np.random.default_rng(seed), count)
    expected = coco_map(labels, answers)
    assert in_time_map(labels, answers) == pytest.approx(max(expected, 0.0), abs=1e-9)


def test_no_more_than_a_hundred_detections_of_a_class_count() -> None:
    """A hundred surer wrong ones push the right one out; ninety-nine do not."""
    label: Image = {"boxes": [[0, 0, 10, 10]], "classes": [1], "crowd": [False]}
    for wrong in (99, 100):
        answer: Image = {
            "boxes": [[50, 50, 5, 5]] * wrong + [[0, 0, 10, 10]],
            "scores": [0.9] * wrong + [0.1],
            "classes": [1] * (wrong + 1),
        }
        expected = coco_map([label], [answer])
        assert expected == pytest.approx(0.01 if wrong == 99 else 0.0)
        assert in_time_map([label], [answer]) == pytest.approx(expected, abs=1e-9)


def test_of_equal_overlaps_the_last_object_is_found() -> None:
    """Which of two objects a detection takes decides what is left for the next one."""
    label: Image = {
        "boxes": [[0, 0, 10, 10], [2, 0, 10, 10]],
        "classes": [1, 1],
        "crowd": [False, False],
    }
    answer: Image = {
        "boxes": [[1, 0, 10, 10], [2, 0, 10, 10]],
        "scores": [0.9, 0.8],
        "classes": [1, 1],
    }
    expected = coco_map([label], [answer])
    first_taken = coco_map([{**label, "boxes": label["boxes"][::-1]}], [answer])
    assert expected != pytest.approx(first_taken)
    assert in_time_map([label], [answer]) == pytest.approx(expected, abs=1e-9)


def test_many_images_of_many_classes_agree() -> None:
    """Groups of all sizes, at the size of a real validation."""
    labels, answers = images(np.random.default_rng(5), 300, classes=20, most=70)
    assert in_time_map(labels, answers) == pytest.approx(coco_map(labels, answers), abs=1e-9)


@given(seeds, st.integers(1, 12))
@settings(max_examples=40)
def test_a_late_image_has_no_detections(seed: int, count: int) -> None:
    """At every deadline, with ties of latency, as pycocotools says of the emptied answers."""
    random = np.random.default_rng(seed)
    labels, answers = images(random, count)
    latency = random.choice([0.01, 0.02, 0.03, np.inf], count)
    deadlines = [0.02, 0.005, 0.03, 0.025]
    judged = MeanAveragePrecision().judge(labels, answers)
    quality = quality_by_round(judged, np.arange(count), latency, np.zeros(count, int), deadlines)
    expected = [
        max(
            coco_map(
                labels,
                [a if t <= d else NOTHING for a, t in zip(answers, latency, strict=True)],
            ),
            0.0,
        )
        for d in deadlines
    ]
    np.testing.assert_allclose(quality[0], expected, rtol=0, atol=1e-9)


@given(seeds)
@settings(max_examples=25)
def test_a_part_of_the_images_is_judged_as_if_it_were_all(seed: int) -> None:
    """A round times some images, one of them perhaps twice."""
    random = np.random.default_rng(seed)
    labels, answers = images(random, 10)
    # Where scores tie, pycocotools' figure depends on the order of the images.
    answers = [{**a, "scores": random.random(len(a["scores"])).tolist()} for a in answers]
    samples = random.integers(0, 10, 6)
    judged = MeanAveragePrecision().judge(labels, answers)
    expected = coco_map([labels[i] for i in samples], [answers[i] for i in samples])
    quality = judged.quality(samples, np.array([6]))[0]
    assert quality == pytest.approx(max(expected, 0.0), abs=1e-9)


@given(seeds)
@settings(max_examples=25)
def test_the_score_of_an_image_is_its_own_map(seed: int) -> None:
    """Of an image with nothing to find, 1 minus the surest mistake."""
    labels, answers = images(np.random.default_rng(seed), 6, most=4)
    scores = MeanAveragePrecision().judge(labels, answers).scores
    for label, answer, score in zip(labels, answers, scores, strict=True):
        expected = coco_map([label], [answer])
        if expected < 0:
            expected = 1 - max(answer["scores"])
        assert score == pytest.approx(expected, abs=1e-9)


def test_silence_about_nothing_is_right() -> None:
    """No detection in an image without objects is a perfect answer."""
    label: Image = {"boxes": [], "classes": [], "crowd": []}
    assert MeanAveragePrecision().judge([label], [NOTHING]).scores.tolist() == [1.0]

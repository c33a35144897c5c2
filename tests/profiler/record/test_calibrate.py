"""Calibration against closed forms, known miscalibration, degenerate data and properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from profiler.record.calibrate import calibrate, expected_quality

ratios = st.floats(0, 1)
# Few different confidences, so that ties are common.
pairs = st.lists(st.tuples(ratios | st.sampled_from([0.2, 0.5, 1.0]), ratios), min_size=1)


def overconfident(n: int, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Confidences of which an answer is right with the square as its chance."""
    rng = np.random.default_rng(seed)
    confidence = rng.uniform(0.2, 1.0, n)
    return confidence, rng.random(n) < confidence**2


def test_the_fit_is_the_min_max_formula_of_isotonic_regression() -> None:
    """At every sample: the greatest over beginnings of the least over ends of the mean between."""
    rng = np.random.default_rng(1)
    confidence = np.sort(rng.random(40))
    score = rng.random(40)
    fitted = [
        max(min(score[a : b + 1].mean() for b in range(i, 40)) for a in range(i + 1))
        for i in range(40)
    ]
    assert expected_quality(calibrate(confidence, score), confidence) == pytest.approx(fitted)


@given(pairs)
def test_it_is_monotone_and_has_the_mean_of_the_score(seen: list[tuple[float, float]]) -> None:
    """For any data, ties included, in sample and without any sample being looked at twice."""
    confidence, score = (np.array(column) for column in zip(*seen, strict=True))
    calibration = calibrate(confidence, score)
    grid = np.linspace(0, 1, 101)
    assert (np.diff(expected_quality(calibration, grid)) >= 0).all()
    fitted = expected_quality(calibration, confidence)
    assert fitted.mean() == pytest.approx(score.mean(), abs=1e-9)
    assert sum(bin_.samples for bin_ in calibration.bins) == len(seen)
    assert 0 <= calibration.calibrated_error <= 1


@given(pairs, ratios)
def test_one_number_and_many_are_looked_up_alike(
    seen: list[tuple[float, float]], at: float
) -> None:
    """The gateway's lookup is the vectorised one."""
    calibration = calibrate(*zip(*seen, strict=True))
    one = calibration.expected_quality(at)
    assert one == pytest.approx(float(expected_quality(calibration, [at])[0]), abs=1e-9)


def test_a_known_miscalibration_is_recovered() -> None:
    """Where answers are right with the square of the confidence, so says the calibration."""
    calibration = calibrate(*overconfident(20_000))
    grid = np.linspace(0.25, 0.95, 15)
    assert expected_quality(calibration, grid) == pytest.approx(grid**2, abs=0.05)
    # By theory the mean of c - c² over [0.2, 1].
    assert calibration.error == pytest.approx(0.6 - (1 - 0.008) / 3 / 0.8, abs=0.01)
    assert calibration.calibrated_error < 0.012


def test_expected_quality_without_labels_is_that_of_unseen_samples() -> None:
    """Over 200 services, as far from the truth as the two samples' noise, and not biased."""
    gaps = []
    for seed in range(200):
        calibration = calibrate(*overconfident(1000, seed))
        confidence, right = overconfident(1000, seed + 1000)
        gaps.append(float(expected_quality(calibration, confidence).mean() - right.mean()))
    # Of either sample the standard deviation of a mean of answers given their confidence.
    noise = np.sqrt(2 * np.mean([(c := overconfident(1000, 5)[0]) ** 2 * (1 - c**2)]) / 1000)
    assert np.std(gaps) < 1.2 * noise
    assert abs(np.mean(gaps)) < 4 * noise / np.sqrt(200)


def test_the_error_is_out_of_sample() -> None:
    """Ten samples: each is calibrated by the nine others, its own answer unknown to them."""
    rng = np.random.default_rng(2)
    confidence, score = rng.random(10), rng.random(10)
    gaps = [
        calibrate(np.delete(confidence, own), np.delete(score, own)).expected_quality(
            confidence[own]
        )
        - score[own]
        for own in range(10)
    ]
    error = calibrate(confidence, score).calibrated_error
    assert error == pytest.approx(np.abs(gaps).mean())


def test_graded_scores_are_calibrated() -> None:
    """A score need not be right or wrong."""
    rng = np.random.default_rng(3)
    confidence = rng.random(5000)
    score = np.clip(confidence / 2 + rng.normal(0, 0.1, 5000), 0, 1)
    calibration = calibrate(confidence, score)
    assert calibration.expected_quality(0.8) == pytest.approx(0.4, abs=0.03)


def test_knots_are_few() -> None:
    """The fit to thousands of samples is kept in a few dozen knots, without loss."""
    calibration = calibrate(*overconfident(5000))
    assert len(calibration.confidence) < 150


def test_equal_confidences_have_one_quality() -> None:
    """A model that is always as sure: one knot, one bin, and after calibration no error."""
    calibration = calibrate([0.9] * 10, [True] * 6 + [False] * 4)
    assert (calibration.confidence, calibration.quality) == ((0.9,), (0.6,))
    assert len(calibration.bins) == 1
    assert calibration.error == pytest.approx(0.3)
    assert calibration.expected_quality(0.1) == calibration.expected_quality(1.0) == 0.6


def test_one_sample_is_taken_at_its_word() -> None:
    """There is nothing else to go by; out of sample its confidence stays as it is."""
    calibration = calibrate([0.7], [1.0])
    assert calibration.quality == (1.0,)
    assert calibration.error == calibration.calibrated_error == pytest.approx(0.3)


def test_all_right_is_certain() -> None:
    """Whatever the confidence."""
    calibration = calibrate([0.3, 0.6, 0.6, 0.9], [1, 1, 1, 1])
    assert [calibration.expected_quality(at) for at in (0, 0.6, 1)] == [1, 1, 1]
    assert calibration.calibrated_error == 0


@pytest.mark.parametrize(
    ("confidence", "score", "message"),
    [
        ([], [], "at least 1"),
        ([0.5], [0.5, 0.5], "one length"),
        ([1.5], [1.0], r"confidence must be in \[0, 1\]"),
        ([0.5], [float("nan")], r"score must be in \[0, 1\]"),
    ],
)
def test_bad_values_are_refused(confidence: list[float], score: list[float], message: str) -> None:
    """Naming what is wrong."""
    with pytest.raises(ValueError, match=message):
        calibrate(confidence, score)

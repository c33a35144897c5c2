"""Calibration of a variant's confidence: which quality it is worth, without labels. Pure."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import isotonic_regression

from tailq.calibration import Calibration, ReliabilityBin

Floats = NDArray[np.float64]

# Equal in mass: with as many samples in each, all bins are as sure as each other.
BINS = 15
_FOLDS = 10


def calibrate(confidence: ArrayLike, score: ArrayLike) -> Calibration:
    """Fit quality as a non-decreasing function of confidence, and say how well it holds.

    confidence, score: [N] in [0, 1], N >= 1; scores may be graded. The fit is isotonic least
    squares (Zadrozny & Elkan, KDD 2002), so the calibrated confidence has the mean of the score.
    `calibrated_error` is out of sample: each tenth is calibrated by the other nine.
    Raises ValueError on values outside [0, 1], NaN among them.
    """
    raw, worth = _checked(confidence, score)
    knots, values = _fit(raw, worth)
    bins = _bin(raw)
    return Calibration(
        confidence=tuple(knots.tolist()),
        quality=tuple(values.tolist()),
        bins=_reliability(bins, raw, worth),
        error=_expected_error(bins, raw, worth),
        calibrated_error=_expected_error(bins, _cross_fitted(raw, worth), worth),
    )


def expected_quality(calibration: Calibration, confidence: ArrayLike) -> Floats:
    """`Calibration.expected_quality` of many confidences: [n] to [n]."""
    at = np.asarray(confidence, dtype=np.float64)
    return np.asarray(np.interp(at, calibration.confidence, calibration.quality))


def edges(raw: Floats) -> Floats:
    """Inner edges of BINS bins of equal mass, each the greatest value in its bin: [BINS - 1].

    Values that occur often may make several edges equal.
    """
    return np.asarray(np.quantile(raw, np.arange(1, BINS) / BINS, method="inverted_cdf"))


def _fit(raw: Floats, worth: Floats) -> tuple[Floats, Floats]:
    """Knots of the isotonic regression, without loss: the ends of each of its level stretches."""
    points, row = np.unique(raw, return_inverse=True)
    count = np.bincount(row)
    mean = np.bincount(row, weights=worth) / count
    fitted = np.clip(isotonic_regression(mean, weights=count).x, 0.0, 1.0)
    steps = np.diff(fitted) != 0
    ends = np.append(True, steps) | np.append(steps, True)
    return points[ends], fitted[ends]


def _cross_fitted(raw: Floats, worth: Floats) -> Floats:
    """Every confidence calibrated by a fit to the other folds.

    Folds are dealt out along the confidence, so that all resemble each other. A single sample
    leaves nothing to fit to, and its confidence as it is.
    """
    fold = np.empty(raw.size, dtype=np.int64)
    fold[np.argsort(raw, kind="stable")] = np.arange(raw.size) % _FOLDS
    calibrated = raw.copy()
    for number in range(_FOLDS if raw.size > 1 else 0):
        own = fold == number
        calibrated[own] = np.interp(raw[own], *_fit(raw[~own], worth[~own]))
    return calibrated


def _bin(raw: Floats) -> NDArray[np.int64]:
    """Bin of each confidence: [N]. Equal confidences share one, so bins may differ in size."""
    _, bins = np.unique(np.searchsorted(edges(raw), raw, side="left"), return_inverse=True)
    return np.asarray(bins, dtype=np.int64)


def _reliability(bins: NDArray[np.int64], raw: Floats, worth: Floats) -> tuple[ReliabilityBin, ...]:
    count = np.bincount(bins)
    confidence, quality = (_means(bins, values) for values in (raw, worth))
    return tuple(
        ReliabilityBin(samples=samples, confidence=mean, quality=true)
        for samples, mean, true in zip(
            count.tolist(), confidence.tolist(), quality.tolist(), strict=True
        )
    )


def _expected_error(bins: NDArray[np.int64], said: Floats, worth: Floats) -> float:
    """Expected calibration error (Naeini, Cooper & Hauskrecht, AAAI 2015), bins of equal mass.

    It is biased upwards by the noise of a bin's mean; with n samples in a bin of quality q by
    about sqrt(q (1 - q) / n).
    """
    gaps = np.abs(np.bincount(bins, weights=said - worth))
    return float(min(gaps.sum() / bins.size, 1.0))


def _means(bins: NDArray[np.int64], values: Floats) -> Floats:
    # Rounding must not carry a mean of ones above 1.
    return np.clip(np.bincount(bins, weights=values) / np.bincount(bins), 0.0, 1.0)


def _checked(confidence: ArrayLike, score: ArrayLike) -> tuple[Floats, Floats]:
    raw = np.asarray(confidence, dtype=np.float64)
    worth = np.asarray(score, dtype=np.float64)
    if raw.ndim != 1 or raw.shape != worth.shape or raw.size == 0:
        raise ValueError(
            "confidence and score must be vectors of one length, at least 1, "
            f"not of shapes {raw.shape}, {worth.shape}"
        )
    for name, values in (("confidence", raw), ("score", worth)):
        if not np.all((values >= 0) & (values <= 1)):
            raise ValueError(f"{name} must be in [0, 1]")
    return raw, worth

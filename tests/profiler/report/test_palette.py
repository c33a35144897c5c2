"""The palette, by the formulas of WCAG 2 and of Machado, Oliveira & Fernandes (2009)."""

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from profiler.report.palette import DARK, HUES, LIGHT, dashes

Floats = NDArray[np.float64]

# Severity 1.0, on linear RGB.
_VISION = {
    "normal": np.eye(3),
    "protan": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deutan": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}
_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])


def _linear(colour: str) -> Floats:
    value = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _contrast(one: str, other: str) -> float:
    low, high = sorted(float(_XYZ[1] @ _linear(colour)) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def _lab(linear: Floats) -> Floats:
    ratio = _XYZ @ np.clip(linear, 0, 1) / _WHITE
    f = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("scheme", [LIGHT, DARK])
def test_text_reaches_aa_and_lines_three_to_one(scheme: Mapping[str, str]) -> None:
    """Texts and links have a contrast of 4.5 with the page, lines of 3 (WCAG 2.1 AA)."""
    for name in ("ink", "soft", "v0"):
        assert _contrast(scheme[name], scheme["paper"]) >= 4.5, name
    for rank in range(HUES):
        assert _contrast(scheme[f"v{rank}"], scheme["paper"]) >= 2.95, rank


@pytest.mark.parametrize("scheme", [LIGHT, DARK])
@pytest.mark.parametrize("vision", _VISION)
def test_any_two_variants_are_told_apart(scheme: Mapping[str, str], vision: str) -> None:
    """With normal and colour-blind vision any two lines differ by 20 or more in CIELAB."""
    labs = np.array([_lab(_VISION[vision] @ _linear(scheme[f"v{rank}"])) for rank in range(HUES)])
    distance = np.linalg.norm(labs[:, None] - labs[None], axis=-1)
    assert distance[~np.eye(HUES, dtype=bool)].min() >= 20


def test_beyond_the_hues_dashes_tell_lines_apart() -> None:
    """Where the colours begin again, the dashes are others than the first time."""
    assert all(dashes(rank) != dashes(rank + HUES) for rank in range(HUES))


def test_both_schemes_have_the_same_names() -> None:
    """No colour is missing in the dark."""
    assert LIGHT.keys() == DARK.keys()
    assert len(set(LIGHT.values())) == len(LIGHT)  # a figure's colours name their variables

"""The calibration of an artefact: what it says, and what is no calibration."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tailq.calibration import Calibration

ratios = st.floats(0, 1)


def calibration(confidence: tuple[float, ...], quality: tuple[float, ...]) -> Calibration:
    return Calibration(confidence=confidence, quality=quality, bins=(), error=0, calibrated_error=0)


def test_it_is_linear_between_knots_and_level_beyond() -> None:
    """At a knot its own value, between two in proportion, outside the nearest one's."""
    made = calibration((0.2, 0.4, 0.8), (0.1, 0.5, 0.9))
    asked = (0.0, 0.2, 0.3, 0.4, 0.7, 0.8, 1.0)
    said = (0.1, 0.1, 0.3, 0.5, 0.8, 0.9, 0.9)
    assert [made.expected_quality(at) for at in asked] == pytest.approx(said)


@given(
    st.lists(ratios, min_size=1, unique=True).flatmap(
        lambda at: st.tuples(
            st.just(sorted(at)), st.lists(ratios, min_size=len(at), max_size=len(at)).map(sorted)
        )
    ),
    ratios,
    ratios,
)
def test_more_confidence_is_never_worth_less(
    knots: tuple[list[float], list[float]], one: float, other: float
) -> None:
    """For any knots, the nearest of neighbours included, to the last bit."""
    made = calibration(tuple(knots[0]), tuple(knots[1]))
    assert made.expected_quality(min(one, other)) <= made.expected_quality(max(one, other))


@pytest.mark.parametrize(
    ("confidence", "quality", "message"),
    [
        ((0.1, 0.2), (0.5,), "one length"),
        ((0.2, 0.2), (0.5, 0.6), "must ascend"),
        ((0.1, 0.2), (0.6, 0.5), "must not fall"),
        ((), (), "at least 1"),
        ((0.1,), (1.5,), "less than or equal to 1"),
    ],
)
def test_what_is_no_monotone_function_is_refused(
    confidence: tuple[float, ...], quality: tuple[float, ...], message: str
) -> None:
    """When it is read, not when it is used."""
    with pytest.raises(ValidationError, match=message):
        calibration(confidence, quality)

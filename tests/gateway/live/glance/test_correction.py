"""Whether what is expected without labels is off by more than chance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.live.glance.correction import Known, corrections
from tests.gateway.live.glance.told import ended, labelled, numbers


def test_an_error_is_told_with_its_sign() -> None:
    """Expected minus known: here too much was expected, by three points."""
    told = numbers([*ended({"on_time": 500}), *labelled(2000, 0.95, 0.92)])
    (found,) = corrections(told, "gold")
    assert (found.source, found.judged) == ("probe", 2000)
    assert found.error == pytest.approx(0.03, abs=1e-6)


@pytest.mark.parametrize("count", [20, 99])
def test_few_labels_tell_nothing(count: int) -> None:
    """However far off they are."""
    told = numbers([*ended({"on_time": 500}), *labelled(count, 0.95, 0.2)])
    assert corrections(told, "gold") == []


def test_chance_is_not_told() -> None:
    """A point off in a thousand answers is within the interval, not so in ten thousand."""
    few = numbers([*ended({"on_time": 500}), *labelled(1000, 0.93, 0.92)])
    many = numbers([*ended({"on_time": 500}), *labelled(10_000, 0.93, 0.92)])
    assert corrections(few, "gold") == []
    assert len(corrections(many, "gold")) == 1


def test_variants_weigh_as_often_as_they_answer_for_the_tier() -> None:
    """Half of gold's requests are large's, a quarter small's, of a quarter nothing was expected."""
    told = numbers(
        [
            *ended({"on_time": 200, "late": 100, "cancelled": 50}),
            *ended({"rescued": 100}, variant="small"),
            *ended({"on_time": 900}, tier="fast", variant="small"),
            *labelled(5000, 0.95, 0.91, source="feedback"),
            *labelled(5000, 0.90, 0.82, variant="small", source="feedback"),
        ]
    )
    (gold,) = corrections(told, "gold")
    assert gold.error == pytest.approx(0.5 * 0.04 + 0.25 * 0.08, abs=1e-6)
    assert gold.judged == 10_000
    (fast,) = corrections(told, "fast")
    assert fast.error == pytest.approx(0.08, abs=1e-6)


def test_without_requests_there_is_nothing_to_correct() -> None:
    """Nor where no variant that answered has labels."""
    assert corrections(numbers(labelled(5000, 0.95, 0.9)), "gold") == []
    told = numbers([*ended({"on_time": 10}), *labelled(5000, 0.95, 0.9, variant="small")])
    assert corrections(told, "gold") == []


@given(st.integers(1, 10_000), st.floats(0, 1), st.floats(0, 1))
def test_the_error_of_anything_has_a_deviation(count: int, expected: float, known: float) -> None:
    """Also where every answer is right, or wrong."""
    one = Known(count, count * expected, count * known)
    assert -1 <= one.error <= 1
    assert one.variance > 0


def test_right_expectations_are_called_off_no_more_than_one_time_in_twenty() -> None:
    """By simulation: 4,000 times 400 answers, right with the probability that was expected."""
    draw = np.random.default_rng(1)
    expected = draw.beta(12, 1, (4000, 400))
    right = draw.random(expected.shape) < expected
    off = 0
    for sure, known in zip(expected.sum(axis=1), right.sum(axis=1), strict=True):
        one = Known(400, float(sure), float(known))
        off += abs(one.error) > 1.96 * one.variance**0.5
    assert off / 4000 <= 0.05

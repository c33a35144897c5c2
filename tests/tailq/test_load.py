"""The model of latency under load as the gateway looks it up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tailq.load import LatencyQuantile, LatencyUnderLoad


def model(
    outstanding_s: tuple[float, ...], by_level: dict[float, tuple[float, ...]]
) -> LatencyUnderLoad:
    return LatencyUnderLoad(
        outstanding_s=outstanding_s,
        quantiles=tuple(
            LatencyQuantile(level=level, latency_s=latency, exceeded=1 - level)
            for level, latency in by_level.items()
        ),
    )


MODEL = model((0.0, 0.02, 0.06), {0.5: (0.01, 0.02, 0.06), 0.9: (0.02, 0.05, 0.09)})


@st.composite
def models(draw: st.DrawFn) -> LatencyUnderLoad:
    """Monotone in work and not crossing in level, but otherwise anything, level stretches too."""
    times = st.floats(0, 10)
    knots = sorted(draw(st.lists(times, min_size=1, max_size=6, unique=True)))
    levels = sorted(draw(st.lists(st.floats(0.01, 0.999), min_size=1, max_size=4, unique=True)))
    steps = st.lists(times | st.just(0.0), min_size=len(knots), max_size=len(knots))
    latency = [0.0] * len(knots)
    rows = {}
    for level in levels:
        latency = [a + b for a, b in zip(latency, sorted(draw(steps)), strict=True)]
        rows[level] = tuple(latency)
    return model(tuple(knots), rows)


def test_a_known_quantile_is_looked_up_by_work_outstanding() -> None:
    """At knots its own value, between them in proportion, below the first that of the first."""
    asked = (0.0, 0.01, 0.02, 0.05, 0.06)
    said = (0.01, 0.015, 0.02, 0.05, 0.06)
    assert [MODEL.quantile(0.5, work) for work in asked] == pytest.approx(said)


def test_beyond_what_was_measured_work_lasts_its_time() -> None:
    """A second more of work outstanding is a second more of latency, at every level."""
    assert MODEL.quantile(0.5, 0.16) == pytest.approx(0.16)
    assert MODEL.quantile(0.9, 0.16) == pytest.approx(0.19)


def test_between_levels_it_is_in_proportion() -> None:
    """Half of the way from 50 % to 90 % is 70 %; from nothing to 50 % is 25 %."""
    assert MODEL.quantile(0.7, 0.02) == pytest.approx(0.035)
    assert MODEL.quantile(0.25, 0.02) == pytest.approx(0.01)
    assert MODEL.probability_within(0.035, 0.02) == pytest.approx(0.7)
    assert MODEL.probability_within(0.01, 0.02) == pytest.approx(0.25)


def test_what_was_not_measured_is_not_claimed() -> None:
    """No level above the highest is told, and no greater probability, whatever the time."""
    assert MODEL.probability_within(60, 0.02) == 0.9
    with pytest.raises(ValueError, match=r"0\.99 is not known, only up to 0\.9"):
        MODEL.quantile(0.99, 0.02)


@given(models(), st.floats(0, 1), st.floats(0, 20), st.floats(0, 1), st.floats(0, 20))
def test_more_work_or_a_higher_level_is_never_faster(
    made: LatencyUnderLoad, share: float, work: float, more: float, much_more: float
) -> None:
    """Monotone in both, to rounding, and so is the probability of being in time."""
    highest = made.quantiles[-1].level
    level, higher = share * highest, (share + more * (1 - share)) * highest
    now = made.quantile(level, work)
    assert made.quantile(min(higher, highest), work) >= now - 1e-9
    assert made.quantile(level, work + much_more) >= now - 1e-9
    within = made.probability_within(now, work)
    assert made.probability_within(now, work + much_more) <= within + 1e-9
    assert made.probability_within(now + much_more, work) >= within


@given(models(), st.floats(0, 1), st.floats(0, 20))
def test_probability_within_is_the_inverse_of_the_quantile(
    made: LatencyUnderLoad, share: float, work: float
) -> None:
    """Within the time that a share of answers needs comes at least that share, and no less."""
    level = share * made.quantiles[-1].level
    assert made.probability_within(made.quantile(level, work) * (1 + 1e-9), work) >= level - 1e-6


@pytest.mark.parametrize(
    ("outstanding_s", "by_level", "message"),
    [
        ((0.0, 0.1), {0.5: (0.01,)}, "one latency for each knot"),
        ((0.0, 0.1), {0.5: (0.02, 0.01)}, "must not fall"),
        ((0.1, 0.1), {0.5: (0.01, 0.02)}, "must ascend"),
        ((0.1,), {0.9: (0.01,), 0.5: (0.01,)}, "levels must ascend"),
        ((0.1,), {0.5: (0.02,), 0.9: (0.01,)}, "must not cross"),
        ((), {0.5: ()}, "at least 1"),
    ],
)
def test_what_is_no_such_model_is_refused(
    outstanding_s: tuple[float, ...], by_level: dict[float, tuple[float, ...]], message: str
) -> None:
    """When it is read, not when it is used."""
    with pytest.raises(ValidationError, match=message):
        model(outstanding_s, by_level)

"""Figures as people read them."""

from datetime import UTC, datetime, timedelta

import pytest

from profiler.report.words import (
    duration,
    listed,
    ms,
    percent,
    plan_in_words,
    short_names,
    span,
)
from tailq.plan import Cascade, Plan, Race, Rescue, Single


def test_numbers_keep_their_unit_on_the_line() -> None:
    """Between a number and its unit is a no-break space."""
    assert percent(0.9412) == "94.1\u00a0%"
    assert percent(0.9412, 2) == "94.12\u00a0%"
    assert ms(0.0217) == "21.7\u00a0ms"
    assert ms(1.5) == "1500\u00a0ms"


@pytest.mark.parametrize(
    ("seconds", "said"), [(40, "40 s"), (59.9, "1 min"), (540, "9 min"), (7500, "2 h 05 min")]
)
def test_durations(seconds: float, said: str) -> None:
    """Seconds, minutes or hours, as one would say it."""
    assert duration(timedelta(seconds=seconds)) == said


def test_a_span_names_the_day_once() -> None:
    """From and to on one day share it."""
    first = datetime(2026, 11, 23, 8, 38, tzinfo=UTC)
    assert span(first, first + timedelta(minutes=9)) == "2026-11-23, 08:38 to 08:47 UTC"
    assert "2026-11-24" in span(first, first + timedelta(days=1))


def test_lists() -> None:
    """Commas, and "and" before the last."""
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"


def test_the_services_prefix_is_left_out_if_all_have_it() -> None:
    """Names are shortened together or not at all."""
    assert short_names(["s_a", "s_b"], "s") == {"s_a": "a", "s_b": "b"}
    assert short_names(["s_a", "b"], "s") == {"s_a": "s_a", "b": "b"}
    assert short_names(["s_a", "s_"], "s") == {"s_a": "s_a", "s_": "s_"}


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (Single(variant="s_a"), "asks a"),
        (
            Cascade(stages=("s_a", "s_b", "s_c"), thresholds=(0.9, 0.8)),
            "asks a; below confidence 0.90, b; below confidence 0.80, c",
        ),
        (
            Race(fast="s_a", accurate="s_b", threshold=0.7, terminate=False),
            "asks a and b at once; keeps a's answer from confidence 0.70 on; "
            "lets the other run to its end",
        ),
        (
            Rescue(primary="s_b", rescuer="s_a", after_s=0.02),
            "asks b; if it has not answered after 20\u00a0ms, a too",
        ),
    ],
)
def test_plans_in_words(plan: Plan, said: str) -> None:
    """Each kind of plan says whom it asks, and when."""
    assert plan_in_words(plan, {"s_a": "a", "s_b": "b", "s_c": "c"}) == said

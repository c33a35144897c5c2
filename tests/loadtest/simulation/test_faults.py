"""The schedule of faults: its description, and what it does to work under way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.simulation.faults import Fault, Schedule, parse
from tailq.errors import TailqError


def test_a_description_says_what_where_and_when() -> None:
    """Kind, window, and what it is limited to."""
    fault = parse("slow@60-90.5:variant=large,factor=5,endpoint=1", ["large"], 2)
    assert fault == Fault("slow", 60, 90.5, "large", 1, 5.0)
    assert parse("gone@1-2", [], 1) == Fault("gone", 1, 2)


@pytest.mark.parametrize(
    "text",
    [
        "melted@1-2",
        "slow",
        "slow@5-1",
        "slow@1-nan",
        "slow@1-2-3",
        "slow@1-2:speed=3",
        "slow@1-2:factor=0",
        "slow@1-2:factor",
        "slow@1-2:variant=tiny",
        "slow@1-2:endpoint=1",
        "broken@1-2:share=2",
        "burst@1-2:factor=0.5",
        "slow@1-2:endpoint=0.5",
        # What would have no effect, such as a Triton of which one variant is killed.
        "gone@1-2:variant=large",
        "burst@1-2:endpoint=0",
        "stuck@1-2:factor=3",
    ],
)
def test_a_bad_description_is_refused(text: str) -> None:
    """With the text that was given."""
    with pytest.raises(TailqError, match=f"--fault {text}"):
        parse(text, ["large"], 1)


def test_work_slows_down_and_stops_only_within_the_window() -> None:
    """Half before, the rest at a tenth, or after the stop."""
    slow = Schedule([Fault("slow", 1.0, 100.0)])
    assert slow.finish_s(0.5, 1.0, "large", 0) == pytest.approx(0.5 + 0.5 + 5.0)
    stuck = Schedule([Fault("stuck", 1.0, 3.0)])
    assert stuck.finish_s(0.5, 1.0, "large", 0) == pytest.approx(3.5)
    assert stuck.finish_s(2.0, 0.1, "large", 0) == pytest.approx(3.1)
    other = Schedule([Fault("stuck", 1.0, 3.0, variant="small")])
    assert other.finish_s(0.5, 1.0, "large", 0) == 1.5


windows = st.tuples(
    st.sampled_from(["slow", "stuck"]), st.floats(0, 5), st.floats(0.01, 5), st.floats(1, 20)
)


@given(st.lists(windows, max_size=4), st.floats(0, 10), st.floats(0, 3), st.floats(0, 3))
def test_work_that_begins_or_lasts_longer_ends_no_earlier(
    given_windows: list[tuple[str, float, float, float]], begun: float, seconds: float, more: float
) -> None:
    """Whatever faults overlap; and nothing ends before it would have without them."""
    schedule = Schedule(
        [
            Fault(kind, start, start + length, factor=factor)  # type: ignore[arg-type]
            for kind, start, length, factor in given_windows
        ]
    )
    end = schedule.finish_s(begun, seconds, "large", 0)
    assert end >= begun + seconds - 1e-9
    assert schedule.finish_s(begun, seconds + more, "large", 0) >= end - 1e-9
    assert schedule.finish_s(begun + more, seconds, "large", 0) >= end - 1e-9
    last = max((start + length for _, start, length, _ in given_windows), default=0.0)
    assert end <= max(begun, last) + seconds + 1e-9

"""How long before its deadline an answer in hand leaves: as late as timers are lately."""

import random

from hypothesis import given
from hypothesis import strategies as st

from gateway.dataplane import MARGIN_S
from gateway.dataplane.margin import Margin
from tailq.plan import Cascade
from tests.gateway.dataplane.bench import executing, near, says


def test_about_one_timer_of_a_hundred_comes_later() -> None:
    """However late they are, as long as the margin may be as much."""
    for mean_s in (0.0005, 0.001, 0.0015):
        margin, rng, later = Margin(), random.Random(1), 0
        for number in range(40_000):
            late_s = rng.expovariate(1 / mean_s)
            later += number >= 10_000 and late_s > margin.before(1.0)
            margin.learn(late_s)
        assert 0.005 < later / 30_000 < 0.02


def test_a_machine_that_is_idle_again_is_trusted_again() -> None:
    """With timers in time the margin comes back to what an idle machine needs."""
    margin = Margin()
    for _ in range(10):
        margin.learn(0.05)
    assert margin.before(1.0) == Margin.MOST_S
    for _ in range(500):
        margin.learn(0.0)
    assert margin.before(1.0) == MARGIN_S


@given(st.lists(st.floats(0, 1)), st.floats(0, 10))
def test_it_takes_little_of_the_time(late_s: list[float], deadline_s: float) -> None:
    """A tenth of the deadline, 10 ms at most; and never less than on an idle machine."""
    margin = Margin()
    for each in late_s:
        margin.learn(each)
    most_s = max(MARGIN_S, min(0.01, 0.1 * deadline_s))
    assert MARGIN_S <= margin.before(deadline_s) <= most_s


def test_an_answer_in_hand_leaves_earlier_while_timers_are_late() -> None:
    """And it is in time."""
    plan = Cascade(stages=("small", "large"), thresholds=(0.9,))
    b = executing(plan, {"small": says(0.01, 0.5), "large": says(None)})
    for _ in range(3):
        b.plane.margin.learn(0.05)
    at, answer = b.answer()
    assert at == near(0.1 - MARGIN_S * 1.5**3)
    assert (answer.outcome, answer.variant) == ("on_time", "small")

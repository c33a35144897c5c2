"""Foresight against Monte Carlo: latencies drawn from the models, plans played as documented."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tailq.foresight import AT_ONCE, Latency, beside, foresee
from tailq.plan import Cascade, Plan, Race, Rescue, Single
from tailq.tier import Option
from tests.served import option, options

Floats = NDArray[np.float64]

DRAWS = 200_000
# Four standard errors of a share at its worst.
ERROR = 4 * 0.5 / DRAWS**0.5

FAST = Latency((0.0, 0.010, 0.018, 0.030), (0.0, 0.5, 0.9, 0.99))
MIDDLE = Latency((0.0, 0.022, 0.035, 0.050, 0.110), (0.0, 0.5, 0.9, 0.99, 0.9975))
SLOW = Latency((0.0, 0.040, 0.060, 0.120), (0.0, 0.5, 0.9, 0.99))
LEFT_S = (0.004, 0.015, 0.03, 0.05, 0.08, 0.2)

SINGLE = option("slow", (1.0, 0.9))
PAIR = option(
    Cascade(stages=("fast", "slow"), thresholds=(0.8,)), (0.7, 0.95, 0.9), (0.3, 0.4, 0.8)
)
TRIPLE = option(
    Cascade(stages=("fast", "middle", "slow"), thresholds=(0.8, 0.7)),
    (0.5, 0.97, 0.97, 0.98),
    (0.3, 0.6, 0.9, 0.95),
    (0.2, 0.3, 0.5, 0.85),
)
RACE = option(Race(fast="fast", accurate="slow", threshold=0.8), (0.7, 0.95, 0.99), (0.3, 0.4, 0.8))
RESCUE = option(Rescue(primary="slow", rescuer="fast", after_s=0.065), (1.0, 0.9, 0.8), (0.0, 0, 0))

FAMILY = {"fast": FAST, "middle": MIDDLE, "slow": SLOW}
DEADLINE_S = 0.08


def draw(random: np.random.Generator, latency: Latency) -> Floats:
    """By inversion; what never arrives takes for ever."""
    level = random.random(DRAWS)
    drawn = np.interp(level, latency.within, latency.seconds)
    return np.where(level < latency.within[-1], drawn, np.inf)


def leaving(plan: Plan, stop: int, took: list[Floats], left_s: float) -> NDArray[np.int64]:
    """Whose answer leaves, of requests that stop at one of the plan's variants; -1: nobody's."""
    nobody = np.full(DRAWS, -1)
    match plan:
        case Single():
            return np.where(took[0] <= left_s, 0, nobody)
        case Cascade():
            answer, clock = nobody, np.zeros(DRAWS)
            for stage in range(stop + 1):
                clock = clock + took[stage]
                answer = np.where(clock <= left_s, stage, answer)
            return answer
        case Race():
            fast, accurate = took
            best = np.select([accurate <= left_s, fast <= left_s], [1, 0], -1)
            return np.where((stop == 0) & (fast <= accurate) & (fast <= left_s), 0, best)
        case Rescue():
            asked = max(left_s - (DEADLINE_S - plan.after_s), 0.0)
            rescued = (took[0] > asked) & (asked + took[1] <= left_s)
            return np.select([took[0] <= left_s, rescued], [0, 1], -1)


def played(one: Option, left_s: float) -> tuple[float, float]:
    """Quality and share answered, of requests drawn and played one by one."""
    random = np.random.default_rng(0)
    took = [draw(random, FAMILY[name]) for name in one.plan.variants]
    quality = answered = 0.0
    for index, stop in enumerate(one.stops):
        who = leaving(one.plan, index, took, left_s)
        came = who >= 0
        quality += stop.share * float(np.where(came, np.array(stop.quality)[who], 0.0).mean())
        answered += stop.share * float(came.mean())
    return quality, answered


@pytest.mark.parametrize("left_s", LEFT_S)
@pytest.mark.parametrize("one", [SINGLE, PAIR, RACE, RESCUE, TRIPLE], ids=lambda one: str(one.plan))
def test_it_is_what_requests_played_one_by_one_yield(one: Option, left_s: float) -> None:
    """A cascade's sums are rounded: no more than the truth, no less than with some time less."""
    latencies = [FAMILY[name] for name in one.plan.variants]
    seen = foresee(one, latencies, left_s, DEADLINE_S)
    quality, answered = played(one, left_s)
    assert seen.answered == pytest.approx(answered, abs=ERROR)
    if isinstance(one.plan, Cascade):
        less = left_s * (1 - (len(latencies) - 1) / 64)
        assert played(one, less)[0] - ERROR <= seen.quality <= quality + ERROR
    else:
        # Where latencies race, a bend within one of the 64 cells is smoothed.
        assert seen.quality == pytest.approx(quality, abs=ERROR + 0.001)


@pytest.mark.parametrize("left_s", [0.1, 0.5, 1.0])
def test_of_even_latencies_a_race_is_exact(left_s: float) -> None:
    """Up to 1 s and up to 2 s, all equally likely: the fast one is first with t - t²/4."""
    race = option(Race(fast="f", accurate="a", threshold=0.5), (1.0, 1.0, 0.0), (0.0, 0.0, 0.0))
    its = [Latency((0.0, 1.0), (0.0, 1.0)), Latency((0.0, 2.0), (0.0, 1.0))]
    assert foresee(race, its, left_s, 1.0).quality == pytest.approx(left_s - left_s**2 / 4)


@st.composite
def latencies(draw: st.DrawFn) -> Latency:
    steps = draw(st.lists(st.floats(1e-4, 1), min_size=1, max_size=5))
    within = sorted(
        draw(st.lists(st.floats(0.01, 0.999), min_size=len(steps), max_size=len(steps)))
    )
    return Latency((0.0, *np.cumsum(steps).tolist()), (0.0, *within))


@given(options(), st.lists(latencies(), min_size=3, max_size=3), st.floats(0, 4), st.floats(0, 2))
def test_more_time_never_lowers_it(
    one: Option, family: list[Latency], left_s: float, more_s: float
) -> None:
    """Nor does it ever exceed the share that is answered, or leave [0, 1].

    A cascade's grid changes with the time left, so its rounding does, too: by less than a cell.
    """
    its = family[: len(one.plan.variants)]
    seen = foresee(one, its, left_s, 2.0)
    longer = foresee(one, its, left_s / (1 - 3 / 64) + more_s, 2.0)
    assert 0 <= seen.quality <= seen.answered + 1e-9 <= 1 + 2e-9
    assert longer.quality >= seen.quality - 1e-9
    assert longer.answered >= seen.answered - 1e-9


@given(options())
def test_without_time_there_is_nothing(one: Option) -> None:
    """Nor with less than none, nor with a time that is no number."""
    its = [AT_ONCE] * len(one.plan.variants)
    for left_s in (0.0, -1.0, float("nan")):
        seen = foresee(one, its, left_s, 1.0)
        assert (seen.quality, seen.answered) == (0.0, 0.0)


@given(options())
def test_of_variants_that_answer_at_once_it_is_the_options_own_quality(one: Option) -> None:
    """The share of each stop times the quality of the variant that the request stops at."""
    its = [AT_ONCE] * len(one.plan.variants)
    if isinstance(one.plan, Rescue):
        expected = sum(stop.share * stop.quality[0] for stop in one.stops)
    else:
        expected = sum(stop.share * stop.quality[k] for k, stop in enumerate(one.stops))
    assert foresee(one, its, 1.0, 1.0).quality == pytest.approx(expected)


def test_a_plans_own_requests_count_as_work_for_one_another() -> None:
    """Those of a race from the start; a rescuer finds its primary still at work."""
    assert beside(SINGLE.plan) == ((),)
    assert beside(TRIPLE.plan) == ((), (), ())
    assert beside(RACE.plan) == (("slow",), ("fast",))
    assert beside(RESCUE.plan) == ((), ("slow",))

"""The outlook: the profile's latencies, corrected by what is observed."""

from math import exp, inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailq.load import Curves, LatencyUnderLoad
from tailq.outlook import OLDEST_S, TOGETHER, Outlook
from tailq.tier import Served
from tests.served import LEVELS, models, served, under_load

observations = st.lists(st.tuples(st.floats(1e-4, 5), st.floats(0, 1), st.booleans()), max_size=30)


def of(model: LatencyUnderLoad) -> Outlook:
    return Outlook({"a": Served(service_s=0.01, under_load=model)})


def within(outlook: Outlook, variant: str, seconds: float, work_s: float, now: float) -> float:
    """Probability that an answer comes within `seconds`."""
    return outlook.latency(variant, work_s, now).probability_within(seconds)


def slowed(outlook: Outlook, factor: float, now: float = 0.0) -> Outlook:
    """After 200 answers, each so many times slower than the profile's median."""
    for level in np.random.default_rng(0).normal(0, 0.2, 200).tolist():
        outlook.observe("a", 0.01 * factor * exp(level), 0.0, now, ended=True)
    return outlook


@given(models(), st.floats(0, 3), st.floats(0, 2))
def test_without_observations_it_is_the_profiles_model(
    model: LatencyUnderLoad, seconds: float, work: float
) -> None:
    """Up to the highest level known; above it there is a tail, which never is less."""
    told = within(of(model), "a", seconds, work, 0.0)
    expected = model.probability_within(seconds, work)
    highest = model.quantiles[-1]
    if expected < highest.level:
        assert told == pytest.approx(expected, abs=1e-6)
    else:
        assert expected - 1e-9 <= told < 1


def test_the_tail_beyond_the_highest_level_thins_out_as_its_last_levels_say() -> None:
    """From 95 % at 20 ms to 99 % at 30 ms is a Pareto tail of shape 3.97; chords lie below it."""
    outlook, shape = of(under_load(0.01)), 3.97
    for seconds in (0.03, 0.035, 0.05, 0.08, 0.12):
        late = 1 - within(outlook, "a", seconds, 0.0, 0.0)
        pareto = 0.01 * (0.03 / seconds) ** shape
        assert pareto * 0.999 <= late <= pareto * 1.4 + 0.01 / 256
    assert within(outlook, "a", 60, 0.0, 0.0) == pytest.approx(1 - 0.01 / 256)


@pytest.mark.parametrize(
    "model",
    [
        under_load(0.01, levels=(0.5,), factors=(1.0,)),
        under_load(0.01, levels=(0.5, 0.9), factors=(1.0, 1.0)),
        under_load(0.0, knots=(0.0,), levels=(0.5, 0.9), factors=(1.0, 2.0)),
    ],
)
def test_the_tail_of_a_poor_model_is_between_the_bounds(model: LatencyUnderLoad) -> None:
    """One level, two that coincide, or answers in no time: still a probability that rises."""
    told = [within(of(model), "a", t, 0.0, 0.0) for t in (0.0, 0.005, 0.01, 0.05, 5.0)]
    assert told == sorted(told)
    assert 0.5 <= told[-1] < 1


@given(models(), observations, st.floats(0, 3), st.floats(0, 1), st.floats(0, 2), st.floats(0, 2))
def test_more_time_never_lowers_and_more_work_never_raises_it(
    model: LatencyUnderLoad,
    seen: list[tuple[float, float, bool]],
    seconds: float,
    longer: float,
    work: float,
    more: float,
) -> None:
    """Whatever was learned; and it is a probability."""
    outlook = of(model)
    for took, at, ended in seen:
        outlook.observe("a", took, at, 0.0, ended=ended)
    told = within(outlook, "a", seconds, work, 0.0)
    assert 0 <= told <= 1
    assert within(outlook, "a", seconds + longer, work, 0.0) >= told - 1e-9
    assert within(outlook, "a", seconds, work + more, 0.0) <= told + 1e-9


@given(models(), observations, st.floats(0, 2), st.floats(0, 12))
def test_coded_it_is_no_faster_and_hardly_slower(
    model: LatencyUnderLoad, seen: list[tuple[float, float, bool]], work: float, silence: float
) -> None:
    """What is looked up by codes is on the safe side, by 11 % at most (two steps of 5 %)."""
    outlook = of(model)
    for took, at, ended in seen:
        outlook.observe("a", took, at, 0.0, ended=ended)
    exact = outlook.latency("a", work, silence)
    coded = outlook.latency_at("a", work, outlook.codes("a", silence))
    for precise, rounded in zip(exact.seconds, coded.seconds, strict=True):
        assert precise * (1 - 1e-9) <= rounded <= precise * 1.1053


def test_a_slow_variant_is_foreseen_to_be_slow_and_forgiven_in_silence() -> None:
    """Ten times slower is late by its old deadline; ten seconds later it is as profiled."""
    outlook = slowed(of(under_load(0.01)), 10)
    assert outlook.correction("a", 0.0) == pytest.approx(10, rel=0.3)
    assert within(outlook, "a", 0.05, 0.0, 0.0) < 0.3
    assert outlook.correction("a", 10.5) == 1
    assert within(outlook, "a", 0.05, 0.0, 10.5) > 0.99


def test_shares_in_time_are_as_foretold_at_any_load() -> None:
    """Answers 1.6 times slower than profiled, more so at the tail: corrected, each level is met."""
    outlook, random = of(under_load(0.01)), np.random.default_rng(0)
    came = np.zeros((8000, len(LEVELS)), dtype=np.bool_)
    for turn in range(len(came)):
        work, now = float(random.uniform(0, 0.05)), turn * 0.01
        seconds = (0.01 + work) * 1.6 * float(random.lognormal(0, 0.5))
        told = within(outlook, "a", seconds, work, now)
        came[turn] = [told <= level for level in LEVELS]
        outlook.observe("a", seconds, work, now, ended=True)
    assert came[2000:].mean(axis=0) == pytest.approx(LEVELS, abs=0.01)


def test_of_what_has_no_model_nothing_is_known() -> None:
    """A variant without one, or not in the table, is in time; observing it is no mistake."""
    outlook = Outlook({"a": served(0.01, model=False)})
    for name in ("a", "elsewhere"):
        outlook.observe(name, 1.0, 0.0, 0.0, ended=True)
        assert within(outlook, name, 1e-9, 5.0, 0.0) == 1
        assert within(outlook, name, -1e-9, 5.0, 0.0) == 0
        assert outlook.correction(name, 0.0) == 1
        assert outlook.codes(name, 0.0) == outlook.neutral(name) == ()


@pytest.mark.parametrize(("seconds", "work"), [(nan, 0.0), (0.01, nan)])
def test_what_is_no_number_is_not_learned_from(seconds: float, work: float) -> None:
    """It would spoil every figure after it."""
    outlook = of(under_load(0.01))
    outlook.observe("a", seconds, work, 0.0, ended=True)
    assert outlook.correction("a", 0.0) == 1


@pytest.mark.parametrize("seconds", [0.0, -1.0, inf])
def test_no_time_and_endless_time_leave_finite_figures(seconds: float) -> None:
    """However often they are observed."""
    outlook = of(under_load(0.01))
    for _ in range(500):
        outlook.observe("a", seconds, 0.0, 0.0, ended=True)
    assert 0 < outlook.correction("a", 0.0) < inf
    assert 0 <= within(outlook, "a", 0.05, 0.0, 0.0) <= 1


def test_a_new_table_keeps_what_was_learned_of_the_same_model() -> None:
    """A reload forgets nothing, unless the profile of the variant is another one."""
    before = slowed(of(under_load(0.01)), 10)
    same = Outlook({"a": Served(service_s=0.01, under_load=under_load(0.01))}, before)
    other = Outlook({"a": Served(service_s=0.1, under_load=under_load(0.1))}, before)
    assert same.correction("a", 0.0) == before.correction("a", 0.0)
    assert other.correction("a", 0.0) == 1


def test_calls_that_a_reload_finds_in_flight_are_learned_from_in_their_order() -> None:
    """Told late, an end from before would count as silence since, which forgets."""
    both = {name: Served(service_s=0.01, under_load=under_load(0.01)) for name in ("a", "b")}
    before = slowed(Outlook(both), 10)
    same = Outlook(both, before)
    before.observe("a", 0.1, 0.0, 0.5, ended=True)
    for step in range(500):
        same.observe("a", 0.1, 0.0, 0.5 + step / 100, ended=True)
    for _ in range(TOGETHER):
        before.observe("b", 0.1, 0.0, 5.5, ended=True)
    assert same.correction("a", 5.5) == pytest.approx(10, rel=0.2)


def test_what_is_told_lacks_nothing_older_than_a_moment() -> None:
    """However few observations there were since; after a pause the first one counts at once."""
    alone = of(under_load(0.01))
    alone.observe("a", 0.1, 0.0, 1.0, ended=True)
    assert min(alone.codes("a", 1.0)) > 0
    outlook = of(under_load(0.01))
    outlook.observe("a", 0.005, 0.0, 1.0, ended=True)
    for _ in range(TOGETHER - 1):
        outlook.observe("a", 0.1, 0.0, 1.0, ended=True)
    assert outlook.codes("a", 1.0 + 0.99 * OLDEST_S) == outlook.neutral("a")
    assert min(outlook.codes("a", 1.0 + 1.01 * OLDEST_S)) > 0
    one_more = of(under_load(0.01))
    for _ in range(TOGETHER + 1):
        one_more.observe("a", 0.1, 0.0, 1.0, ended=True)
    assert min(one_more.codes("a", 1.0)) > 0


def test_quantiles_never_cross() -> None:
    """Although each is corrected by itself, and all of them towards the same latency."""
    outlook = of(under_load(0.01, factors=(1.0, 1.05, 1.1, 1.2)))
    for turn in range(900):
        outlook.observe("a", 0.001 if turn % 3 == 0 else 0.0102, 0.0, 0.0, ended=True)
        seconds = list(outlook.latency("a", 0.0, 0.0).seconds)
        assert seconds == sorted(seconds)


@given(models(), st.lists(st.tuples(st.floats(1e-4, 5), st.floats(0, 1)), max_size=30))
def test_observing_tells_how_many_of_the_profiles_quantiles_were_exceeded(
    model: LatencyUnderLoad, seen: list[tuple[float, float]]
) -> None:
    """Whatever corrections were learned before; None where there is nothing to compare with."""
    outlook = of(model)
    for seconds, work in seen:
        exceeded = outlook.observe("a", seconds, work, 0.0, ended=True)
        assert exceeded == sum(seconds > at for at in Curves(model).at(work))
    assert outlook.observe("b", 1.0, 0.0, 0.0, ended=True) is None
    assert outlook.observe("a", nan, 0.0, 0.0, ended=True) is None

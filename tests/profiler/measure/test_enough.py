"""When measuring stops."""

import numpy as np
import pytest

from profiler.measure.enough import Limits, StoppingRule
from profiler.record.observations import Observations, concatenate
from tests.profiler.columns import answers, observations

ONE_S_CYCLE = 9.01  # ten requests, a second apart, of 10 ms


def rounds(count: int, *, drift: float = 0.0) -> dict[int, list[Observations]]:
    """Rounds of ten requests of both variants; latencies grow by `drift` from each to the next."""
    done = []
    for number in range(count):
        latency = (0.01 * (1 + drift) ** number) * np.linspace(0.9, 1.1, 10)
        parts = [
            observations(latency.tolist(), [True] * 10, [number] * 10, variant=v) for v in (0, 1)
        ]
        done.append(concatenate(parts))
    return {1: done}


def late_rounds(count: int, *, share: float, variant: int = 0) -> dict[int, list[Observations]]:
    """Rounds of 100 requests; one variant, or both, late at 20 ms at random."""
    random = np.random.default_rng(0)
    done = []
    for number in range(count):
        late = random.random((2, 100)) < share
        late[1 - variant] = False
        parts = [
            observations(
                np.where(late[v], 0.03, 0.01).tolist(), [True] * 100, [number] * 100, variant=v
            )
            for v in (0, 1)
        ]
        done.append(concatenate(parts))
    return {1: done}


RIGHT = answers([[True] * 100, [True] * 100])


def test_nothing_late_is_precise_after_the_least_number_of_rounds() -> None:
    """Not before it, whatever the precision."""
    rule = StoppingRule(Limits(min_rounds=20), RIGHT, [0.02])
    assert rule.stop(late_rounds(19, share=0.0), 0.0) is None
    assert rule.history == ()
    assert rule.stop(late_rounds(20, share=0.0), 0.0) == "precise"
    assert rule.half_width <= 0.05


@pytest.mark.parametrize("variant", [0, 1])
def test_every_variant_has_to_be_known_precisely(variant: int) -> None:
    """The one that is known worst decides; more rounds or less precision end it."""
    precise = StoppingRule(Limits(), RIGHT, [0.02], precision=0.012)
    assert precise.stop(late_rounds(20, share=0.2, variant=variant), 0.0) is None
    assert precise.stop(late_rounds(80, share=0.2, variant=variant), 0.0) == "precise"
    rough = StoppingRule(Limits(), RIGHT, [0.02], precision=0.1)
    assert rough.stop(late_rounds(20, share=0.2, variant=variant), 0.0) == "precise"


def test_precision_is_asked_for_at_every_deadline() -> None:
    """A deadline that nothing misses does not make up for one that some miss."""
    done = late_rounds(20, share=0.2)
    assert StoppingRule(Limits(), RIGHT, [0.05], precision=0.012).stop(done, 0.0) == "precise"
    assert StoppingRule(Limits(), RIGHT, [0.05, 0.02], precision=0.012).stop(done, 0.0) is None


def test_both_figures_are_kept_at_sparse_points() -> None:
    """Whichever rule stops, with the inferences made until then, the last entry at the end."""
    rule = StoppingRule(Limits(max_rounds=30), RIGHT, [0.02], precision=1e-9)
    every = late_rounds(30, share=0.2)[1]
    reasons = [rule.stop({1: every[:count]}, 0.0) for count in range(1, 31)]
    assert reasons == [None] * 29 + ["budget"]
    assert [at.rounds for at in rule.history] == [20, 24, 29, 30]
    assert [at.inferences for at in rule.history] == [200 * at.rounds for at in rule.history]
    assert all(at.rjsd is not None and at.half_width is not None for at in rule.history)
    assert rule.half_width == rule.history[-1].half_width


def test_the_published_rule_can_be_asked_for() -> None:
    """It stops where densities change no more, however uncertain the tail is."""
    rule = StoppingRule(Limits(), RIGHT, [0.02], rule="converged", precision=1e-9)
    assert rule.stop(rounds(20), 0.0) == "converged"
    [last] = rule.history
    assert last.half_width is not None


def test_a_budget_that_ends_early_keeps_what_is_known() -> None:
    """With too few rounds for rJSD, the half-width alone."""
    rule = StoppingRule(Limits(max_rounds=3), RIGHT, [0.02])
    assert rule.stop(late_rounds(3, share=0.2), 0.0) == "budget"
    assert rule.history[0].rjsd is None
    assert rule.history[0].half_width is not None


def test_steady_latencies_converge_after_the_least_number_of_rounds() -> None:
    """Not before it, however steady: a tail needs rounds to be spoken of."""
    rule = StoppingRule(Limits(min_rounds=20))  # without answers there is the published rule only
    assert rule.stop(rounds(19), 0.0) is None
    assert rule.stop(rounds(20), 0.0) == "converged"
    assert rule.rjsd <= 0.05
    assert rule.history[-1].half_width is None


def test_drifting_latencies_do_not_converge() -> None:
    """They go on until a limit ends them."""
    rule = StoppingRule(Limits(min_rounds=20, max_rounds=30))
    assert rule.stop(rounds(29, drift=0.2), 0.0) is None
    assert rule.stop(rounds(30, drift=0.2), 0.0) == "budget"


def test_a_cycle_that_would_exceed_the_budget_is_not_begun() -> None:
    """The budget is kept, by the length of the last cycle."""
    rule = StoppingRule(Limits(budget_s=100.0))
    assert rule.stop(rounds(3), 100.0 - ONE_S_CYCLE - 0.1) is None
    assert rule.stop(rounds(3), 100.0 - ONE_S_CYCLE + 0.1) == "budget"


def test_one_round_is_measured_whatever_the_budget() -> None:
    """A profile without any latency would be none."""
    assert StoppingRule(Limits(budget_s=1.0)).stop({1: []}, 1000.0) is None


def test_time_left_is_bounded_by_every_limit() -> None:
    """The nearest limit counts; without one nothing can be said."""
    assert StoppingRule(Limits()).left_s(rounds(3), 5.0) is None
    assert StoppingRule(Limits(budget_s=100.0)).left_s(rounds(3), 30.0) == 70.0
    both = StoppingRule(Limits(budget_s=1000.0, max_rounds=5))
    assert round(both.left_s(rounds(3), 30.0) or 0) == round(2 * ONE_S_CYCLE)

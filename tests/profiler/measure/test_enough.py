"""When measuring stops."""

import numpy as np

from profiler.measure.enough import Limits, StoppingRule
from profiler.record.observations import Observations, concatenate
from tests.profiler.columns import observations

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


def test_steady_latencies_converge_after_the_least_number_of_rounds() -> None:
    """Not before it, however steady: a tail needs rounds to be spoken of."""
    rule = StoppingRule(Limits(min_rounds=20))
    assert rule.stop(rounds(19), 0.0) is None
    assert rule.stop(rounds(20), 0.0) == "converged"
    assert rule.rjsd <= 0.05


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

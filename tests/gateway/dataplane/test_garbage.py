"""What requests leave to the garbage collector."""

import gc

import pytest

from tailq.plan import Cascade, Plan, Race, Rescue, Single
from tests.gateway.dataplane.bench import executing, says

PLANS: list[Plan] = [
    Single(variant="small"),
    Cascade(stages=("small", "large"), thresholds=(0.5,)),
    Race(fast="small", accurate="large", threshold=0.5),
    Rescue(primary="large", rescuer="small", after_s=0.05),
]


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.kind)
@pytest.mark.parametrize("large_s", [0.02, 0.07, 0.3, None])
def test_requests_leave_no_cyclic_garbage(plan: Plan, large_s: float | None) -> None:
    """Whether answered, rescued, late or abandoned: a collection would fall into a deadline."""
    b = executing(plan, {"small": says(0.01, 0.1), "large": says(large_s)})
    b.answer(within_s=20)
    b.upstream.calls.clear()
    gc.collect()
    gc.disable()
    try:
        for _ in range(20):
            b.answer(within_s=20)
        b.upstream.calls.clear()
        assert gc.collect() == 0
    finally:
        gc.enable()
    assert b.is_idle()

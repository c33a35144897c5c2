"""What becomes of a place, and of a call, when work upstream ends or is let go."""

import math
from dataclasses import replace

from gateway.admission.taken import Taken
from gateway.dataplane import Limits
from tailq.plan import Cascade
from tests.gateway.dataplane.bench import bench, near, says
from tests.tables import promise, table, tier

TABLE = table(tier("fast", 0.1, promise("small", 0.1)), max_outstanding=8)


def test_who_goes_next_depends_on_what_others_have_by_then() -> None:
    """A place that has become free here may have been taken by another gateway meanwhile."""
    others = 1
    b = bench(TABLE, says(0.02), says(0.03), places=3)
    b.plane.account.others = lambda: (others, 0.0)
    for _ in range(3):
        b.ask()
    assert (len(b.asked), b.plane.admission.waiting) == (2, 1)
    others = 2
    b.clock.run_until(0.02)
    assert (len(b.asked), b.plane.admission.waiting) == (2, 1)
    others = 1
    b.clock.run_until(0.03)
    assert (len(b.asked), b.plane.admission.waiting) == (3, 0)


def test_what_is_cancelled_at_the_deadline_is_not_abandoned_as_well() -> None:
    """It is told once, and nothing is armed for its end, however long that takes."""
    b = bench(TABLE, says(None), limits=Limits(at_deadline="cancel"))
    b.upstream.script[0] = replace(b.upstream.script[0], cancel_s=60.0)
    b.ask()
    b.clock.run_until(1.0)
    [call] = b.upstream.calls
    assert (call.cancelled, call.abandoned) == (True, False)
    assert b.clock.armed() == 1  # the upstream's own
    b.clock.run_until(100.0)
    assert b.is_idle()


def test_what_was_never_asked_is_no_sign_of_what_a_cascade_takes() -> None:
    """Shed while it waited, late with its body, left: it took nothing because it got nothing."""
    plan = Cascade(stages=("small", "large"), thresholds=(0.5,))
    costs = {"small": 0.01, "large": 0.1}
    b = bench(table(tier("fast", 0.1, promise(plan, 0.1))), says(None), places=1, service_s=costs)
    b.ask()
    for _ in range(5):
        b.ask()
    for _ in range(5):
        execution, _answers = b.open()
        execution.leave()
    b.clock.run_until(0.5)
    assert [a.outcome for a in b.records.answers].count("shed") == 5
    # What is learned is of the one that asked: the first stage alone.
    taken = b.plane.admission.taken.mean_s(plan, 0.05, 0.5)
    kept = math.exp(-0.4 / Taken.MEMORY_S)
    assert taken == near((0.01 * kept + Taken.DOUBT * 0.05) / (kept + Taken.DOUBT))


def test_a_variant_of_unknown_cost_counts_as_a_call_without_work() -> None:
    """It has a place, and nothing is known of how much it is."""
    b = bench(TABLE, says(0.01), service_s={"large": 0.1})
    b.ask()
    assert (b.plane.account.own, b.plane.account.own_s) == (1, 0.0)
    b.clock.run_until(1.0)
    assert (b.plane.account.ended_s, b.is_idle()) == (0.0, True)

"""What requests of a plan are expected to take: learned from those that ended, forgotten."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.admission.taken import Taken
from tailq.plan import Cascade, Plan, Race, Rescue, Single

SERVICE_S = {"small": 0.002, "large": 0.02}
BOTH_S = sum(SERVICE_S.values())
CASCADE = Cascade(stages=("small", "large"), thresholds=(0.9,))
RESCUE = Rescue(primary="large", rescuer="small", after_s=0.05)
FORESEEN_S = 0.004


def after(count: int, *asked: str, plan: Plan = CASCADE) -> Taken:
    """As many requests, a hundred a second from 0 s on, have asked these."""
    taken = Taken(SERVICE_S)
    for number in range(count):
        taken.note(plan, asked, number / 100)
    return taken


@pytest.mark.parametrize(
    ("plan", "asked", "took_s"),
    [
        (CASCADE, ("small", "large"), BOTH_S),
        (CASCADE, ("small",), 0.002),
        (RESCUE, ("large", "small"), BOTH_S),
    ],
)
def test_what_requests_take_is_soon_expected_of_the_next(
    plan: Plan, asked: tuple[str, ...], took_s: float
) -> None:
    """Though something else was foreseen: within a second, up to a tenth."""
    taken = after(100, *asked, plan=plan)
    assert taken.mean_s(plan, FORESEEN_S, 1.0) == pytest.approx(took_s, rel=0.1)


def test_one_request_is_no_proof() -> None:
    """What was foreseen counts as much as three requests."""
    taken = after(1, "small", "large")
    assert taken.mean_s(CASCADE, FORESEEN_S, 0.0) == pytest.approx((BOTH_S + 3 * FORESEEN_S) / 4)


def test_silence_is_forgiven() -> None:
    """Twenty seconds later it is what was foreseen, nearly."""
    taken = after(100, "small", "large")
    assert taken.mean_s(CASCADE, FORESEEN_S, 21.0) == pytest.approx(FORESEEN_S, rel=0.02)


def test_plans_are_told_apart() -> None:
    """The same variants with another threshold are another plan."""
    taken = after(100, "small", "large")
    other = CASCADE.model_copy(update={"thresholds": (0.5,)})
    assert taken.mean_s(other, FORESEEN_S, 1.0) == FORESEEN_S


@pytest.mark.parametrize(
    "plan", [Single(variant="large"), Race(fast="small", accurate="large", threshold=0.9)]
)
def test_what_a_plan_begins_with_needs_no_learning(plan: Plan) -> None:
    """A single one and a race ask all they ever ask at once."""
    taken = after(100, *plan.variants, plan=plan)
    assert taken.mean_s(plan, FORESEEN_S, 1.0) == FORESEEN_S


def test_plans_of_old_tables_are_not_kept() -> None:
    """When another plan comes those that have been silent for long are dropped."""
    taken = Taken(SERVICE_S)
    for number in range(100):
        plan = CASCADE.model_copy(update={"thresholds": (number / 100,)})
        taken.note(plan, ("small",), 15.0 * number)
    assert len(taken._plans) <= 2


@given(
    st.lists(
        st.tuples(st.sampled_from([("small",), ("small", "large"), ("unknown",)]), st.floats(0, 5))
    ),
    st.floats(0, 0.1),
    st.floats(0, 100),
)
def test_it_lies_between_what_was_foreseen_and_what_was_taken(
    ended: list[tuple[tuple[str, ...], float]], foreseen_s: float, silent_s: float
) -> None:
    """Whatever ended when."""
    taken, now = Taken(SERVICE_S), 0.0
    seen = [foreseen_s]
    for asked, passed_s in ended:
        now += passed_s
        taken.note(CASCADE, asked, now)
        seen.append(sum(SERVICE_S.get(variant, 0.0) for variant in asked))
    mean_s = taken.mean_s(CASCADE, foreseen_s, now + silent_s)
    assert min(seen) - 1e-12 <= mean_s <= max(seen) + 1e-12

"""Plans are validated, told apart by their kind, and read well."""

import pytest
from pydantic import TypeAdapter, ValidationError

from tailq.plan import Cascade, Plan, Race, Rescue, Single

PLANS: list[tuple[Plan, tuple[str, ...], str]] = [
    (Single(variant="large"), ("large",), "large"),
    (
        Cascade(stages=("tiny", "small", "large"), thresholds=(0.9, 0.99995)),
        ("tiny", "small", "large"),
        "tiny →0.9→ small →0.99995→ large",
    ),
    (Race(fast="tiny", accurate="large", threshold=0.5), ("tiny", "large"), "tiny ∥0.5∥ large"),
    (
        Race(fast="tiny", accurate="large", threshold=0.5, terminate=False),
        ("tiny", "large"),
        "tiny ∥0.5∥ large, run to the end",
    ),
    (
        Rescue(primary="large", rescuer="tiny", after_s=0.0875),
        ("large", "tiny"),
        "large, rescued by tiny after 87.5 ms",
    ),
]


@pytest.mark.parametrize(("plan", "variants", "words"), PLANS)
def test_a_plan_names_its_variants_and_reads_well(
    plan: Plan, variants: tuple[str, ...], words: str
) -> None:
    """The variant that is asked first comes first."""
    assert plan.variants == variants
    assert str(plan) == words


@pytest.mark.parametrize("plan", [plan for plan, _, _ in PLANS], ids=str)
def test_a_plan_survives_being_written_and_read(plan: Plan) -> None:
    """Its kind says which it is."""
    adapter: TypeAdapter[Plan] = TypeAdapter(Plan)
    assert adapter.validate_json(adapter.dump_json(plan)) == plan


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({"kind": "double", "variant": "a"}, "kind"),
        ({"kind": "single", "variant": ""}, "variant"),
        ({"kind": "cascade", "stages": ["a"], "thresholds": []}, "stages"),
        ({"kind": "cascade", "stages": ["a", "b"], "thresholds": [0.5, 0.5]}, "one threshold"),
        ({"kind": "cascade", "stages": ["a", "a"], "thresholds": [0.5]}, "asks a variant once"),
        ({"kind": "cascade", "stages": ["a", "b"], "thresholds": [1.5]}, "thresholds"),
        ({"kind": "race", "fast": "a", "accurate": "a", "threshold": 0.5}, "two variants"),
        ({"kind": "rescue", "primary": "a", "rescuer": "a", "after_s": 1}, "two variants"),
        ({"kind": "rescue", "primary": "a", "rescuer": "b", "after_s": -1}, "after_s"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(content: object, why: str) -> None:
    """The error names the field or the rule."""
    adapter: TypeAdapter[Plan] = TypeAdapter(Plan)
    with pytest.raises(ValidationError, match=why):
        adapter.validate_python(content)

"""The tier spec is validated by field."""

from pathlib import Path

import pytest

from profiler.tiers import spec
from tailq.errors import ArtefactError

GOOD = """
confidence: 0.9
default: gold
tiers:
  gold: {tolerance: 0.01, deadlines_ms: [100, 50]}
  cheap: {tolerance: 0.05, objective: cost, plans: [single], deadlines_ms: [50]}
  sure: {floor: 0.9, percentile: 95, plans: [single, rescue], deadlines_ms: [50]}
"""


def test_a_spec_is_read_with_its_deadlines_in_order(tmp_path: Path) -> None:
    """Deadlines may come in any order; the objective is response time unless said."""
    path = tmp_path / "tiers.yaml"
    path.write_text(GOOD)
    read = spec.read(path)
    assert read.tiers["gold"].deadlines_ms == (50, 100)
    assert (read.tiers["gold"].objective, read.tiers["cheap"].objective) == (
        "response-time",
        "cost",
    )


def test_a_tier_may_have_plans_of_its_own(tmp_path: Path) -> None:
    """Without them it has those of the whole spec; each kind some tier may use is known."""
    path = tmp_path / "tiers.yaml"
    path.write_text(GOOD)
    read = spec.read(path)
    assert read.allowed(read.tiers["gold"]) == ("single", "cascade", "race", "rescue")
    assert read.allowed(read.tiers["sure"]) == ("single", "rescue")
    assert read.kinds == {"single", "cascade", "race", "rescue"}
    path.write_text("plans: [single]\n" + GOOD)
    assert spec.read(path).kinds == {"single", "rescue"}
    assert read.deadlines_s == (0.05, 0.1)


def test_who_goes_first_is_told_by_the_place_in_the_file_unless_said(tmp_path: Path) -> None:
    """A tier's priority is its own or its place; what it does otherwise is best effort or said."""
    path = tmp_path / "tiers.yaml"
    path.write_text(
        GOOD.replace("objective: cost", "objective: cost, priority: 9, otherwise: shed")
    )
    read = spec.read(path)
    assert [read.priority(name) for name in read.tiers] == [1, 9, 3]
    assert [tier.otherwise for tier in read.tiers.values()] == [
        "best_effort",
        "shed",
        "best_effort",
    ]


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("0.9", "1.5", "confidence"),
        ("tolerance: 0.01", "tolerance: -1", r"tiers\.gold\.tolerance"),
        ("tolerance: 0.01", "tolerance: .nan", r"tiers\.gold\.tolerance"),
        ("[100, 50]", "[100, 100]", r"tiers\.gold\.deadlines_ms: .*twice"),
        ("[100, 50]", "[]", r"tiers\.gold\.deadlines_ms"),
        ("cost", "speed", r"tiers\.cheap\.objective"),
        ("default: gold", "default: lead", "default: 'lead' is not among the tiers"),
        ("confidence", "confidenz", "confidenz"),
        ("floor: 0.9, ", "", r"tiers\.sure: .*give exactly one of tolerance, absolute_tol"),
        ("floor: 0.9, ", "floor: 0.9, tolerance: 0.1, ", r"tiers\.sure: .*give exactly one"),
        ("objective: cost", "objective: cost, percentile: 95", r"tiers\.cheap: .*cost has none"),
        ("percentile: 95", "percentile: 100", r"tiers\.sure\.percentile"),
        ("[single, rescue]", "[double]", r"tiers\.sure\.plans"),
        ("objective: cost", "priority: 0", r"tiers\.cheap\.priority"),
        ("objective: cost", "otherwise: queue", r"tiers\.cheap\.otherwise"),
        ("confidence: 0.9", "prices: {a: -1}", r"prices\.a"),
        ("confidence: 0.9", "method: hope", "method"),
        ("tiers:", "tiers: [", "not valid YAML"),
    ],
)
def test_a_wrong_spec_is_refused_by_field(tmp_path: Path, old: str, new: str, place: str) -> None:
    """The error names the file and the field."""
    path = tmp_path / "tiers.yaml"
    assert old in GOOD
    path.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(ArtefactError, match=rf"tiers\.yaml: .*{place}"):
        spec.read(path)


@pytest.mark.parametrize("content", ["", "- 1", "gold"])
def test_a_spec_that_holds_no_tiers_says_so(tmp_path: Path, content: str) -> None:
    """An empty file, or anything but fields by name."""
    path = tmp_path / "tiers.yaml"
    path.write_text(content)
    with pytest.raises(ArtefactError, match=r"tiers\.yaml: holds no tiers"):
        spec.read(path)


def test_a_missing_spec_is_named(tmp_path: Path) -> None:
    """A file that is not there is named."""
    with pytest.raises(ArtefactError, match=r"nowhere\.yaml: cannot be read"):
        spec.read(tmp_path / "nowhere.yaml")

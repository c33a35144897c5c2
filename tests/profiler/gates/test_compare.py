"""What a comparison of two profiles shows, and how often it shows what is not there."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from profiler.gates.changes import Change, Compared, Figure
from profiler.gates.compare import Measured, compare
from profiler.record.evidence import Evidence, Timed
from tailq.errors import ArtefactError
from tailq.profile import Profile
from tests.profiler.tiers.services import Variant, population, profile_of, summary

DEADLINES = (0.01, 0.03)
EVERYTHING = population(
    [Variant("small", 0.90, 0.004), Variant("large", 0.95, 0.02)], np.random.default_rng(1)
)


def measured(evidence: Evidence, **changes: object) -> Measured:
    profile = summary(evidence).model_dump() | {"id": "later"} | changes
    return Measured(Profile.model_validate(profile), evidence)


def slower(evidence: Evidence, times: list[float]) -> Evidence:
    """Each variant so many times slower."""
    by_load = {
        load: Timed(t.round, t.sample, t.sent_s, t.latency_s * np.array(times))
        for load, t in evidence.by_load.items()
    }
    return replace(evidence, by_load=by_load)


def other_samples(evidence: Evidence) -> dict[str, object]:
    return summary(evidence).dataset.model_dump() | {"sha256": "other"}


def find(found: Compared, variant: str, figure: Figure, deadline_s: float | None = None) -> Change:
    (change,) = (
        c
        for c in found.changes
        if (c.variant, c.figure, c.deadline_s) == (variant, figure, deadline_s)
    )
    return change


@pytest.fixture
def evidence() -> Evidence:
    return profile_of(EVERYTHING, np.random.default_rng(2))


def test_a_profile_has_not_changed_against_itself(evidence: Evidence) -> None:
    """Every difference is 0 and none is shown; every figure of both variants is there."""
    found = compare(measured(evidence), measured(evidence), DEADLINES)
    assert len(found.changes) == 2 * (1 + 2 * len(DEADLINES) + 2)
    assert {change.direction for change in found.changes} == {"not shown"}
    assert max(abs(change.change) for change in found.changes) < 1e-12
    assert found.paired
    assert found.notes == ("both are the same profile",)


def test_figures_are_those_that_were_measured(evidence: Evidence) -> None:
    """By their definitions, on both sides, at the load that loses most."""
    later = slower(profile_of(EVERYTHING, np.random.default_rng(3)), [1.0, 1.5])
    found = compare(measured(evidence), measured(later), DEADLINES)
    change = find(found, "large", "quality", 0.03)
    assert change.load == 4
    for side, of in ((evidence, change.old), (later, change.new)):
        timed, score = side.by_load[4], side.score[:, 1]
        late = timed.latency_s[:, 1] > 0.03
        assert of == pytest.approx(score.mean() - (score[timed.sample] * late).mean())
    p99 = find(found, "large", "p99")
    assert p99.new == np.quantile(later.by_load[4].latency_s[:, 1], 0.99, method="inverted_cdf")
    assert find(found, "small", "quality").new == pytest.approx(later.quality[0])


def test_a_slower_variant_got_worse_and_the_other_one_did_not(evidence: Evidence) -> None:
    """In latency, and in quality where the deadline is missed for it."""
    later = slower(profile_of(EVERYTHING, np.random.default_rng(3)), [1.0, 1.5])
    found = compare(measured(evidence), measured(later), DEADLINES)
    worse = {(change.variant, change.figure, change.deadline_s) for change in found.went("worse")}
    assert worse >= {("large", "p50", None), ("large", "p99", None), ("large", "quality", 0.03)}
    assert {variant for variant, _, _ in worse} == {"large"}
    assert not found.went("better")
    back = compare(measured(later), measured(evidence), DEADLINES)
    assert len(back.went("better")) == len(worse)


def test_pairing_shows_what_other_samples_would_hide(evidence: Evidence) -> None:
    """1 % fewer right answers to the same samples; the same loss on others proves nothing."""
    score = evidence.score.copy()
    lost = np.flatnonzero(score[:, 1] == 1)[:40]
    score[lost, 1] = 0
    later = replace(evidence, score=score)
    paired = find(compare(measured(evidence), measured(later), ()), "large", "quality")
    assert paired.change == pytest.approx(-0.01)
    assert paired.direction == "worse"
    unpaired = compare(measured(evidence), measured(later, dataset=other_samples(evidence)), ())
    assert not unpaired.paired
    assert any("other samples" in note for note in unpaired.notes)
    assert find(unpaired, "large", "quality").direction == "not shown"


@pytest.mark.parametrize("paired", [True, False])
def test_changes_that_are_not_there_are_seldom_shown(paired: bool) -> None:
    """Two profiles of one system differ in some figure with at most 5 % probability."""
    repeats, rng = 120, np.random.default_rng(7)
    alarms = 0
    for _ in range(repeats):
        old, new = (profile_of(EVERYTHING, rng, samples=1200, rounds=60) for _ in range(2))
        if paired:  # the same samples; timed anew
            new = replace(old, by_load=new.by_load)
        dataset = {} if paired else {"dataset": other_samples(new)}
        found = compare(measured(old), measured(new, **dataset), DEADLINES)
        alarms += any(change.direction != "not shown" for change in found.changes)
    assert stats.binomtest(alarms, repeats, 0.05, alternative="greater").pvalue > 0.01, alarms


def test_what_is_new_gone_or_not_what_it_was_is_named(evidence: Evidence) -> None:
    """By the variants' names and fingerprints, and by the server."""
    variants = summary(evidence).model_dump()["variants"]
    renamed = [variants[0] | {"fingerprint": "changed"}, variants[1] | {"name": "huge"}]
    later = replace(evidence, variants=("small", "huge"))
    server = {"name": "triton", "version": "9"}
    found = compare(measured(evidence), measured(later, variants=renamed, server=server), DEADLINES)
    assert (found.added, found.gone, found.other_fingerprint) == (("huge",), ("large",), ("small",))
    assert {change.variant for change in found.changes} == {"small"}
    assert "the server was triton 0, now is triton 9" in found.notes


def test_without_a_common_load_only_answers_are_compared(evidence: Evidence) -> None:
    """Nothing is said of latency, and that is said."""
    later = replace(evidence, by_load={2: evidence.by_load[4]})
    found = compare(measured(evidence), measured(later, loads=(2,)), DEADLINES)
    assert [change.figure for change in found.changes] == ["quality", "quality"]
    assert any("no load was measured in both" in note for note in found.notes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"service": "cats"}, "the service was toys, now is cats"),
        ({"variants": []}, "no variant in common"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    evidence: Evidence, changes: dict[str, object], message: str
) -> None:
    """Another service, or no variant in both."""
    if "variants" in changes:
        other = summary(evidence).model_dump()["variants"][0] | {"name": "huge"}
        changes = {"variants": [other]}
    with pytest.raises(ArtefactError, match=message):
        compare(measured(evidence), measured(evidence, **changes), DEADLINES)

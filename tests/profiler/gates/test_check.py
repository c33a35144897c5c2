"""Promises held against another profile: verdicts that are right as often as stated."""

from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from rich.console import Console
from scipy import stats

from profiler.gates.check import check
from profiler.gates.show import show_checked
from profiler.gates.verdicts import Checked, Claim
from profiler.record.evidence import Evidence, Timed
from profiler.replay import replay, without_deadline
from tailq.errors import ArtefactError
from tailq.plan import Cascade, Plan, Single
from tailq.profile import Profile
from tailq.tier import GATEWAY_HOP_S, Option, Reference, Stop, TierTable
from tests import tables
from tests.profiler.tiers.services import (
    LOADS,
    Variant,
    population,
    profile_of,
    summary,
    true_quality,
)

FAMILY = [Variant("small", 0.90, 0.004), Variant("large", 0.95, 0.02)]
CASCADE = Cascade(stages=("small", "large"), thresholds=(0.8,))
EVERYTHING = population(FAMILY, np.random.default_rng(1))


def table(plan: Plan, deadline_s: float, quality: float, tolerance: float = 0.5) -> TierTable:
    """One tier with one promise, of the service `toys`."""
    promise = tables.promise(plan, deadline_s, quality)
    made = tables.table(tables.tier("gold", tolerance, promise), service="toys", max_outstanding=4)
    reference = Reference(variant="large", quality=float(EVERYTHING.quality[1]))
    return made.model_copy(update={"reference": reference})


def profile(evidence: Evidence, **changes: object) -> Profile:
    """The summary of a later profile."""
    return summary(evidence).model_copy(update={"id": "later", **changes})


def checked(made: TierTable, evidence: Evidence) -> Checked:
    return check(made, profile(evidence), evidence)


def claim(made: TierTable, evidence: Evidence, statement: str) -> Claim:
    (found,) = (c for c in checked(made, evidence).claims if c.statement == statement)
    return found


def test_every_plan_of_a_promise_is_held_to_it() -> None:
    """A promise is broken if one of the plans that may be used for it misses it."""
    made = table(Single(variant="large"), 0.2, 0.92)
    [tier] = made.tiers
    plans = (Single(variant="large"), Single(variant="small"))
    options = tuple(
        Option(plan=plan, stops=(Stop(share=1, quality=(0.9,)),), work_s=0.01) for plan in plans
    )
    promise = tier.promises[0].model_copy(update={"options": options})
    both = made.model_copy(update={"tiers": (tier.model_copy(update={"promises": (promise,)}),)})
    evidence = profile_of(EVERYTHING, np.random.default_rng(2))
    assert checked(made, evidence).verdict == "kept"
    found = checked(both, evidence)
    assert found.verdict == "broken"
    verdicts = [(c.plan, c.verdict) for c in found.claims if c.statement == "quality"]
    assert verdicts == [(plans[0], "kept"), (plans[1], "broken")]


def test_nothing_is_cut_off_on_a_terminal_of_80_columns() -> None:
    """Tier, promise, figures, verdict and the whole plan, on as many lines as it takes."""
    cascade = Cascade(stages=("small", "large"), thresholds=(0.99995,))
    evidence = profile_of(EVERYTHING, np.random.default_rng(2))
    printed = StringIO()
    console = Console(file=printed, width=80)
    show_checked(checked(table(cascade, 0.2, 0.95), evidence), console)
    said = printed.getvalue()
    assert "…" not in said
    assert max(map(len, said.splitlines())) <= 80
    words = said.split()
    for part in ("gold", "200", "95.0", "small", "→0.99995→", "large", "plausible"):
        assert part in words


@pytest.mark.parametrize("plan", [Single(variant="large"), CASCADE])
def test_the_margin_is_what_was_measured_beyond_the_promise(plan: Plan) -> None:
    """Quality without a deadline, less what lateness cost at the worst load, less the promise."""
    evidence = profile_of(EVERYTHING, np.random.default_rng(2))
    ever, deadline = without_deadline(plan, evidence), 0.03
    at_loads = [
        ever.mean()
        + (
            replay(plan, evidence, load, deadline - GATEWAY_HOP_S).score
            - ever[evidence.by_load[load].sample]
        ).mean()
        for load in LOADS
    ]
    found = claim(table(plan, deadline, 0.7), evidence, "quality")
    assert found.margin == pytest.approx(min(at_loads) - 0.7)
    assert found.load == LOADS[int(np.argmin(at_loads))]
    assert found.low < found.margin < found.high


@pytest.mark.parametrize(
    ("limit", "least"),
    [
        ({"kind": "relative", "value": 0.03}, lambda best: 0.97 * best),
        ({"kind": "absolute", "value": 0.03}, lambda best: best - 0.03),
        ({"kind": "floor", "value": 0.9}, lambda _: 0.9),
    ],
)
def test_the_limit_is_held_against_the_reference(limit: dict[str, object], least: object) -> None:
    """Each kind of limit, at a deadline nothing misses."""
    evidence = profile_of(EVERYTHING, np.random.default_rng(2))
    made = table(Single(variant="small"), 10.0, 0.5).model_dump()
    made["tiers"][0]["limit"] = limit
    found = claim(TierTable.model_validate(made), evidence, "limit")
    small, large = evidence.quality
    assert callable(least)
    assert found.margin == pytest.approx(small - least(large))


def test_verdicts_are_wrong_no_more_often_than_stated() -> None:
    """A promise of exactly the truth is neither called kept nor broken more often than 5 %."""
    repeats, deadline = 150, 0.03
    plan = CASCADE
    made = table(plan, deadline, true_quality(plan, EVERYTHING, deadline))
    rng = np.random.default_rng(5)
    found = [
        claim(made, profile_of(EVERYTHING, rng, samples=1500), "quality").verdict
        for _ in range(repeats)
    ]
    for wrong in ("kept", "broken"):
        count = found.count(wrong)
        assert stats.binomtest(count, repeats, 0.05, alternative="greater").pvalue > 0.01, count


def slower(evidence: Evidence, times: float) -> Evidence:
    by_load = {
        load: Timed(t.round, t.sample, t.sent_s, t.latency_s * times)
        for load, t in evidence.by_load.items()
    }
    return replace(evidence, by_load=by_load)


def test_a_slower_system_breaks_a_promise_and_is_told_by_how_much() -> None:
    """Kept as it was, broken when every answer takes twice as long."""
    evidence = profile_of(EVERYTHING, np.random.default_rng(3))
    made = table(Single(variant="large"), 0.04, 0.9, tolerance=0.05)
    assert checked(made, evidence).verdict == "kept"
    late = checked(made, slower(evidence, 2))
    assert late.verdict == "broken"
    assert late.claims[0].high == pytest.approx(late.claims[0].margin, abs=0.1)
    assert late.claims[0].high < -0.1
    # The smaller the miss, the less is said of it.
    assert checked(made, slower(evidence, 1.12)).verdict == "plausible"


def test_only_loads_the_promise_covers_are_looked_at() -> None:
    """Beyond them the gateway promises nothing; what is not covered is said."""
    evidence = profile_of(EVERYTHING, np.random.default_rng(3))
    made = table(Single(variant="large"), 0.04, 0.9)
    narrow = made.conditions.model_copy(update={"max_outstanding": 2})
    wide = made.conditions.model_copy(update={"max_outstanding": 8})
    assert checked(made.model_copy(update={"conditions": narrow}), evidence).loads == (1,)
    found = checked(made.model_copy(update={"conditions": wide}), evidence)
    assert (found.loads, found.notes) == (
        (1, 4),
        ("promised for up to 8 in flight, measured up to 4",),
    )


def test_evidence_that_is_not_independent_is_called_so() -> None:
    """The same profile, the same samples, a partial profile, other models: each is said."""
    evidence = profile_of(EVERYTHING, np.random.default_rng(3))
    made = table(Single(variant="large"), 0.04, 0.9)
    fingerprints = made.conditions.model_copy(update={"fingerprint": {"large": "other"}})
    same = summary(evidence).dataset.model_copy(update={"sha256": made.conditions.dataset})

    def notes(made: TierTable = made, **changes: object) -> str:
        return " ".join(check(made, profile(evidence, **changes), evidence).notes)

    assert notes() == ""
    assert "no independent evidence" in notes(id=made.conditions.profile)
    assert "compiled from these samples" in notes(dataset=same)
    assert "partial" in notes(stopped_by="interrupted")
    assert "other fingerprints than when compiled: large" in notes(
        made.model_copy(update={"conditions": fingerprints})
    )


@pytest.mark.parametrize(
    ("changes", "plan", "message"),
    [
        ({"service": "cats"}, Single(variant="large"), "is of service cats, the tiers are of toys"),
        ({}, Single(variant="huge"), "lacks huge"),
        (
            {"metric": {"task": "classification", "name": "f1", "additive": False}},
            Single(variant="large"),
            "tells f1, the tiers promise top-1",
        ),
    ],
)
def test_what_cannot_be_checked_is_refused(
    changes: dict[str, object], plan: Plan, message: str
) -> None:
    """Another service, another metric, a variant that was not measured."""
    evidence = profile_of(EVERYTHING, np.random.default_rng(3))
    later = Profile.model_validate({**profile(evidence).model_dump(), **changes})
    with pytest.raises(ArtefactError, match=message):
        check(table(plan, 0.04, 0.9), later, evidence)

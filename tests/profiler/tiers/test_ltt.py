"""Learn then Test: how the risk is shared, and what is proven."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.record.evidence import Evidence
from profiler.tiers.candidates import RESCUE_SHARES, THRESHOLDS, rescues
from profiler.tiers.lateness import BOUNDED
from profiler.tiers.ltt import LearnThenTest, deltas
from profiler.tiers.spec import Kind
from tailq.errors import ArtefactError
from tailq.guarantee import binomial_lower, clustered_share, mean_lower
from tailq.plan import Cascade, Plan, Race, Rescue, Single
from tailq.tier import Limit
from tests.profiler.tiers.services import (
    LOADS,
    Variant,
    compiled,
    population,
    profile_of,
    summary,
)

KINDS: tuple[Kind, ...] = ("single", "cascade", "race", "rescue")
DEADLINE_S = 0.03
PLANS: list[Plan] = [
    Single(variant="large"),
    Single(variant="small"),
    Cascade(stages=("small", "large"), thresholds=(THRESHOLDS[10],)),
    Race(fast="small", accurate="large", threshold=THRESHOLDS[20]),
    *rescues("large", "small", DEADLINE_S)[:2],
]


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    rng = np.random.default_rng(1)
    variants = [Variant("large", 0.95, 0.012), Variant("small", 0.93, 0.003)]
    return profile_of(population(variants, rng), rng)


@pytest.fixture(scope="module")
def method(evidence: Evidence) -> LearnThenTest:
    return LearnThenTest(evidence, deadlines=1, kinds=KINDS, delta=0.05)


def test_all_the_risk_goes_to_singles_where_nothing_else_is_asked_for() -> None:
    """Seven variants at three deadlines need 7 x (2 + 3) bounds, one delta each."""
    shared = deltas(7, 3, ["single"], 0.05)
    assert shared.single * 35 == pytest.approx(0.05)


@given(
    st.integers(2, 9), st.integers(1, 6), st.sets(st.sampled_from(["cascade", "race", "rescue"]))
)
def test_the_shares_add_up_to_the_risk(variants: int, deadlines: int, kinds: set[Kind]) -> None:
    """Every bound that some plan can need is paid for."""
    shared = deltas(variants, deadlines, kinds, 0.05)
    late = len(BOUNDED) * len(kinds & {"cascade", "race"})
    late += len(RESCUE_SHARES) * ("rescue" in kinds)
    gaps = len(THRESHOLDS) * bool(kinds & {"cascade", "race"})
    pairs = variants * (variants - 1) * (gaps + deadlines * late)
    spent = variants * (2 + deadlines) * shared.single + pairs * shared.pair
    assert spent == pytest.approx(0.05)
    if kinds:
        assert shared.single * variants * (2 + deadlines) == pytest.approx(0.025)


@pytest.mark.parametrize("plan", PLANS, ids=str)
@pytest.mark.parametrize("kind", ["relative", "absolute", "floor"])
def test_a_plan_is_kept_exactly_where_its_slack_is_not_negative(
    method: LearnThenTest, plan: Plan, kind: str
) -> None:
    """The quick test agrees with the proof on either side of what is proven."""
    # A limit without any tolerance says how much of one the plan needs.
    slack = method.proof(plan, Limit(kind="absolute", value=0), DEADLINE_S).slack
    quality = method.proof(plan, Limit(kind="floor", value=0.5), DEADLINE_S).quality
    border = {"absolute": -slack, "floor": quality, "relative": -slack / 0.94}[kind]
    values = np.clip(border + np.array([-0.01, -0.002, 0.002, 0.01]), 0, 1)
    limits = [Limit.model_validate({"kind": kind, "value": value}) for value in values]
    kept = [method.keeps(plan, limit, DEADLINE_S) for limit in limits]
    assert kept == [method.proof(plan, limit, DEADLINE_S).slack >= 0 for limit in limits]
    assert len(set(kept)) == 2


def test_the_terms_of_a_single_variant_are_the_documented_ones(
    evidence: Evidence, method: LearnThenTest
) -> None:
    """Gap by betting against the best, quality exact, lateness at the worst load by rounds."""
    delta = deltas(2, 1, KINDS, 0.05).single
    proof = method.proof(Single(variant="small"), Limit(value=0.05), DEADLINE_S)
    large, small = evidence.score.T
    gap = mean_lower(small - large, delta, low=-1.0)
    best = max(binomial_lower(s.sum(), s.size, delta) for s in (large, small))
    late = max(
        clustered_share(
            (timed.latency_s[:, 1] > DEADLINE_S) & (small[timed.sample] > 0), timed.round
        ).upper(delta)
        for timed in (evidence.by_load[load] for load in LOADS)
    )
    assert proof.lost_at_most == pytest.approx(late)
    assert proof.slack == pytest.approx(gap + 0.05 * best - late)


def test_the_best_variant_has_no_gap_to_itself(method: LearnThenTest) -> None:
    """Its slack is the tolerance less what may be late, but never more."""
    proof = method.proof(Single(variant="large"), Limit(kind="absolute", value=0.02), DEADLINE_S)
    assert proof.slack == pytest.approx(0.02 - proof.lost_at_most)


def test_graded_scores_are_proven_too(evidence: Evidence) -> None:
    """An answer may be half right: the bounds are of means in [0, 1]."""
    graded = Evidence(
        evidence.variants,
        0.5 + evidence.score / 2,
        evidence.confidence,
        evidence.service_s,
        evidence.by_load,
    )
    method = LearnThenTest(graded, deadlines=1, kinds=["single"], delta=0.05)
    proof = method.proof(Single(variant="large"), Limit(value=0.05), DEADLINE_S)
    assert 0.92 < proof.quality < 0.975
    assert proof.slack > 0


def test_a_metric_that_is_no_mean_is_refused(evidence: Evidence) -> None:
    """The method that can do it is named."""
    from profiler.tiers.compile import compile_tiers
    from profiler.tiers.spec import TiersSpec
    from tests.profiler.tiers.services import NOW

    spec = TiersSpec.model_validate({"tiers": {"gold": {"tolerance": 0.1, "deadlines_ms": [50]}}})
    with pytest.raises(ArtefactError, match="f1 is none; write method: bootstrap"):
        compile_tiers(spec, summary(evidence, additive=False), evidence, NOW)


def test_rescues_leave_the_rescuer_fixed_shares_of_the_deadline() -> None:
    """Known before anything is measured."""
    made = rescues("large", "small", 0.08)
    assert [rescue.after_s for rescue in made] == [0.04, 0.06, 0.07, 0.075]
    assert all(isinstance(rescue, Rescue) for rescue in made)


@pytest.mark.parametrize("limit", ["tolerance", "absolute_tolerance"])
@pytest.mark.parametrize("deadline_ms", [1, 2])
def test_an_impossible_deadline_is_not_offered(
    evidence: Evidence, limit: str, deadline_ms: int
) -> None:
    """What the gateway alone needs is late for everyone, even where nothing need be right."""
    spec = {
        "plans": list(KINDS),
        "tiers": {"gold": {limit: 0.99, "deadlines_ms": [deadline_ms]}},
    }
    [missing] = compiled(evidence, spec).table.not_offered
    assert missing.why == "the gateway alone takes 2 ms; a later deadline would help"

"""What a promise may be kept with: proven alternatives, and what it takes to foresee them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.record.evidence import Evidence
from profiler.record.judging import Judge
from profiler.replay import without_deadline
from profiler.tasks.f1 import WeightedF1
from profiler.tiers.candidates import Candidate
from profiler.tiers.ltt import LearnThenTest
from profiler.tiers.options import MOST, alternatives, stops_of
from profiler.tiers.spec import TiersSpec
from tailq.plan import Cascade, Plan, Race, Rescue, Single
from tailq.tier import GATEWAY_HOP_S, Promise
from tests.profiler.tiers.services import (
    CONFIDENCE,
    LOADS,
    Variant,
    compiled,
    population,
    profile_of,
)

FAMILY = [
    Variant("large", 0.95, 0.03),
    Variant("medium", 0.94, 0.01),
    Variant("small", 0.90, 0.003),
]
SPEC = {
    "tiers": {
        "gold": {"tolerance": 0.015, "deadlines_ms": [60, 100]},
        "silver": {"tolerance": 0.05, "objective": "cost", "deadlines_ms": [40]},
    }
}
PAIR = ("small", "large")
PLANS: list[Plan] = [
    Single(variant="medium"),
    Cascade(stages=PAIR, thresholds=(0.7,)),
    Cascade(stages=("small", "medium", "large"), thresholds=(0.7, 0.8)),
    Race(fast="small", accurate="large", threshold=0.7),
    Rescue(primary="large", rescuer="small", after_s=0.02),
]


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return profile_of(population(FAMILY, np.random.default_rng(1)), np.random.default_rng(2))


@pytest.fixture(scope="module")
def promises(evidence: Evidence) -> list[Promise]:
    return [p for tier in compiled(evidence, SPEC).table.tiers for p in tier.promises]


def test_every_option_keeps_the_limit_and_the_promised_quality(
    evidence: Evidence, promises: list[Promise]
) -> None:
    """Whichever is used, the promise is true: each one's own proof says so."""
    spec = TiersSpec.model_validate(SPEC)
    method = LearnThenTest(evidence, len(spec.deadlines_s), spec.kinds, 1 - spec.confidence)
    limits = [tier.limit for tier in spec.tiers.values() for _ in tier.deadlines_ms]
    assert max(len(promise.options) for promise in promises) > 1
    for promise, limit in zip(promises, limits, strict=True):
        assert promise.options[0].plan == promise.plan
        assert len(promise.options) <= 1 + MOST
        for option in promise.options:
            proof = method.proof(option.plan, limit, promise.deadline_s - GATEWAY_HOP_S)
            assert proof.slack >= 0
            assert proof.quality >= promise.quality - 1e-6


def test_bootstrap_promises_one_plan_only(evidence: Evidence) -> None:
    """What it says of one plan does not hold together with what it says of another."""
    table = compiled(evidence, {"method": "bootstrap", **SPEC}).table
    assert [len(p.options) for tier in table.tiers for p in tier.promises] == [1, 1, 1]


def candidate(plan: Plan, wait_s: float, work_s: float, p99_s: float) -> Candidate:
    return Candidate(plan, 0.9, wait_s=wait_s, p99_s=p99_s, cost=work_s, work_s=work_s)


FIGURES = st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 5))


@given(st.lists(FIGURES, min_size=1, max_size=12), st.sets(st.integers(0, 11)))
def test_alternatives_are_those_that_no_other_one_beats(
    figures: list[tuple[int, int, int]], failing: set[int]
) -> None:
    """All keep the promise, in order of the objective; the least work and the least p99 are in."""
    every = [
        candidate(Single(variant=f"v{number}"), *map(float, of))
        for number, of in enumerate(sorted(figures))
    ]
    promised, others = every[0], every[1:]
    bad = {f"v{number}" for number in failing}
    keeping = [c for c in others if c.plan.variants[0] not in bad]
    found = alternatives(promised, others, lambda plan: plan.variants[0] not in bad)
    assert len(found) <= MOST
    assert [c for c in keeping if c in found] == found
    for figure in ("work_s", "p99_s"):
        least = min(getattr(c, figure) for c in [promised, *keeping])
        assert min(getattr(c, figure) for c in [promised, *found]) == least


def test_a_plan_that_is_beaten_in_everything_is_no_alternative() -> None:
    """Slower, dearer and with a longer tail than another one: it is of no use at any load."""
    promised = candidate(Single(variant="a"), 1.0, 2.0, 3.0)
    cheaper = candidate(Single(variant="b"), 2.0, 1.0, 3.0)
    beaten = candidate(Single(variant="c"), 3.0, 1.0, 3.0)
    assert alternatives(promised, [cheaper, beaten], lambda _: True) == [cheaper]


def test_no_tier_hangs_on_one_variant_where_another_plan_would_do() -> None:
    """If all that are best ask a variant, the best one without it is among them."""
    cascade, race = PLANS[1], PLANS[3]
    promised = candidate(race, 1.0, 2.0, 3.0)
    similar = candidate(cascade, 2.0, 1.0, 4.0)
    without = candidate(Single(variant="medium"), 3.0, 5.0, 6.0)
    worse = candidate(Single(variant="other"), 4.0, 5.0, 6.0)
    others = [similar, without, worse]
    assert alternatives(promised, others, lambda _: True) == [similar, without]
    assert alternatives(promised, others, lambda plan: plan != without.plan) == [similar, worse]
    assert alternatives(promised, others, lambda plan: plan == cascade) == [similar]


@pytest.mark.parametrize("plan", PLANS, ids=str)
def test_stops_add_up_to_the_plan_without_a_deadline(evidence: Evidence, plan: Plan) -> None:
    """Shares to 1; each stop's own answers, weighted, to the plan's quality."""
    stops = stops_of(plan, evidence)
    own = [stop.quality[index] for index, stop in enumerate(stops)]
    assert sum(stop.share for stop in stops) == pytest.approx(1)
    assert sum(
        stop.share * quality for stop, quality in zip(stops, own, strict=True)
    ) == pytest.approx(without_deadline(plan, evidence).mean())
    columns = [evidence.index(variant) for variant in plan.variants]
    for at, column in enumerate(columns):
        of_all = sum(stop.share * stop.quality[at] for stop in stops)
        assert of_all == pytest.approx(evidence.quality[column])


def test_a_cascade_stops_where_it_is_confident(evidence: Evidence) -> None:
    """The share is that of the confident, who are right more often than the rest."""
    kept, rest = stops_of(Cascade(stages=PAIR, thresholds=(0.7,)), evidence)
    sure = evidence.confidence[:, evidence.index("small")] >= 0.7
    assert kept.share == pytest.approx(sure.mean())
    assert kept.quality[0] == pytest.approx(evidence.score[sure, evidence.index("small")].mean())
    assert kept.quality[0] > rest.quality[0]


def test_where_a_plan_never_stops_it_has_the_qualities_of_all_samples(evidence: Evidence) -> None:
    """A rescue has all the time it wants and stops at its primary."""
    primary, rescuer = stops_of(PLANS[-1], evidence)
    assert (primary.share, rescuer.share) == (1, 0)
    assert rescuer.quality == primary.quality
    assert primary.quality == pytest.approx((evidence.quality[0], evidence.quality[2]))


def test_of_a_metric_that_is_no_mean_a_stop_has_the_metric_of_its_part(evidence: Evidence) -> None:
    """Weighted F1 over just the samples that the cascade keeps."""
    rng = np.random.default_rng(2)
    labels = rng.integers(10, size=evidence.samples)
    wrong = (labels[:, None] + rng.integers(1, 10, size=evidence.score.shape)) % 10
    answers = np.where(evidence.score > 0, labels[:, None], wrong)
    judge = Judge(WeightedF1(), labels.astype(object), answers.astype(object))
    kept, _ = stops_of(Cascade(stages=PAIR, thresholds=(0.7,)), evidence, judge)
    small = evidence.index("small")
    sure = np.flatnonzero(evidence.confidence[:, small] >= 0.7)
    own = judge(sure, np.full(sure.size, small))
    assert kept.quality[0] == own.quality(np.arange(sure.size), np.array([sure.size]))[0]


def test_the_work_of_an_option_is_in_device_seconds_whatever_the_price(evidence: Evidence) -> None:
    """Prices decide which plan is chosen, not how long the device is busy."""
    wanted = {"tiers": {"gold": {"tolerance": 0.1, "objective": "cost", "deadlines_ms": [100]}}}
    priced = {**wanted, "plans": ["single"], "prices": {"small": 100.0, "large": 100.0}}
    [promise] = compiled(evidence, priced).table.tiers[0].promises
    assert promise.plan == Single(variant="medium")
    for option in promise.options:
        [variant] = option.plan.variants
        assert option.work_s == pytest.approx(evidence.service_s[evidence.index(variant)])


def test_the_table_holds_what_the_gateway_knows_of_each_variant(evidence: Evidence) -> None:
    """Service time and where the confidence is, of all that were profiled."""
    served = compiled(evidence, SPEC, unsure=["medium"]).table.served
    assert set(served) == set(evidence.variants)
    assert [served[name].service_s for name in evidence.variants] == evidence.service_s.tolist()
    assert (served["small"].confidence, served["medium"].confidence) == (CONFIDENCE, None)


def test_plans_that_nobody_could_execute_are_not_offered(evidence: Evidence) -> None:
    """Without a confidence there is none to go by, and without two in flight there is no race."""
    every = ["small", "medium", "large"]
    unsure = compiled(evidence, SPEC, unsure=every)
    assert {
        type(option.plan)
        for tier in unsure.table.tiers
        for promise in tier.promises
        for option in promise.options
    } <= {Single, Rescue}
    assert "no cascade or race begins with large, medium, small: the profile" in unsure.left_out[0]
    alone = replace(evidence, by_load={LOADS[0]: evidence.by_load[LOADS[0]]})
    sole = compiled(alone, SPEC)
    assert not any(
        isinstance(option.plan, Race)
        for tier in sole.table.tiers
        for promise in tier.promises
        for option in promise.options
    )
    assert "no races: they have 2 requests in flight" in sole.left_out[0]
    singles = compiled(alone, {**SPEC, "plans": ["single"]}, unsure=every)
    assert singles.left_out == ()


def test_a_tier_that_is_not_offered_says_which_plans_were_left_out(evidence: Evidence) -> None:
    """A pair might have kept it."""
    wanted = {"tiers": {"gold": {"tolerance": 0.001, "deadlines_ms": [12]}}}
    [missing] = compiled(evidence, wanted, unsure=["small"]).table.not_offered
    assert "would help; no cascade or race begins with small" in missing.why

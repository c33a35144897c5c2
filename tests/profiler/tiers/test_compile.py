"""Compiled tiers: the best plan by the objective among those proven."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from profiler.record.evidence import Evidence
from tailq.errors import ArtefactError
from tailq.plan import Cascade, Race, Rescue, Single
from tailq.tier import TierTable
from tests.profiler.tiers.services import Variant, broken, compiled, population, profile_of

FAMILY = [
    Variant("large", 0.95, 0.03),
    Variant("medium", 0.94, 0.01),
    Variant("small", 0.90, 0.003),
    Variant("legacy", 0.92, 0.015),
]
SPEC: dict[str, Any] = {
    "plans": ["single"],
    "tiers": {
        "gold": {"tolerance": 0.015, "deadlines_ms": [20, 100]},
        "silver": {"tolerance": 0.05, "deadlines_ms": [40, 100]},
        "bronze": {"tolerance": 0.10, "deadlines_ms": [12]},
        "dream": {"tolerance": 0.001, "deadlines_ms": [12]},
    },
}
ALL = ["single", "cascade", "race", "rescue"]


@pytest.fixture(scope="module")
def truth() -> Evidence:
    return population(FAMILY, np.random.default_rng(1))


@pytest.fixture(scope="module")
def evidence(truth: Evidence) -> Evidence:
    return profile_of(truth, np.random.default_rng(2))


def gold(**wanted: Any) -> dict[str, Any]:
    """A spec with one tier, of single plans."""
    return {"plans": ["single"], "tiers": {"gold": {"deadlines_ms": [100], **wanted}}}


def plans(table: TierTable) -> dict[str, list[str]]:
    return {tier.name: [str(p.plan) for p in tier.promises] for tier in table.tiers}


def test_each_tier_gets_the_fastest_variant_that_keeps_its_tolerance(evidence: Evidence) -> None:
    """Strict tiers get the large variant, tolerant ones faster ones; the dominated gets none."""
    table = compiled(evidence, SPEC).table
    assert plans(table) == {"gold": ["large"], "silver": ["medium", "medium"], "bronze": ["small"]}
    assert table.reference.variant == "large"
    assert (table.method, table.metric) == ("ltt", "top-1")


def test_a_promise_says_what_it_rests_on(evidence: Evidence) -> None:
    """Samples, timed requests, the worst load and what may be lost there."""
    promise = compiled(evidence, SPEC).table.tiers[0].promises[0]
    assert (promise.basis.samples, promise.basis.timed) == (4000, 2000)
    assert promise.basis.load == 4
    assert 0 < promise.basis.lost_at_most < 0.01
    assert promise.basis.slack >= 0
    assert promise.quality < promise.expected_quality
    assert promise.asks == 1
    assert promise.cost == pytest.approx(0.015)


def test_a_promise_foretells_live_rounds_about_what_it_expects(evidence: Evidence) -> None:
    """Their median is near the expected quality, their tail below the promise: the draw is luck."""
    for tier in compiled(evidence, SPEC).table.tiers:
        for promise in tier.promises:
            assert promise.rounds is not None
            quality = promise.rounds.quality
            assert sorted(quality) == list(quality)
            assert quality[3] == pytest.approx(promise.expected_quality, abs=0.02)
            assert quality[0] < promise.quality < quality[-1]


def test_the_gateway_is_told_of_each_variant_what_the_profile_says(evidence: Evidence) -> None:
    """Quality, confidence and its bins: of its own answers, not of another's."""
    served = compiled(evidence, SPEC).table.served
    assert {name: each.quality for name, each in served.items()} == dict(
        zip(evidence.variants, evidence.quality.tolist(), strict=True)
    )
    for index, name in enumerate(evidence.variants):
        bins = served[name].spread
        assert bins is not None
        own = evidence.confidence[:, index]
        assert bins.upper[0] == pytest.approx(np.quantile(own, 1 / 15), abs=1e-3)
        assert served[name].classes


def test_what_cannot_be_promised_is_not_offered_and_says_why(evidence: Evidence) -> None:
    """A tier out of reach at a deadline names the nearest plan, what it lacks and what helps."""
    table = compiled(evidence, SPEC).table
    missing = {(tier.name, tier.deadline_s): tier.why for tier in table.not_offered}
    assert set(missing) == {("gold", 0.02), ("dream", 0.012)}
    assert "nearest is medium, short by 0.0" in missing["gold", 0.02]
    assert "lost to lateness (at load 4)" in missing["gold", 0.02]
    assert "would help" in missing["dream", 0.012]


def test_where_more_evidence_would_do_it_says_how_much(truth: Evidence) -> None:
    """A tier that was kept when measured but is not proven asks for a greater profile."""
    small = profile_of(truth, np.random.default_rng(2), samples=400)
    [missing] = compiled(small, gold(tolerance=0.02)).table.not_offered
    assert "times the samples and rounds in the profile may prove it" in missing.why


@pytest.mark.parametrize(
    ("objective", "kind"), [("response-time", (Race, Cascade)), ("cost", Cascade)]
)
def test_plans_of_several_variants_beat_single_ones(
    truth: Evidence, evidence: Evidence, objective: str, kind: type
) -> None:
    """A pair keeps the strict tier at a fraction of the large variant's time or cost, in truth."""
    made = compiled(evidence, {**gold(tolerance=0.015, objective=objective), "plans": ALL})
    promise = made.table.tiers[0].promises[0]
    gain = made.gains["gold", 0.1]
    assert isinstance(promise.plan, kind)
    assert gain.single is not None
    assert gain.chosen < 0.7 * gain.single
    assert not broken(made.table, truth)


def test_a_rescue_keeps_a_tier_that_a_late_primary_cannot(truth: Evidence) -> None:
    """A variant that hangs now and then is promised with a rescuer, and not without."""
    flaky = profile_of(truth, np.random.default_rng(3))
    for timed in flaky.by_load.values():
        timed.latency_s[::25, flaky.index("large")] = np.inf
        timed.latency_s[::25, flaky.index("medium")] = np.inf
    wanted = gold(tolerance=0.03)
    assert not compiled(flaky, wanted).table.tiers
    table = compiled(flaky, {**wanted, "plans": ["single", "rescue"]}).table
    plan = table.tiers[0].promises[0].plan
    assert isinstance(plan, Rescue)
    assert plan.rescuer in ("small", "legacy")
    assert 0 < plan.after_s < 0.098


def test_failed_requests_break_a_promise_like_late_ones(truth: Evidence) -> None:
    """A variant that answers but for one request in ten cannot be promised at any deadline."""
    failing = profile_of(truth, np.random.default_rng(2))
    for timed in failing.by_load.values():
        timed.latency_s[::10, failing.index("medium")] = np.inf
    table = compiled(failing, SPEC).table
    assert all("medium" not in tier.variants for tier in table.tiers)


def test_a_default_that_could_not_be_promised_is_dropped(evidence: Evidence) -> None:
    """Requests that name no tier are refused rather than served by a tier nobody promised."""
    assert compiled(evidence, {**SPEC, "default": "dream"}).table.default is None
    assert compiled(evidence, {**SPEC, "default": "gold"}).table.default == "gold"


def test_prices_decide_by_cost(evidence: Evidence) -> None:
    """A variant at a high price is not chosen for its few device-seconds."""
    wanted = gold(tolerance=0.1, objective="cost")
    assert plans(compiled(evidence, wanted).table) == {"gold": ["small"]}
    priced = compiled(evidence, {"prices": {"small": 100}, **wanted})
    assert plans(priced.table) == {"gold": ["medium"]}


def test_a_percentile_of_the_response_time_may_be_minimised(truth: Evidence) -> None:
    """A variant with rare long latencies wins by the mean and loses by the 95th percentile."""
    evidence = profile_of(truth, np.random.default_rng(2))
    for timed in evidence.by_load.values():
        timed.latency_s[:, evidence.index("small")] = 0.001
        timed.latency_s[::15, evidence.index("small")] = 0.08
    assert plans(compiled(evidence, gold(tolerance=0.1)).table) == {"gold": ["small"]}
    table = compiled(evidence, gold(tolerance=0.1, percentile=95)).table
    assert plans(table) == {"gold": ["medium"]}
    assert table.tiers[0].percentile == 95


@pytest.mark.parametrize(
    ("limit", "kind", "tolerance"),
    [
        ({"tolerance": 0.03}, "relative", 0.03),
        ({"absolute_tolerance": 0.03}, "absolute", 0.03 / 0.95),
        ({"floor": 0.91}, "floor", 1 - 0.91 / 0.95),
    ],
)
def test_a_limit_may_be_relative_absolute_or_a_floor(
    evidence: Evidence, limit: dict[str, float], kind: str, tolerance: float
) -> None:
    """The promise is tested against it; clients compare with its relative equivalent."""
    tier = compiled(evidence, gold(**limit)).table.tiers[0]
    assert tier.limit.kind == kind
    assert tier.limit.value == next(iter(limit.values()))
    assert tier.tolerance == pytest.approx(tolerance, abs=0.005)
    assert tier.promises[0].plan == Single(variant="medium")
    if kind == "floor":
        assert tier.promises[0].quality >= 0.91


def test_where_nobody_is_ever_right_there_is_nothing_to_lose(evidence: Evidence) -> None:
    """An absolute tolerance is kept by any variant; as a share of nothing it is 0."""
    useless = replace(evidence, score=np.zeros(evidence.score.shape))
    [tier] = compiled(useless, gold(absolute_tolerance=0.03)).table.tiers
    assert (tier.tolerance, tier.promises[0].quality) == (0.0, 0.0)


def test_bootstrap_selects_as_published(evidence: Evidence) -> None:
    """It picks a plan that gains at least as much as ltt's, since it corrects for nothing."""
    spec = {**gold(tolerance=0.01), "plans": ["single", "cascade"]}
    ltt, bootstrap = (compiled(evidence, {**spec, "method": m}) for m in ("ltt", "bootstrap"))
    assert bootstrap.table.method == "bootstrap"
    assert bootstrap.gains["gold", 0.1].chosen <= ltt.gains["gold", 0.1].chosen
    assert isinstance(bootstrap.table.tiers[0].promises[0].plan, Cascade)
    assert bootstrap.table.tiers[0].promises[0].basis.slack >= 0


def test_prices_of_unknown_variants_are_refused(evidence: Evidence) -> None:
    """The variant is named, and those there are."""
    with pytest.raises(ArtefactError, match="prices: huge was not profiled; there are large, me"):
        compiled(evidence, {**SPEC, "prices": {"huge": 2}})

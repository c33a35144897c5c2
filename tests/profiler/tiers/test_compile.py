"""Compiled tiers: the best plan among those proven, and promises true as often as stated."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pytest
from scipy import stats

from profiler.tiers.compile import GATEWAY_HOP_S, Evidence, Timed, compile_tiers
from profiler.tiers.spec import TiersSpec
from tailq.profile import DataSet, Profile, Server, VariantAtLoad, VariantProfile
from tailq.tier import TierTable

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Service:
    """The truth of one synthetic variant: how often it is right, and its mean latency (s)."""

    accuracy: float
    mean_s: float

    def lateness(self, deadline_s: float) -> float:
        """Probability of coming after the deadline less the gateway's hop (gamma, shape 8)."""
        return float(stats.gamma.sf(deadline_s - GATEWAY_HOP_S, 8, scale=self.mean_s / 8))


def measure(
    services: Mapping[str, Service],
    rng: np.random.Generator,
    samples: int = 4000,
    rounds: int = 30,
    size: int = 40,
) -> dict[str, Evidence]:
    """Draw a profile: answers correlated between variants, as on real data, latencies gamma."""
    difficulty = rng.random(samples)  # right where the difficulty is below the accuracy, mostly
    evidence = {}
    for name, service in services.items():
        swap = rng.random(samples) < 0.05
        correct = np.where(swap, rng.random(samples), difficulty) < service.accuracy
        timed = {}
        for load in (1, 4):
            chosen = rng.integers(samples, size=rounds * size)
            scale = service.mean_s / 8 * (1.0 if load == 4 else 0.5)
            latency = rng.gamma(8, scale, size=rounds * size)
            timed[load] = Timed(correct[chosen], latency, np.repeat(np.arange(rounds), size))
        evidence[name] = Evidence(correct, timed)
    return evidence


def compiled(evidence: dict[str, Evidence], spec: dict[str, object]) -> TierTable:
    """The tier table of the evidence for the spec."""
    at_load = VariantAtLoad(load=4, rounds=1, requests=1, p50_s=1, p99_s=1, at_deadlines=())
    profile = Profile(
        id="0123456789abcdef",
        service="fashion",
        started=NOW,
        finished=NOW,
        dataset=DataSet(name="synthetic", samples=4000, sha256=""),
        server=Server(name="triton", version="0"),
        loads=(1, 4),
        stopped_by="budget",
        rjsd=0.1,
        files={},
        variants=tuple(
            VariantProfile(name=v, version="1", fingerprint=v, accuracy=0.5, loads=(at_load,))
            for v in evidence
        ),
    )
    return compile_tiers(TiersSpec.model_validate(spec), profile, evidence, NOW)


FAMILY = {
    "large": Service(0.95, 0.03),
    "medium": Service(0.94, 0.01),
    "small": Service(0.90, 0.003),
    "legacy": Service(0.92, 0.015),
}
SPEC: dict[str, object] = {
    "tiers": {
        "gold": {"tolerance": 0.015, "deadlines_ms": [20, 100]},
        "silver": {"tolerance": 0.05, "deadlines_ms": [40, 100]},
        "bronze": {"tolerance": 0.10, "deadlines_ms": [12]},
        "dream": {"tolerance": 0.001, "deadlines_ms": [12]},
    }
}


def test_each_tier_gets_the_fastest_variant_that_keeps_its_tolerance() -> None:
    """Strict tiers get the large variant, tolerant ones faster ones; the dominated gets none."""
    table = compiled(measure(FAMILY, np.random.default_rng(1)), SPEC)
    plans = {tier.name: [p.plan.variant for p in tier.promises] for tier in table.tiers}
    assert plans == {"gold": ["large"], "silver": ["medium", "medium"], "bronze": ["small"]}
    assert table.reference.variant == "large"


def test_what_cannot_be_promised_is_not_offered_and_says_why() -> None:
    """A tier out of reach at a deadline names the nearest variant and what it loses to what."""
    table = compiled(measure(FAMILY, np.random.default_rng(1)), SPEC)
    missing = {(tier.name, tier.deadline_s): tier.why for tier in table.not_offered}
    assert set(missing) == {("gold", 0.02), ("dream", 0.012)}
    assert "nearest is medium" in missing["gold", 0.02]
    assert "would help" in missing["dream", 0.012]


def test_failed_requests_break_a_promise_like_late_ones() -> None:
    """A variant that answers but for one request in ten cannot be promised at any deadline."""
    evidence = measure(FAMILY, np.random.default_rng(2))
    for timed in evidence["medium"].by_load.values():
        timed.latency_s[::10] = np.inf
    table = compiled(evidence, SPEC)
    assert all(p.plan.variant != "medium" for tier in table.tiers for p in tier.promises)


def test_a_default_that_could_not_be_promised_is_dropped() -> None:
    """Requests that name no tier are refused rather than served by a tier nobody promised."""
    evidence = measure(FAMILY, np.random.default_rng(1))
    assert compiled(evidence, {**SPEC, "default": "dream"}).default is None
    assert compiled(evidence, {**SPEC, "default": "gold"}).default == "gold"


def test_objective_cost_prefers_the_fewest_device_seconds() -> None:
    """By cost the unqueued latency decides, by response time the latency under load."""
    evidence = measure(
        {"large": Service(0.95, 0.03), "other": Service(0.95, 0.031)}, np.random.default_rng(3)
    )
    evidence["other"].by_load[1].latency_s[:] /= 3
    for objective, variant in (("cost", "other"), ("response-time", "large")):
        tiers = {"gold": {"tolerance": 0.1, "deadlines_ms": [200], "objective": objective}}
        table = compiled(evidence, {"tiers": tiers})
        assert table.tiers[0].promises[0].plan.variant == variant


@pytest.mark.parametrize("confidence", [0.8])
def test_promises_are_broken_no_more_often_than_stated(confidence: float) -> None:
    """Over services with many near-ties, a false promise is rarer than 1 - confidence."""
    rng = np.random.default_rng(11)
    runs = 150
    broken = offered = 0
    for _ in range(runs):
        family = {
            f"v{k}": Service(a, m)
            for k, (a, m) in enumerate(
                zip(rng.uniform(0.92, 0.94, 6), rng.uniform(0.004, 0.012, 6), strict=True)
            )
        }
        evidence = measure(family, rng, samples=1000, rounds=20, size=20)
        tiers = {
            f"t{tolerance}": {"tolerance": tolerance, "deadlines_ms": [15, 30]}
            for tolerance in (0.02, 0.04)
        }
        table = compiled(evidence, {"confidence": confidence, "tiers": tiers})
        offered += len(table.tiers)
        broken += is_broken(table, family)
    assert offered > runs / 4  # the test is about promises made
    allowed = 1 - confidence
    assert stats.binomtest(broken, runs, allowed, alternative="greater").pvalue > 1e-3


def is_broken(table: TierTable, family: dict[str, Service]) -> bool:
    """Whether any promise of the table is false of the true services."""
    reference = family[table.reference.variant].accuracy
    for tier in table.tiers:
        for promise in tier.promises:
            service = family[promise.plan.variant]
            true = service.accuracy * (1 - service.lateness(promise.deadline_s))
            if true < promise.quality or true < (1 - tier.tolerance) * reference:
                return True
    return False

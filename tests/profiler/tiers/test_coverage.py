"""Promises are true as often as stated, over services with many near-ties and many plans."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from scipy import stats

from profiler.record.evidence import Evidence
from profiler.tiers.candidates import Space, candidates
from tests.profiler.tiers.services import (
    Variant,
    broken,
    compiled,
    population,
    profile_of,
    true_quality,
)

CONFIDENCE = 0.95
TOLERANCE = 0.02


@dataclass
class Count:
    """services: simulated. offered: promises. broken: services with a promise that is false."""

    services: int = 0
    offered: int = 0
    broken: int = 0


def near_ties(rng: np.random.Generator) -> Evidence:
    """A service with one good variant and three that miss the tolerance by a hair, all faster.

    Each of the three, and many a cascade of them, is a chance of a promise that is false.
    """
    best = 0.94
    accuracies = (1 - TOLERANCE) * best - rng.uniform(0, 0.004, 3)
    means = rng.uniform(0.002, 0.004, 3)
    variants = [Variant("best", best, 0.008)] + [
        Variant(f"v{index}", float(accuracy), float(mean))
        for index, (accuracy, mean) in enumerate(zip(accuracies, means, strict=True))
    ]
    return population(variants, rng)


def simulate(method: str, services: int, plans: list[str]) -> Count:
    """Compile as many services by the method, each from a profile of its own."""
    count = Count(services)
    rng = np.random.default_rng(11)
    spec: dict[str, Any] = {
        "confidence": CONFIDENCE,
        "method": method,
        "plans": plans,
        "tiers": {
            "fast": {"tolerance": TOLERANCE, "deadlines_ms": [30]},
            "cheap": {"tolerance": TOLERANCE, "objective": "cost", "deadlines_ms": [30]},
        },
    }
    for _ in range(services):
        everything = near_ties(rng)
        table = compiled(profile_of(everything, rng, samples=1500), spec).table
        count.offered += sum(len(tier.promises) for tier in table.tiers)
        count.broken += bool(broken(table, everything))
    return count


def check(count: Count) -> None:
    assert count.offered > count.services / 4  # the test is about promises made
    test = stats.binomtest(count.broken, count.services, 1 - CONFIDENCE, alternative="greater")
    assert test.pvalue > 1e-3


@pytest.mark.parametrize("plans", [["single"], ["single", "cascade", "race", "rescue"]])
def test_promises_are_broken_no_more_often_than_stated(plans: list[str]) -> None:
    """A service with a false promise is rarer than 1 - confidence, whatever plans are allowed."""
    check(simulate("ltt", 20, plans))


def test_a_selection_by_measured_figures_alone_is_found_out() -> None:
    """The best plan that kept the tolerance when measured breaks it far too often."""
    rng = np.random.default_rng(11)
    services, lost = 20, 0
    for _ in range(services):
        everything = near_ties(rng)
        evidence = profile_of(everything, rng, samples=1500)
        asked = (1 - TOLERANCE) * evidence.quality.max()
        space = Space(kinds=("single", "cascade"), deadline_s=0.03)
        hopeful = [c for c in candidates(evidence, space) if c.expected >= asked]
        plan = min(hopeful, key=lambda candidate: candidate.wait_s).plan
        truth = true_quality(plan, everything, 0.03)
        lost += truth < (1 - TOLERANCE) * everything.quality.max()
    test = stats.binomtest(lost, services, 1 - CONFIDENCE, alternative="greater")
    assert test.pvalue < 1e-4


@pytest.mark.statistics
@pytest.mark.parametrize("plans", [["single"], ["single", "cascade", "race", "rescue"]])
def test_coverage_over_a_thousand_services(
    plans: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The same over 1,000 services; how often bootstrap breaks its promises is printed beside."""
    ltt, bootstrap = (simulate(method, 1000, plans) for method in ("ltt", "bootstrap"))
    with capsys.disabled():
        print(f"\nservices with a broken promise ({', '.join(plans)}), {CONFIDENCE:.0%} stated:")
        for name, count in (("ltt", ltt), ("bootstrap", bootstrap)):
            share = count.broken / count.services
            print(f"  {name}: {share:.1%} of {count.services}, {count.offered} promises")
    check(ltt)

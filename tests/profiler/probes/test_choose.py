"""Chosen samples stand for all: whatever a tier may ask is as good on them."""

import numpy as np
import pytest

from profiler.probes.choose import choose
from profiler.record.evidence import Evidence
from profiler.replay import without_deadline
from tailq.plan import Cascade, Plan, Single
from tests.profiler.tiers.services import Variant, population

FAMILY = [
    Variant("small", 0.90, 0.004),
    Variant("medium", 0.93, 0.01),
    Variant("large", 0.95, 0.03),
]
PLANS: list[Plan] = [
    *(Single(variant=each.name) for each in FAMILY),
    *(
        Cascade(stages=("small", "large"), thresholds=(threshold,))
        for threshold in (0.3, 0.6, 0.8, 0.9, 0.99)
    ),
]


def service(seed: int = 0, size: int = 4000) -> Evidence:
    return population(FAMILY, np.random.default_rng(seed), size)


def off(evidence: Evidence, samples: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[float]:
    """By how much the quality of each plan on the samples is off that on all."""
    scores = [without_deadline(plan, evidence) for plan in PLANS]
    return [abs(float(score[samples].mean() - score.mean())) for score in scores]


@pytest.mark.parametrize("count", [100, 500])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_each_variant_and_cascade_is_as_good_on_the_chosen_as_on_all(count: int, seed: int) -> None:
    """Variants to the nearest sample, cascades within four; drawn at random they are far off."""
    evidence = service(seed)
    chosen = choose(evidence, count)
    assert np.unique(chosen).size == count
    assert max(off(evidence, chosen)[: len(FAMILY)]) <= 1 / count
    assert max(off(evidence, chosen)) <= 4 / count
    rng = np.random.default_rng(seed)
    drawn = [off(evidence, rng.permutation(4000)[:count])[: len(FAMILY)] for _ in range(20)]
    assert np.median(np.max(drawn, axis=1)) > 2 / count


def test_the_same_seed_chooses_the_same_samples() -> None:
    """And another one others."""
    evidence = service()
    assert np.array_equal(choose(evidence, 50, seed=1), choose(evidence, 50, seed=1))
    assert not np.array_equal(choose(evidence, 50, seed=1), choose(evidence, 50, seed=2))


def test_where_there_are_no_more_all_are_chosen() -> None:
    """Each once, in order."""
    evidence = service(size=30)
    assert choose(evidence, 30).tolist() == choose(evidence, 512).tolist() == list(range(30))


def test_a_lone_variant_is_matched_too() -> None:
    """There are no pairs to look at."""
    evidence = population(FAMILY[:1], np.random.default_rng(0), 1000)
    chosen = choose(evidence, 100)
    assert abs(evidence.score[chosen].mean() - evidence.score.mean()) <= 0.5001 / 100

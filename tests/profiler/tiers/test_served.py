"""What the gateway is told of a variant: the bins that live confidences are counted in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from profiler.tiers.served import served, spread
from tailq.profile import Metric, VariantProfile
from tests.profiler.tiers.services import Variant, population, summary

TOP_1 = Metric(task="classification", name="top-1", additive=True)
single = st.floats(0, 1, width=32)


def binned(upper: tuple[float, ...], confidence: NDArray[np.float64]) -> list[float]:
    """Shares of confidences by bin, as one counts live ones: the last bin has all that is above."""
    at = np.minimum(np.searchsorted(upper, confidence, side="left"), len(upper) - 1)
    shares: list[float] = (np.bincount(at, minlength=len(upper)) / confidence.size).tolist()
    return shares


@given(st.lists(single | st.sampled_from([0.5, 0.9, 1.0]), min_size=1, max_size=200))
def test_bins_ascend_and_hold_all_samples_in_the_shares_said(seen: list[float]) -> None:
    """Whatever the confidences, ties included: at most fifteen, none empty, none split a tie."""
    confidence = np.array(seen)
    found = spread(confidence)
    assert len(found.upper) <= 15
    assert min(found.share) > 0
    assert sum(found.share) == pytest.approx(1)
    assert binned(found.upper, confidence) == pytest.approx(list(found.share))


def test_without_ties_all_bins_hold_the_same_share() -> None:
    """Fifteen bins, whose shares differ by a sample at most."""
    found = spread(np.random.default_rng(0).permutation(1000) / 1000)
    assert len(found.share) == 15
    assert max(found.share) - min(found.share) <= 0.001 + 1e-12


def test_many_equal_confidences_share_a_bin() -> None:
    """A model that is nearly always sure has one great bin at 1, and few or no others."""
    found = spread(np.append(np.full(900, 1.0), np.linspace(0.5, 0.9, 100)))
    assert found.upper[-1] == 1
    assert found.share[-1] >= 0.9
    assert spread(np.ones(10)).share == (1.0,)


@given(st.integers(0, 2**32 - 1), st.sampled_from([1.0, 20.0]))
def test_a_confidence_computed_in_double_precision_falls_into_the_bin_of_its_rounded_self(
    seed: int, scale: float
) -> None:
    """The gateway reads the same logits; the profile has what came of them in single precision."""
    logits = np.random.default_rng(seed).normal(0, scale, (300, 4)).astype(np.float32)
    below = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    exact = 1 / np.exp(below).sum(axis=1)
    found = spread(exact.astype(np.float32).astype(np.float64))
    assert binned(found.upper, exact) == pytest.approx(list(found.share))


def variant(*, sure: bool = True) -> tuple[VariantProfile, NDArray[np.float64]]:
    evidence = population([Variant("one", 0.9, 0.01)], np.random.default_rng(1), size=500)
    profile = summary(evidence, unsure=() if sure else ("one",))
    return profile.variants[0], evidence.confidence[:, 0]


def test_answers_are_classes_where_the_greatest_number_is_the_answer() -> None:
    """Of classification by top-1; of five classes, F1 or another task one cannot tell if right."""
    profile, confidence = variant()
    assert served(profile, TOP_1, confidence).classes
    for task, name in (
        ("classification", "top-5"),
        ("classification", "f1"),
        ("ranking", "ndcg@10"),
    ):
        metric = Metric(task=task, name=name, additive=True)
        assert not served(profile, metric, confidence).classes


def test_a_variant_that_tells_no_confidence_has_no_bins_and_no_classes() -> None:
    """Its quality is told all the same."""
    profile, confidence = variant(sure=False)
    found = served(profile, TOP_1, confidence)
    assert (found.classes, found.spread) == (False, None)
    assert found.quality == profile.quality

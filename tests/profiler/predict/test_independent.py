"""The exact law of a round of independent requests."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from profiler.predict.independent import in_time, law, predict, quantiles
from profiler.predict.record import Record, composed

DEADLINE = np.array([0.02])
LEVELS = np.array([0.05, 0.01])


def enumerated(weight: list[float], probability: list[float]) -> dict[float, float]:
    """The law by going through every outcome."""
    mass: dict[float, float] = {}
    for there in product([0, 1], repeat=len(weight)):
        total = round(sum(w for w, yes in zip(weight, there, strict=True) if yes), 6)
        chance = np.prod([p if yes else 1 - p for p, yes in zip(probability, there, strict=True)])
        mass[total] = mass.get(total, 0.0) + float(chance)
    return mass


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.2, 0.25, 0.5, 1.0]), st.floats(0, 1)),
        min_size=1,
        max_size=8,
    )
)
def test_law_is_that_of_every_outcome(drawn: list[tuple[float, float]]) -> None:
    """Weighted Poisson-binomial against brute force, certain and impossible answers included."""
    weight, probability = [w for w, _ in drawn], [p for _, p in drawn]
    values, mass = law(np.array(weight), np.array(probability))
    expected = enumerated(weight, probability)
    for value, chance in zip(values, mass, strict=True):
        assert chance == pytest.approx(expected.pop(round(float(value), 6), 0.0), abs=1e-12)
    assert sum(expected.values()) == pytest.approx(0.0, abs=1e-12)


def test_equal_chances_give_the_binomial_law() -> None:
    """At the size of a data set, against SciPy."""
    weight = np.repeat([0.0, 1.0], [300, 4700])
    values, mass = law(weight, np.full(5000, 0.97))
    assert mass == pytest.approx(stats.binom.pmf(values, 4700, 0.97), abs=1e-12)


def test_different_chances_give_the_poisson_binomial_law() -> None:
    """Against SciPy's, where each sample has a chance of its own."""
    probability = np.random.default_rng(0).uniform(0.5, 1.0, 200)
    values, mass = law(np.ones(200), probability)
    assert mass == pytest.approx(stats.poisson_binom(probability).pmf(values), abs=1e-12)


def test_scores_between_right_and_wrong_keep_mean_and_spread() -> None:
    """Scores on no common lattice are rounded, and the law hardly shows it."""
    random = np.random.default_rng(1)
    weight, p = random.uniform(0, 1, 1000), 0.9
    values, mass = law(weight, np.full(1000, p))
    mean = values @ mass
    deviation = np.sqrt((values - mean) ** 2 @ mass)
    assert mean == pytest.approx(p * weight.sum(), rel=1e-3)
    assert deviation == pytest.approx(np.sqrt(p * (1 - p) * (weight**2).sum()), rel=0.01)
    drawn = (random.random((4000, 1000)) < p).astype(np.float32) @ weight.astype(np.float32)
    lower = quantiles(values, mass, LEVELS)
    assert lower == pytest.approx(np.quantile(drawn, LEVELS), abs=4 * deviation / np.sqrt(60))


def test_prediction_is_the_law_of_one_pass_over_the_samples() -> None:
    """As many requests as samples ask each of them once; a fifth of the answers are late."""
    score = np.repeat([1.0, 0.0], [90, 10])
    record = Record(score, np.arange(100) % 100, np.tile([0.01] * 4 + [0.03], 20))
    mean, tails = predict(record, DEADLINE, 100, (0.05, 0.01))
    assert mean == pytest.approx([0.72])
    assert tails[:, 0] == pytest.approx(stats.binom.ppf([0.05, 0.01], 90, 0.8) / 100)


def test_nothing_late_and_everything_late_are_certain() -> None:
    """All quality or none, in every round."""
    record = Record(np.array([1.0, 0.0]), np.array([0, 1]), np.array([0.01, np.inf]))
    for latency, quality in ((0.01, 0.5), (np.inf, 0.0)):
        always = Record(record.score, record.sample, np.full(2, latency))
        mean, tails = predict(always, DEADLINE, 2, (0.05, 0.01))
        assert mean == pytest.approx([quality])
        assert tails[:, 0] == pytest.approx([quality, quality])


def test_samples_timed_often_have_their_own_share_in_time() -> None:
    """The others share what all timed requests have."""
    sample = np.repeat([0, 1], [20, 5])
    record = Record(np.ones(3), sample, np.repeat([0.03, 0.01], [20, 5]))
    assert in_time(record, DEADLINE)[:, 0] == pytest.approx([0.0, 0.2, 0.2])


@given(st.integers(1, 30), st.integers(1, 4))
def test_passes_ask_each_sample_equally_often(samples: int, passes: int) -> None:
    """A round of a multiple of the samples holds each as often as any other."""
    score = np.random.default_rng(samples).random(samples)
    counts = np.bincount(composed(score, samples * passes), minlength=samples)
    assert counts.tolist() == [passes] * samples


def test_short_rounds_keep_the_proportions_of_the_scores() -> None:
    """A tenth of the requests has a tenth of the right answers."""
    score = np.random.default_rng(2).permutation(np.repeat([1.0, 0.0], [930, 70]))
    assert score[composed(score, 100)].sum() == 93

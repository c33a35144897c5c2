"""Attribution against theory, another way to compute it, simulation and degenerate data."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from profiler.sweep.attribution import FEWEST_ROUNDS, attribute
from profiler.sweep.design import Design, plan
from tailq.sweep import Share

Floats = NDArray[np.float64]
FACTORS = ("a", "b", "c")
ALL = plan([3, 2, 2], 100)


def shares(quality: Floats, design: Design = ALL, confidence: float = 0.9) -> dict[str, Share]:
    names = FACTORS[: design.cells.shape[1]]
    found = attribute(quality, design, names, confidence=confidence).shares
    return {share.label: share for share in found}


def effects(design: Design = ALL) -> dict[str, Floats]:
    """Effects of variance 1 over the cells: of a (three levels), b, and their interaction."""
    a, b = design.cells[:, 0], design.cells[:, 1]
    main_a = np.array([-1.0, 0.0, 1.0])[a] * np.sqrt(1.5)
    main_b = np.array([-1.0, 1.0])[b]
    return {"a": main_a, "b": main_b, "a × b": main_a * main_b}


def test_without_noise_shares_are_those_of_the_effects() -> None:
    """Effects of known variance 4 : 1 : 3 in units of the quality."""
    unit = effects()
    cell = 0.5 + 0.02 * (2 * unit["a"] + unit["b"] + np.sqrt(3) * unit["a × b"])
    found = shares(np.tile(cell[:, None], 4))
    expected = {"a": 0.5, "b": 0.125, "a × b": 0.375}
    for label, share in found.items():
        assert share.share == pytest.approx(expected.get(label, 0.0), abs=1e-9)
        assert (share.low, share.high) == pytest.approx((share.share, share.share), abs=1e-6)


def test_what_rounds_have_in_common_is_drift() -> None:
    """Quality that falls from round to round in all cells alike is no factor's doing."""
    found = shares(np.tile(np.array([0.9, 0.8, 0.7, 0.6]), (12, 1)))
    assert found["drift between rounds"].share == pytest.approx(1.0)


def test_three_factors_together_are_other_interactions() -> None:
    """An effect that only all three of them show is neither a factor's nor a pair's."""
    parity = np.where(ALL.cells[:, 1] == ALL.cells[:, 2], 1.0, -1.0)
    third = parity * np.array([-1.0, 0.0, 1.0])[ALL.cells[:, 0]]
    found = shares(np.tile(0.5 + 0.1 * third[:, None], 3))
    assert found["other interactions"].share == pytest.approx(1.0)


def sum_of_squares(quality: Floats, columns: list[Floats]) -> float:
    """What a least squares fit of the columns to the quality leaves unexplained."""
    flat = quality.ravel()
    model = np.hstack([np.ones((flat.size, 1)), *columns])
    left = flat - model @ np.linalg.lstsq(model, flat, rcond=None)[0]
    return float(left @ left)


def by_least_squares(quality: Floats) -> dict[str, float]:
    """The shares by nested least squares models of dummy variables, as ANOVA programs do it."""
    cells, rounds = quality.shape
    level = {name: ALL.cells[:, at] for at, name in enumerate(FACTORS)}

    def dummies(groups: NDArray[np.int64]) -> Floats:
        return np.repeat(np.eye(int(groups.max()) + 1)[groups], rounds, axis=0)

    per_round = np.tile(np.eye(rounds), (cells, 1))
    sources = {name: dummies(level[name]) for name in FACTORS}
    for one, other in (("a", "b"), ("a", "c"), ("b", "c")):
        sources[f"{one} × {other}"] = dummies(level[one] * 3 + level[other])
    sources["other interactions"] = dummies(np.arange(cells))
    sources["drift between rounds"] = per_round
    taken: list[Floats] = []
    before, squares, freedom = sum_of_squares(quality, []), {}, {}
    for name, columns in sources.items():
        rank = np.linalg.matrix_rank(np.hstack([np.ones((quality.size, 1)), *taken]))
        taken.append(columns)
        freedom[name] = (
            np.linalg.matrix_rank(np.hstack([np.ones((quality.size, 1)), *taken])) - rank
        )
        after = sum_of_squares(quality, taken)
        squares[name], before = before - after, after
    residual = before / ((cells - 1) * (rounds - 1))
    variance = {
        name: max(0.0, (squares[name] - freedom[name] * residual) / quality.size)
        for name in squares
    }
    drift = squares["drift between rounds"] / (rounds - 1) - residual
    variance["drift between rounds"] = max(0.0, drift / cells)
    variance["round to round"] = residual
    total = sum(variance.values())
    return {name: value / total for name, value in variance.items()}


@given(st.integers(0, 2**31), st.integers(FEWEST_ROUNDS, 6))
def test_shares_agree_with_nested_least_squares(seed: int, rounds: int) -> None:
    """Another way to the same sums of squares, on random data."""
    quality = np.random.default_rng(seed).random((12, rounds))
    found = shares(quality)
    expected = by_least_squares(quality)
    assert set(found) == set(expected)
    for label, share in found.items():
        assert share.share == pytest.approx(expected[label], abs=1e-9)


def test_shares_agree_with_statsmodels() -> None:
    """The sums of squares of its `anova_lm(ols("y ~ C(a)*C(b)*C(c) + C(r)"))`, version 0.15.0."""
    random = np.random.default_rng(0)
    a, b, c = ALL.cells.T[:, :, None]
    drift = 0.03 * random.standard_normal((1, 6))
    quality = 0.5 + 0.1 * a * b + 0.05 * c + drift + 0.05 * random.standard_normal((12, 6))
    expected = {
        "a": 0.200672,
        "b": 0.374339,
        "c": 0.031306,
        "a × b": 0.137951,
        "a × c": 0.000419,
        "b × c": 0.0,
        "other interactions": 0.0,
        "drift between rounds": 0.043675,
        "round to round": 0.211637,
    }
    found = {label: share.share for label, share in shares(quality).items()}
    assert found == pytest.approx(expected, abs=1e-6)


def test_a_factor_without_effect_has_the_variance_ratio_of_theory() -> None:
    """Its share over that of the rest has the law of an F statistic (2 and 77 degrees)."""
    random = np.random.default_rng(5)
    rounds = 8
    chosen = []
    for _ in range(400):
        found = shares(0.5 + 0.01 * random.standard_normal((12, rounds)))
        ratio = found["a"].share / found["round to round"].share
        chosen.append(1 + ratio * 12 * rounds / 2)  # from the unbiased variance back to F
    # Below 1 the unbiased variance is below 0, and the share 0.
    above = np.array([value for value in chosen if value > 1])
    law = stats.f(2, 11 * (rounds - 1))
    assert stats.binomtest(len(above), 400, float(law.sf(1))).pvalue > 0.001
    assert stats.kstest(above, lambda x: 1 - law.sf(x) / law.sf(1)).pvalue > 0.001


def test_a_fraction_keeps_main_effects_apart() -> None:
    """A half of all cells finds the same share of each factor; pairs are not told apart in it."""
    half = plan([2, 2, 2], 4)
    quality = 0.5 + 0.1 * half.cells[:, 0] + 0.2 * half.cells[:, 2]
    found = shares(np.tile(quality[:, None], 3), half)
    assert found["a"].share == pytest.approx(0.2)
    assert found["c"].share == pytest.approx(0.8)
    assert not any("×" in label for label in found)


def test_a_factor_of_one_level_explains_nothing() -> None:
    """It is held there; the others share the whole."""
    design = plan([1, 2], 10)
    found = shares(np.array([[0.1, 0.1, 0.1], [0.3, 0.3, 0.3]]), design)
    assert set(found) == {"b", "drift between rounds", "round to round"}
    assert found["b"].share == pytest.approx(1.0)


@pytest.mark.parametrize("value", [0.0, 0.1, 0.941, 1.0])
def test_where_nothing_fluctuates_there_is_nothing_to_explain(value: float) -> None:
    """No shares, no division by zero, whatever rounding does to a mean."""
    assert attribute(np.full((12, 7), value), ALL, FACTORS, confidence=0.9).shares == ()


def test_a_single_bad_round_of_a_single_cell_is_not_a_factor() -> None:
    """All of it is found to be round to round, and the interval says how little that rests on."""
    quality = np.full((12, 8), 0.9)
    quality[5, 3] = 0.2
    found = shares(quality)
    assert found["round to round"].share > 0.9
    assert found["round to round"].low < 0.5
    assert all(share.share < 0.05 for label, share in found.items() if label != "round to round")


def test_too_few_rounds_or_cells_are_refused() -> None:
    """With two rounds none can be left out; with one cell there is nothing to compare."""
    with pytest.raises(ValueError, match="12 cells in 2 rounds"):
        attribute(np.zeros((12, 2)), ALL, FACTORS, confidence=0.9)
    with pytest.raises(ValueError, match="1 cells"):
        attribute(np.zeros((1, 5)), plan([1], 2), ("a",), confidence=0.9)


@given(st.integers(0, 2**31))
def test_shares_sum_to_one_and_lie_in_their_intervals(seed: int) -> None:
    """Shares fall from first to last."""
    random = np.random.default_rng(seed)
    late = random.random((12, 1)) < 0.5
    quality = 0.9 * random.binomial(32, np.where(late, 0.8, 1.0), (12, 5)) / 32
    found = list(shares(quality).values())
    if found:
        assert sum(share.share for share in found) == pytest.approx(1.0)
        assert all(share.low <= share.share <= share.high for share in found)
        assert [one.share for one in found] == sorted((s.share for s in found), reverse=True)


Draw = Callable[[np.random.Generator, int], Floats]


def gaussian(random: np.random.Generator, rounds: int) -> Floats:
    """Effects 4 : 1 : 0.5 of a, b and both; rounds 0.25; rest 1."""
    unit = effects()
    cell = 2 * unit["a"] + unit["b"] + np.sqrt(0.5) * unit["a × b"]
    rest = random.standard_normal((12, rounds))
    return np.asarray(
        0.5 + 0.01 * (cell[:, None] + 0.5 * random.standard_normal((1, rounds)) + rest)
    )


def unequal(random: np.random.Generator, rounds: int) -> Floats:
    """The same, but a quarter of the cells, overloaded ones, have all of the rest."""
    unit = effects()
    cell = 2 * unit["a"] + unit["b"] + np.sqrt(0.5) * unit["a × b"]
    spread = np.where(np.arange(12) % 4 == 0, 2.0, 0.0)[:, None]
    rest = spread * random.standard_normal((12, rounds))
    return np.asarray(
        0.5 + 0.01 * (cell[:, None] + 0.5 * random.standard_normal((1, rounds)) + rest)
    )


TRUE = {"a": 4.0, "b": 1.0, "a × b": 0.5, "drift between rounds": 0.25, "round to round": 1.0}


def covered(draw: Draw, rounds: int, simulations: int) -> dict[str, int]:
    """In how many simulated sweeps each 90 % interval holds the true share."""
    random = np.random.default_rng(rounds)
    count = dict.fromkeys(TRUE, 0)
    for _ in range(simulations):
        found = shares(draw(random, rounds))
        for label, variance in TRUE.items():
            truth = variance / sum(TRUE.values())
            count[label] += found[label].low <= truth <= found[label].high
    return count


@pytest.mark.parametrize("draw", [gaussian, unequal])
def test_intervals_hold_the_truth_about_as_often_as_they_say(draw: Draw) -> None:
    """A small simulation at 8 rounds of what test_coverage_of_the_intervals does at length."""
    for label, count in covered(draw, rounds=8, simulations=150).items():
        assert stats.binomtest(count, 150, 0.88, alternative="less").pvalue > 0.01, label


@pytest.mark.statistics
@pytest.mark.parametrize("draw", [gaussian, unequal])
@pytest.mark.parametrize("rounds", [4, 8, 20])
def test_coverage_of_the_intervals(draw: Draw, rounds: int) -> None:
    """Of a nominal 90 % the intervals cover at least 88 %, from 4 rounds on, rest equal or not."""
    simulations = 2000
    for label, count in covered(draw, rounds, simulations).items():
        print(f"{draw.__name__}, {rounds} rounds, {label}: {100 * count / simulations:.1f} %")
        assert stats.binomtest(count, simulations, 0.88, alternative="less").pvalue > 0.01, label

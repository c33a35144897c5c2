"""Which share of the fluctuation of quality each factor explains. Pure.

Analysis of variance of a balanced design with rounds as blocks (Montgomery, "Design and Analysis
of Experiments", 2017, ch. 4 and 5): y[c, r], the quality of cell c in round r, is its mean + what
the levels of c add (main effects and interactions) + what all cells of round r have in common +
the rest. The variance of each part is estimated without bias: what the rest alone would give it by
chance is taken off. With levels as likely as they are in the design, the shares of the factors
and pairs are Sobol's indices.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from profiler.sweep.design import CLEAR, Design
from tailq.sweep import Share, Source

Floats = NDArray[np.float64]
Effects = dict[tuple[str, ...], Floats]

# Leaving one of fewer out leaves no variance to estimate.
FEWEST_ROUNDS = 3
# Below it a variance is what rounding leaves of none: quality is in [0, 1].
_NOTHING = 1e-18


@dataclass(frozen=True, slots=True)
class Decomposition:
    """variance: of quality, the sum of what its sources give. shares: of it, by falling share."""

    variance: float
    shares: tuple[Share, ...]


def attribute(
    quality: Floats, design: Design, factors: Sequence[str], *, confidence: float
) -> Decomposition:
    """Divide the variance of quality among factors, pairs of factors, rounds and the rest.

    quality: [C, R] of each cell of the design in each round, C >= 2, R >= FEWEST_ROUNDS. factors:
    names, in the order of the design's columns; one with a single level has no share. The interval
    of each share has the confidence by itself: a jackknife over rounds on the arcsine scale with
    Student's t, so rounds count as independent, while the cells of a round may depend on each
    other and vary unequally. Without any fluctuation there are no shares. Raises ValueError.
    """
    cells, rounds = quality.shape
    if rounds < FEWEST_ROUNDS or cells < 2 or cells != len(design.cells):
        raise ValueError(f"cannot attribute the quality of {cells} cells in {rounds} rounds")
    effects = _effects(design, factors)
    variances = _variances(quality[None], list(effects.values()))
    kept = np.maximum(variances, 0.0)
    share = _shares(kept)[0]
    if not share.any():
        return Decomposition(0.0, ())
    one_less = np.stack([np.delete(quality, at, axis=1) for at in range(rounds)])
    replicates = _shares(_variances(one_less, list(effects.values())))
    low, high = _jackknife(share, replicates, confidence)
    known = 1 + sum(columns.shape[1] for columns in effects.values())
    shares = [
        Share(source=source, factors=some, share=share[at], low=low[at], high=high[at])
        for at, (source, some) in enumerate(_sources(effects))
        if source != "higher" or known < cells
    ]
    shares.sort(key=lambda one: -one.share)
    return Decomposition(float(kept.sum()), tuple(shares))


def _effects(design: Design, factors: Sequence[str]) -> Effects:
    """Columns [C, df] of each effect that can be told apart: orthogonal, of mean square 1."""
    main: Effects = {
        (name,): _helmert(int(level.max()) + 1)[level]
        for name, level in zip(factors, design.cells.T, strict=True)
        if level.max() > 0
    }
    if not design.full and design.strength < CLEAR:
        return main
    pairs = {
        one + other: np.einsum("ci,cj->cij", main[one], main[other]).reshape(len(design.cells), -1)
        for one, other in itertools.combinations(main, 2)
    }
    return main | pairs


def _helmert(levels: int) -> Floats:
    """Contrasts of a factor: [levels, levels - 1]."""
    upper = np.triu(np.ones((levels, levels)), 1)[:, 1:]
    contrasts = upper - np.diag(np.arange(1.0, levels), -1)[:, :-1]
    scaled: Floats = contrasts * np.sqrt(levels / np.sum(contrasts**2, axis=0))
    return scaled


def _sources(effects: Effects) -> list[tuple[Source, tuple[str, ...]]]:
    """What the columns of `_variances` are."""
    kinds: dict[int, Source] = {1: "factor", 2: "interaction"}
    rest: list[Source] = ["higher", "round", "residual"]
    return [(kinds[len(some)], some) for some in effects] + [(source, ()) for source in rest]


def _variances(quality: Floats, effects: Sequence[Floats]) -> Floats:
    """The variance that each source gives: [B, sources]; by chance it may be below 0.

    quality: [B, C, R], B data sets.
    """
    _, cells, rounds = quality.shape
    cell, round_ = quality.mean(axis=2), quality.mean(axis=1)
    mean = cell.mean(axis=1)
    rest = quality - cell[:, :, None] - round_[:, None, :] + mean[:, None, None]
    residual = np.sum(rest**2, axis=(1, 2)) / ((cells - 1) * (rounds - 1))
    squares = [np.sum((cell @ columns / cells) ** 2, axis=1) for columns in effects]
    freedom = [columns.shape[1] for columns in effects]
    squares.append(cell.var(axis=1) - sum(squares))
    freedom.append(cells - 1 - sum(freedom))
    of_cells = [
        square - df * residual / (cells * rounds)
        for square, df in zip(squares, freedom, strict=True)
    ]
    of_rounds = round_.var(axis=1, ddof=1) - residual / cells
    return np.stack([*of_cells, of_rounds, residual], axis=1)


def _shares(variances: Floats) -> Floats:
    """Shares of the total, [B, sources]; all 0 where nothing varies."""
    total = variances.sum(axis=1, keepdims=True)
    shares: Floats = np.zeros_like(variances)
    return np.divide(variances, total, out=shares, where=total > _NOTHING)


def _jackknife(share: Floats, replicates: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Interval of each share. replicates: [R, sources], each without one round, unbiased.

    Shares have the variance of proportions, which the arcsine of the root makes even, and their
    interval cannot leave [0, 1].
    """
    rounds = len(replicates)
    angles = np.sign(replicates) * np.arcsin(np.sqrt(np.clip(np.abs(replicates), 0, 1)))
    error = np.sqrt((rounds - 1) * angles.var(axis=0))
    wide = stats.t.ppf((1 + confidence) / 2, rounds - 1) * error
    angle = np.arcsin(np.sqrt(share))
    low: Floats = np.sin(np.clip(angle - wide, 0, np.pi / 2)) ** 2
    high: Floats = np.sin(np.clip(angle + wide, 0, np.pi / 2)) ** 2
    return low, high

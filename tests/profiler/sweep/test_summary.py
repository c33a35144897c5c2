"""A sweep's figures against the definition by brute force, and as people read them."""

import io
from datetime import UTC, datetime

import numpy as np
import pytest
from numpy.typing import NDArray
from rich.console import Console

from profiler.measure.partial import PlannedVariant
from profiler.record.observations import Answers
from profiler.sweep.design import plan as plan_design
from profiler.sweep.factors import conditions
from profiler.sweep.journal import SweepPlan
from profiler.sweep.rounds import draw
from profiler.sweep.show import show
from profiler.sweep.summary import levels_of, summarise
from profiler.tasks import open_task
from tailq.profile import DataSet, Metric, Server
from tailq.sweep import Sweep
from tests.profiler.columns import answers

SAMPLES, REQUESTS, ROUNDS = 10, 4, 5
DEADLINES_S = (0.02, 0.05)
FACTORS: dict[str, tuple[str, ...]] = {
    "variant": ("fast", "good"),
    "batch": ("1", "3"),
    "delay-ms": ("0", "5"),
}
DESIGN = plan_design([2, 2, 2], 10)
RIGHT = [[True] * 7 + [False] * 3, [True] * 9 + [False]]


def measured() -> tuple[SweepPlan, Answers]:
    """A plan over eight cells, and what its two variants answer to ten samples."""
    plan = SweepPlan(
        dataset=DataSet(name="toy", samples=SAMPLES, sha256="0" * 64),
        variants=tuple(
            PlannedVariant(name=name, version="1", fingerprint=name, shape=(4,))
            for name in FACTORS["variant"]
        ),
        seed=3,
        started=datetime.now(UTC),
        metric=Metric(task="classification", name="top-1", additive=True),
        factors=FACTORS,
        cells=tuple(tuple(cell) for cell in DESIGN.cells.tolist()),
        requests_per_round=REQUESTS,
    )
    return plan, answers(RIGHT)


def summary(latency_s: NDArray[np.float64]) -> Sweep:
    plan, said = measured()
    return summarise(
        plan,
        DESIGN,
        open_task("classification").metric,
        said,
        latency_s,
        DEADLINES_S,
        server=Server(name="triton", version="2"),
        finished=datetime.now(UTC),
        stopped_by="rounds",
        notes=("A note.",),
    )


def by_hand(latency_s: NDArray[np.float64], cell: int, round_: int, deadline_s: float) -> float:
    """Accuracy * right answers in time / right answers, request by request."""
    plan, _ = measured()
    wanted = conditions(levels_of(plan, cell))
    right = RIGHT[FACTORS["variant"].index(wanted.variant)]
    samples = draw(plan.seed, round_, cells=8, samples=SAMPLES).asked(REQUESTS, wanted.batch)
    ever, in_time, timely = 0, 0, 0
    for row, latency in zip(samples.tolist(), latency_s[round_, cell].tolist(), strict=True):
        for sample in row:
            ever += right[sample]
            in_time += right[sample] and latency <= deadline_s
            timely += latency <= deadline_s
    share = in_time / ever if ever else timely / samples.size
    return sum(right) / len(right) * share


def test_quality_of_cells_and_levels_is_that_of_the_definition() -> None:
    """Ties at the deadline, failures and batches, against a loop over requests."""
    random = np.random.default_rng(4)
    latency_s = random.choice([0.01, 0.02, 0.03, 0.05, 0.08, np.inf], (ROUNDS, 8, REQUESTS))
    latency_s[:, :, 0] = 0.01
    sweep = summary(latency_s)
    for column, deadline_s in enumerate(DEADLINES_S):
        quality = np.array(
            [[by_hand(latency_s, c, r, deadline_s) for r in range(ROUNDS)] for c in range(8)]
        )
        for cell, expected in zip(sweep.cells, quality, strict=True):
            at = cell.at_deadlines[column]
            assert at.by_round == pytest.approx(expected)
            assert at.quality == pytest.approx(expected.mean())
            assert at.worst == at.tail_5 == pytest.approx(expected.min())
        for factor, levels in zip(sweep.factors, DESIGN.cells.T, strict=True):
            for index, level in enumerate(factor.levels):
                assert level.at_deadlines[column].quality == pytest.approx(
                    quality[levels == index].mean()
                )
        assert sweep.attribution[column].mean == pytest.approx(quality.mean())
    assert sum(cell.failed for cell in sweep.cells) == np.isinf(latency_s).sum()


def test_the_factor_that_makes_answers_late_explains_the_fluctuation() -> None:
    """Late exactly where the network is slow: at that deadline it is all of it."""
    slow = DESIGN.cells[:, 2] == 1
    latency_s = np.where(slow[None, :, None], 0.03, 0.01) * np.ones((ROUNDS, 8, REQUESTS))
    sweep = summary(latency_s)
    at_20, at_50 = sweep.attribution
    assert (at_20.shares[0].label, at_50.shares[0].label) == ("delay-ms", "variant")
    assert at_20.lowest == 0.0
    assert at_50.shares[0].share == pytest.approx(1.0)


def shown(sweep: Sweep) -> str:
    console = Console(file=io.StringIO(), width=100)
    show(sweep, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_terminal_shows_levels_shares_and_notes() -> None:
    """Each factor's levels with their quality, a bar for each share, what to be careful about."""
    slow = DESIGN.cells[:, 2] == 1
    latency_s = np.where(slow[None, :, None], 0.03, 0.01) * np.ones((ROUNDS, 8, REQUESTS))
    lines = shown(summary(latency_s)).splitlines()
    (level,) = [line for line in lines if line.split()[:2] == ["delay-ms", "0"]]
    assert level.split() == ["delay-ms", "0", "10.0/10.0", *("80.0", "(70.0)") * 2]
    (bar,) = [line for line in lines if line.split()[:1] == ["variant"] and "█" in line]
    assert bar.split()[2:] == ["100.0", "%", "(100.0–100.0)"]
    assert "careful: A note." in lines


def test_quality_that_never_fluctuates_is_said_so() -> None:
    """No bars of nothing: where all is late there is nothing to explain."""
    said = shown(summary(np.full((ROUNDS, 8, REQUESTS), 1.0)))
    assert said.count("within 20 ms: quality never fluctuated (0.0 % in every cell and round)") == 1

"""From the latencies of a sweep to its artefact. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from profiler.record.observations import Answers
from profiler.sweep.attribution import attribute
from profiler.sweep.design import Design
from profiler.sweep.factors import conditions
from profiler.sweep.journal import SweepPlan
from profiler.sweep.rounds import draw
from profiler.tasks import Judged, Metric
from profiler.tasks.base import parse
from profiler.tasks.quality import completed_by_round
from tailq.profile import Server
from tailq.quality import tail
from tailq.sweep import (
    Attribution,
    Cell,
    CellAtDeadline,
    CriticalQuality,
    Factor,
    Level,
    Sweep,
    SweptVariant,
)

Floats = NDArray[np.float64]

# Of the intervals of the shares.
CONFIDENCE = 0.95


def summarise(
    plan: SweepPlan,
    design: Design,
    metric: Metric,
    answers: Answers,
    latency_s: Floats,
    deadlines_s: Sequence[float],
    *,
    server: Server,
    finished: datetime,
    stopped_by: Literal["rounds", "budget"],
    notes: Sequence[str],
) -> Sweep:
    """Gather everything that is told of a sweep.

    answers: of every variant to every sample. latency_s: [R, C, n] seconds of each timed request,
    inf where no answer came.
    """
    judged = _judged(metric, answers)
    quality = np.stack(
        [_quality(plan, at, judged, latency_s[:, at], deadlines_s) for at in range(len(plan.cells))]
    )
    return Sweep(
        started=plan.started,
        finished=finished,
        dataset=plan.dataset,
        server=server,
        metric=plan.metric,
        variants=tuple(
            SweptVariant(
                name=variant.name,
                version=variant.version,
                fingerprint=variant.fingerprint,
                quality=_known(judged[variant.name]),
            )
            for variant in plan.variants
        ),
        deadlines_s=tuple(deadlines_s),
        factors=_factors(plan, design, quality, latency_s, deadlines_s),
        design="full" if design.full else "fraction",
        strength=design.strength,
        rounds=len(latency_s),
        requests_per_round=plan.requests_per_round,
        seed=plan.seed,
        stopped_by=stopped_by,
        cells=_cells(plan, quality, latency_s, deadlines_s),
        confidence=CONFIDENCE,
        attribution=tuple(
            _attribution(quality[:, :, at], design, list(plan.factors), deadline_s)
            for at, deadline_s in enumerate(deadlines_s)
        ),
        notes=tuple(notes),
    )


def levels_of(plan: SweepPlan, cell: int) -> dict[str, str]:
    """The level of each factor in a cell."""
    at = plan.cells[cell]
    return {name: plan.factors[name][level] for name, level in zip(plan.factors, at, strict=True)}


def _judged(metric: Metric, answers: Answers) -> dict[str, Judged]:
    """The answers of each variant to all samples, held against the labels."""
    judged = {}
    for index, name in enumerate(answers.variants):
        own = answers.where(answers.variant == index)
        own = own.where(own.sample.argsort(kind="stable"))
        judged[name] = metric.judge(parse(own.label), parse(own.answer))
    return judged


def _known(judged: Judged) -> float:
    """Quality over all samples, without a deadline."""
    everything = np.arange(judged.scores.size)
    return float(judged.quality(everything, np.array([everything.size]))[0])


def _quality(
    plan: SweepPlan,
    cell: int,
    judged: dict[str, Judged],
    latency_s: Floats,
    deadlines_s: Sequence[float],
) -> Floats:
    """Quality of a cell in each round at each deadline: [R, D]. latency_s: [R, n].

    The answer to a request of several samples is the answer to each of them.
    """
    wanted = conditions(levels_of(plan, cell))
    samples = [
        draw(plan.seed, number, cells=len(plan.cells), samples=plan.dataset.samples).asked(
            plan.requests_per_round, wanted.batch
        )
        for number in range(len(latency_s))
    ]
    each = plan.requests_per_round * wanted.batch
    return completed_by_round(
        judged[wanted.variant],
        np.stack(samples).ravel(),
        np.repeat(latency_s.ravel(), wanted.batch),
        np.repeat(np.arange(len(latency_s)), each),
        deadlines_s,
    )


def _cells(
    plan: SweepPlan, quality: Floats, latency_s: Floats, deadlines_s: Sequence[float]
) -> tuple[Cell, ...]:
    """Figures of each cell. quality: [C, R, D]. latency_s: [R, C, n]."""
    cells = []
    for at, rounds in enumerate(quality):
        timed = latency_s[:, at]
        p50, p99 = _p50_p99(timed)
        tail_5, worst = tail(rounds, 0.05), tail(rounds, 0.0)
        cells.append(
            Cell(
                levels=levels_of(plan, at),
                requests=timed.size,
                failed=int(np.isinf(timed).sum()),
                p50_s=p50,
                p99_s=p99,
                at_deadlines=tuple(
                    CellAtDeadline(
                        deadline_s=deadline_s,
                        quality=float(rounds[:, index].mean()),
                        tail_5=float(tail_5[index]),
                        worst=float(worst[index]),
                        by_round=tuple(rounds[:, index].tolist()),
                    )
                    for index, deadline_s in enumerate(deadlines_s)
                ),
            )
        )
    return tuple(cells)


def _factors(
    plan: SweepPlan,
    design: Design,
    quality: Floats,
    latency_s: Floats,
    deadlines_s: Sequence[float],
) -> tuple[Factor, ...]:
    """What is left of the quality at each level of each factor."""
    return tuple(
        Factor(
            name=name,
            levels=tuple(
                _level(
                    value,
                    quality[design.cells[:, column] == level],
                    latency_s[:, design.cells[:, column] == level],
                    deadlines_s,
                )
                for level, value in enumerate(values)
            ),
        )
        for column, (name, values) in enumerate(plan.factors.items())
    )


def _level(value: str, quality: Floats, latency_s: Floats, deadlines_s: Sequence[float]) -> Level:
    """quality: [C, R, D] and latency_s: [R, C, n] of the cells at this level."""
    pairs = quality.reshape(-1, len(deadlines_s))
    p50, p99 = _p50_p99(latency_s)
    tail_5, worst = tail(pairs, 0.05), tail(pairs, 0.0)
    return Level(
        value=value,
        p50_s=p50,
        p99_s=p99,
        at_deadlines=tuple(
            CriticalQuality(
                deadline_s=deadline_s,
                quality=float(pairs[:, at].mean()),
                tail_5=float(tail_5[at]),
                worst=float(worst[at]),
            )
            for at, deadline_s in enumerate(deadlines_s)
        ),
    )


def _attribution(
    quality: Floats, design: Design, factors: Sequence[str], deadline_s: float
) -> Attribution:
    """quality: [C, R] at one deadline."""
    found = attribute(quality, design, factors, confidence=CONFIDENCE)
    return Attribution(
        deadline_s=deadline_s,
        mean=float(quality.mean()),
        lowest=float(quality.min()),
        highest=float(quality.max()),
        deviation=float(np.sqrt(found.variance)),
        shares=found.shares,
    )


def _p50_p99(latency_s: Floats) -> tuple[float, float]:
    """Of the answered requests; every cell has some in each round."""
    p50, p99 = np.quantile(latency_s[np.isfinite(latency_s)], [0.5, 0.99])
    return float(p50), float(p99)

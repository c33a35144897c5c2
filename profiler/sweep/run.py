"""`tailq-profile sweep`: from a Triton, labelled data and factors to the sweep's file."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from profiler.datasets import Dataset
from profiler.measure.bench import Bench
from profiler.measure.interrupt import Stop
from profiler.measure.partial import PlannedVariant, kept
from profiler.measure.progress import Reporter
from profiler.measure.triton import Triton
from profiler.measure.wire import Variant
from profiler.sweep import design as designs
from profiler.sweep.design import Design
from profiler.sweep.factors import VARIANT, Conditions, conditions
from profiler.sweep.journal import SweepJournal, SweepPlan
from profiler.sweep.passes import SweepMeasurement
from profiler.sweep.settings import Settings
from profiler.sweep.summary import summarise
from profiler.sweep.system import open_system
from tailq import artefact
from tailq.errors import ArtefactError, BadRequest
from tailq.profile import DataSet, Metric
from tailq.sweep import Sweep


def sweep(settings: Settings, dataset: Dataset, report: Reporter, stop: Stop) -> Sweep:
    """Measure, write the file `settings.out` and return what is in it.

    Raises TailqError of many kinds; whatever was measured until then is kept in
    `settings.partial`, and the same call goes on from there.
    """
    if settings.out.exists() and not settings.force:
        raise ArtefactError(
            f"{settings.out}: is there already; give --force to replace it, or another --out"
        )
    design = designs.plan(
        [len(levels) for levels in settings.factors.values()], settings.most_cells
    )
    cells = [_conditions(settings.factors, row) for row in design.cells.tolist()]
    with closing(Triton(settings.triton)) as triton:
        server = triton.server()
        found = [triton.variant(name) for name in settings.factors[VARIANT]]
        variants = [replace(each, outputs=settings.task.outputs(each)) for each in found]
        _check(settings, cells, variants)
        plan = _plan(settings, design, dataset, variants)
        with (
            open_system(settings, triton, dataset, cells, stop) as system,
            closing(SweepJournal(settings.partial, plan, restart=settings.restart)) as journal,
        ):
            bench = Bench(variants, dataset, settings.task, system.direct)
            bench.probe()
            if journal.resumed:
                report.say(f"going on with {settings.partial}")
            with kept(settings.partial):
                measurement = SweepMeasurement(
                    settings, cells, system, bench, journal, report, stop
                )
                measurement.answers()
                stopped_by = measurement.rounds()
                measured = summarise(
                    journal.plan,
                    design,
                    settings.task.metric,
                    journal.answers(),
                    np.stack(journal.rounds),
                    settings.deadlines_s,
                    server=server,
                    finished=datetime.now(UTC),
                    stopped_by=stopped_by,
                    notes=_notes(settings, design, len(journal.rounds)),
                )
                artefact.write(settings.out, measured)
            journal.discard()
            return measured


def _conditions(factors: Mapping[str, tuple[str, ...]], row: Sequence[int]) -> Conditions:
    levels = zip(factors.items(), row, strict=True)
    return conditions({name: values[level] for (name, values), level in levels})


def _check(settings: Settings, cells: Sequence[Conditions], variants: Sequence[Variant]) -> None:
    """What can be known before anything is measured. Raises BadRequest."""
    batch = max(cell.batch for cell in cells)
    for variant in variants:
        most = variant.batch if variant.leading else 1
        if batch > most:
            raise BadRequest(
                f"--factor batch: model {variant.name} is asked {most} samples at once at most, "
                f"not {batch}"
            )
    concurrency = max(cell.concurrency for cell in cells)
    if settings.requests_per_round < concurrency:
        raise BadRequest(
            f"--requests-per-round {settings.requests_per_round} cannot keep {concurrency} in "
            "flight; give at least as many"
        )


def _plan(
    settings: Settings, design: Design, dataset: Dataset, variants: Sequence[Variant]
) -> SweepPlan:
    task = settings.task
    return SweepPlan(
        dataset=DataSet(name=dataset.name, samples=len(dataset.labels), sha256=dataset.sha256),
        variants=tuple(PlannedVariant.of(variant) for variant in variants),
        seed=settings.seed,
        started=datetime.now(UTC),
        metric=Metric(task=task.name, name=task.metric.name, additive=task.metric.additive),
        factors=dict(settings.factors),
        cells=tuple(tuple(row) for row in design.cells.tolist()),
        requests_per_round=settings.requests_per_round,
    )


def _notes(settings: Settings, design: Design, rounds: int) -> list[str]:
    """What a reader should know of the conditions."""
    notes = []
    if not design.full:
        combinations = int(np.prod([len(levels) for levels in settings.factors.values()]))
        notes.append(f"{len(design.cells)} of {combinations} combinations were measured, balanced.")
        if design.strength < designs.CLEAR:
            notes.append(
                "Interactions of factors cannot be told apart in so small a part of them"
                + ("." if design.strength == designs.CLEAR - 1 else "; factors' shares hold some.")
            )
    if rounds < settings.rounds:
        notes.append(f"The budget ended it after {rounds} of {settings.rounds} rounds.")
    if "cpus" in settings.factors:
        notes.append("The client ran on the same machine, on all of its CPUs.")
    return notes

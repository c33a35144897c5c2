"""`tailq-profile run`: from a Triton and labelled data to a profile directory."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from profiler.datasets import Dataset
from profiler.errors import NoProbes
from profiler.measure.bench import Bench, choose_models
from profiler.measure.conditions import MOST_IN_FLIGHT
from profiler.measure.describe import Context, Ending, describe
from profiler.measure.drive import Driver
from profiler.measure.interrupt import Stop
from profiler.measure.journal import Journal, Plan
from profiler.measure.partial import PlannedVariant, kept
from profiler.measure.passes import Measurement
from profiler.measure.progress import Reporter
from profiler.measure.settings import Settings
from profiler.measure.triton import Triton
from profiler.measure.wire import Variant
from profiler.probes.make import make, told
from profiler.record.store import Beside, check_free, store
from tailq import probes
from tailq.profile import DataSet, Metric, Profile


def run(settings: Settings, dataset: Dataset, report: Reporter, stop: Stop) -> Profile:
    """Measure and write the profile to `settings.out`; return its summary.

    Raises TailqError of many kinds; whatever was measured until then is kept in
    `settings.partial`, and the same call goes on from there.
    """
    check_free(settings.out, force=settings.force)
    task = settings.task
    metric = Metric(task=task.name, name=task.metric.name, additive=task.metric.additive)
    with closing(Triton(settings.triton)) as triton:
        server = triton.server()
        names = choose_models(triton, settings.service, settings.models)
        found = [triton.variant(name) for name in names]
        variants = [replace(each, outputs=task.outputs(each)) for each in found]
        driver = Driver(
            settings.triton,
            workers=max(len(variants), *settings.loads, MOST_IN_FLIGHT * bool(settings.open_loop)),
            timeout_s=settings.timeout_s,
            check=lambda: triton.check_serving(names),
            stop=stop,
        )
        with closing(driver):
            bench = Bench(variants, dataset, task, driver)
            bench.probe()
            context = Context(
                server=server, deadlines_s=settings.deadlines_s, confidence=bench.confidence
            )
            plan = _plan(settings, metric, dataset, variants)
            with Journal.open(settings.partial, plan, restart=settings.restart) as journal:
                if journal.resumed:
                    report.say(f"going on with {settings.partial}")
                measurement = Measurement(settings, bench, journal, report, stop)
                with kept(settings.partial):
                    context.write(settings.partial)
                    measurement.answers()
                    stopped_by, convergence = measurement.rounds()
                    ending = Ending(stopped_by, convergence, datetime.now(UTC))
                    beside = partial(_probes, journal, dataset, found, report)
                    profile = _write(settings, context, journal, ending, beside)
                journal.discard()
                return profile


def _write(
    settings: Settings, context: Context, journal: Journal, ending: Ending, beside: Beside
) -> Profile:
    answers, observations = journal.answers(), journal.observations()
    return store(
        settings.out,
        answers,
        observations,
        partial(describe, journal.plan, context, ending, answers, observations),
        force=settings.force,
        beside=beside,
    )


def _probes(
    journal: Journal,
    dataset: Dataset,
    variants: Sequence[Variant],
    report: Reporter,
    profile: Profile,
) -> dict[str, bytes]:
    """Probes by their file name, if there can be any; else why not is said."""
    try:
        made = make(profile, journal.answers(), journal.observations(), dataset, variants)
    except NoProbes as reason:
        report.say(str(reason))
        return {}
    report.say(told(made, profile))
    return {probes.FILE: probes.encode(made)}


def _plan(
    settings: Settings, metric: Metric, dataset: Dataset, variants: Sequence[Variant]
) -> Plan:
    return Plan(
        service=settings.service,
        metric=metric,
        dataset=DataSet(name=dataset.name, samples=len(dataset.labels), sha256=dataset.sha256),
        variants=tuple(PlannedVariant.of(variant) for variant in variants),
        loads=settings.loads,
        open_loop=settings.open_loop,
        samples_per_round=settings.samples_per_round,
        seed=settings.seed,
        started=datetime.now(UTC),
    )

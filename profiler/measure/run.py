"""`tailq-profile run`: from a Triton and labelled data to a profile directory."""

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime

from profiler.datasets import Dataset
from profiler.errors import DatasetError, Interrupted, ModelError, TritonGone
from profiler.measure.bench import Bench, choose_models
from profiler.measure.drive import Driver
from profiler.measure.enough import StoppedBy
from profiler.measure.interrupt import Stop
from profiler.measure.journal import Journal, Plan, PlannedVariant
from profiler.measure.passes import Measurement
from profiler.measure.progress import Reporter
from profiler.measure.settings import Settings
from profiler.measure.triton import Triton
from profiler.measure.wire import Variant
from profiler.record.store import check_free, store
from profiler.record.summary import summarise
from tailq.errors import ArtefactError
from tailq.profile import DataSet, Profile, Server


def run(settings: Settings, dataset: Dataset, report: Reporter, stop: Stop) -> Profile:
    """Measure and write the profile to `settings.out`; return its summary.

    Raises TailqError of many kinds; whatever was measured until then is kept in
    `settings.partial`, and the same call goes on from there.
    """
    check_free(settings.out, force=settings.force)
    with closing(Triton(settings.triton)) as triton:
        server = triton.server()
        names = choose_models(triton, settings.service, settings.models)
        variants = [triton.variant(name) for name in names]
        driver = Driver(
            settings.triton,
            workers=max(len(variants), *settings.loads),
            timeout_s=settings.timeout_s,
            check=lambda: triton.check_serving(names),
            stop=stop,
        )
        with closing(driver):
            bench = Bench(variants, dataset, driver)
            bench.probe()
            plan = _plan(settings, dataset, variants)
            with Journal.open(settings.partial, plan, restart=settings.restart) as journal:
                if journal.resumed:
                    report.say(f"going on with {settings.partial}")
                measurement = Measurement(settings, bench, journal, report, stop)
                stopped_by = _measure(measurement, settings)
                profile = _write(settings, server, journal, stopped_by, measurement.rjsd)
                journal.discard()
                return profile


def _measure(measurement: Measurement, settings: Settings) -> StoppedBy:
    kept = f"what was measured is kept in {settings.partial}: run the same command to resume"
    try:
        measurement.answers()
        return measurement.rounds()
    except Interrupted as error:
        raise Interrupted(f"{error}; {kept}", error.signal) from None
    except (ArtefactError, DatasetError, ModelError, TritonGone) as error:
        raise type(error)(f"{error}; {kept}") from None


def _write(
    settings: Settings,
    server: Server,
    journal: Journal,
    stopped_by: StoppedBy,
    rjsd: float | None,
) -> Profile:
    plan, answers, observations = journal.plan, journal.answers(), journal.observations()
    versions = {variant.name: (variant.version, variant.fingerprint) for variant in plan.variants}
    summary = summarise(answers, observations, settings.deadlines_s, versions)

    def describe(id_: str, files: dict[str, str]) -> Profile:
        return Profile(
            id=id_,
            service=plan.service,
            started=plan.started,
            finished=datetime.now(UTC),
            dataset=plan.dataset,
            server=server,
            loads=plan.loads,
            stopped_by=stopped_by,
            rjsd=rjsd,
            files=files,
            variants=summary,
        )

    return store(settings.out, answers, observations, describe, force=settings.force)


def _plan(settings: Settings, dataset: Dataset, variants: Sequence[Variant]) -> Plan:
    return Plan(
        service=settings.service,
        dataset=DataSet(name=dataset.name, samples=len(dataset.labels), sha256=dataset.sha256),
        variants=tuple(
            PlannedVariant(
                name=variant.name,
                version=variant.version,
                fingerprint=variant.fingerprint,
                shape=variant.input.shape,
            )
            for variant in variants
        ),
        loads=settings.loads,
        samples_per_round=settings.samples_per_round,
        seed=settings.seed,
        started=datetime.now(UTC),
    )

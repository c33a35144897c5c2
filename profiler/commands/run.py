"""`tailq-profile run`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from profiler.commands import options
from profiler.commands import parameters as p
from profiler.commands.output import print_profile


class StopWhen(StrEnum):
    """The rules for when enough was measured."""

    PRECISE = "precise"
    CONVERGED = "converged"


def run(
    triton: p.TritonAddress,
    service: Annotated[str, typer.Option(help="Name of the service the variants serve.")],
    dataset: p.DatasetName,
    out: Annotated[Path, typer.Option(help="Folder the profile is written to.")],
    task: p.TaskName = "classification",
    metric: p.MetricName = None,
    models: Annotated[
        str, typer.Option(help="Models to profile, by name: a,b,c. [default: all SERVICE_…]")
    ] = "",
    loads: Annotated[str, typer.Option(help="Requests in flight to measure at.")] = "1,2,4",
    open_loop: Annotated[
        str,
        typer.Option(
            help="Also let requests arrive unasked, at these shares of the throughput reached with "
            "--loads; empty: not at all."
        ),
    ] = "0.5,0.8",
    deadlines_ms: p.DeadlinesMs = "25,50,100",
    samples_per_round: Annotated[
        int, typer.Option(min=1, help="Samples that a round times on every variant.")
    ] = 32,
    min_rounds: Annotated[
        int, typer.Option(min=1, help="Rounds a load before it may be enough.")
    ] = 20,
    max_rounds: Annotated[int | None, typer.Option(min=1, help="Most rounds a load.")] = None,
    stop_when: Annotated[
        StopWhen,
        typer.Option(
            help="precise: the tail quality is known to --precision; converged: the published "
            "rule, rJSD at most 0.05."
        ),
    ] = StopWhen.PRECISE,
    precision: Annotated[
        float,
        typer.Option(
            min=0.0001, max=1, help="Half-width of the 90 % interval of the 5 % tail quality."
        ),
    ] = 0.02,
    budget_s: Annotated[
        float | None, typer.Option(min=0, help="Seconds for the whole measurement.")
    ] = None,
    timeout_s: p.TimeoutS = 10.0,
    seed: Annotated[int, typer.Option(min=0, help="Of the random order of requests.")] = 0,
    labels: p.Labels = None,
    images: p.Images = None,
    image_size: p.ImageSize = None,
    layout: p.ImageLayout = None,
    scale: p.Scale = 1 / 255,
    mean: p.Mean = "0",
    std: p.Std = "1",
    force: Annotated[bool, typer.Option("--force", help="Replace a profile at OUT.")] = False,
    restart: p.Restart = False,
    json_: Annotated[
        bool, typer.Option("--json", help="Print the summary as JSON instead of a table.")
    ] = False,
) -> None:
    """Measure what every variant answers, and when.

    What is measured is kept in OUT.partial; after an interruption the same command goes on.
    """
    from profiler.datasets import open_dataset
    from profiler.measure.enough import Limits
    from profiler.measure.interrupt import Stop
    from profiler.measure.progress import Reporter
    from profiler.measure.run import run
    from profiler.measure.settings import Settings
    from profiler.tasks import open_task

    settings = Settings(
        triton=triton,
        service=options.service(service),
        out=out,
        task=open_task(task, metric),
        models=options.names(models),
        loads=options.integers(loads),
        open_loop=options.shares(open_loop),
        deadlines_s=options.seconds(deadlines_ms),
        samples_per_round=samples_per_round,
        limits=Limits(budget_s, max_rounds, min_rounds),
        rule=stop_when.value,
        precision=precision,
        timeout_s=timeout_s,
        seed=seed,
        force=force,
        restart=restart,
    )
    pixels = options.preprocessing(image_size, layout, scale, mean, std)
    with Stop() as stop, Reporter(Console(stderr=True)) as report:
        profile = run(settings, open_dataset(dataset, labels, pixels, images), report, stop)
        report.say(f"written to {out}")
    print_profile(profile, json_=json_)

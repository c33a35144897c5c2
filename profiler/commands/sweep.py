"""`tailq-profile sweep`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from profiler.commands import options
from profiler.commands import parameters as p
from profiler.commands.output import console


def sweep(
    triton: p.TritonAddress,
    dataset: p.DatasetName,
    out: Annotated[Path, typer.Option(help="The file the sweep is written to (JSON).")],
    factor: Annotated[
        list[str],
        typer.Option(
            help="NAME=LEVEL,LEVEL,…; once for each factor: variant, concurrency, batch, delay-ms, "
            "jitter-ms, neighbour (none, MODEL or MODEL:IN_FLIGHT), instances, cpus. One level "
            "holds a factor there.",
            show_default=False,
        ),
    ] = [],  # noqa: B006  # typer's way of "may be given several times"
    models: Annotated[
        str, typer.Option(help="The variants, a,b,c: the same as --factor variant=a,b,c.")
    ] = "",
    task: p.TaskName = "classification",
    metric: p.MetricName = None,
    deadlines_ms: p.DeadlinesMs = "25,50,100",
    rounds: Annotated[int, typer.Option(min=3, help="Rounds over all cells, at most.")] = 8,
    requests_per_round: Annotated[
        int, typer.Option(min=1, help="Requests that a round times in every cell.")
    ] = 32,
    budget_s: Annotated[
        float | None,
        typer.Option(
            min=0, help="Seconds for the whole measurement; 3 rounds are measured anyway."
        ),
    ] = None,
    max_cells: Annotated[
        int,
        typer.Option(
            min=2, help="Most combinations of levels; if there are more, a balanced part."
        ),
    ] = 64,
    triton_pid: Annotated[
        int | None,
        typer.Option(help="Process of tritonserver, for cpus. [default: who listens on this host]"),
    ] = None,
    timeout_s: p.TimeoutS = 10.0,
    seed: Annotated[int, typer.Option(min=0, help="Of the random order of cells.")] = 0,
    labels: p.Labels = None,
    images: p.Images = None,
    image_size: p.ImageSize = None,
    layout: p.ImageLayout = None,
    scale: p.Scale = 1 / 255,
    mean: p.Mean = "0",
    std: p.Std = "1",
    force: Annotated[bool, typer.Option("--force", help="Replace a file at OUT.")] = False,
    restart: p.Restart = False,
    json_: Annotated[
        bool, typer.Option("--json", help="Print the sweep as JSON instead of tables.")
    ] = False,
) -> None:
    """Measure quality under other factors than time, and which of them explain its fluctuation.

    Whatever is changed on Triton is set back at the end. What is measured is kept in OUT.partial;
    after an interruption the same command goes on.
    """
    from profiler.datasets import open_dataset
    from profiler.measure.interrupt import Stop
    from profiler.measure.progress import Reporter
    from profiler.sweep.factors import parse
    from profiler.sweep.run import sweep
    from profiler.sweep.settings import Settings
    from profiler.sweep.show import show
    from profiler.tasks import open_task

    settings = Settings(
        triton=triton,
        out=out,
        factors=parse(factor, options.names(models)),
        task=open_task(task, metric),
        deadlines_s=options.seconds(deadlines_ms),
        rounds=rounds,
        requests_per_round=requests_per_round,
        budget_s=budget_s,
        timeout_s=timeout_s,
        triton_pid=triton_pid,
        most_cells=max_cells,
        seed=seed,
        force=force,
        restart=restart,
    )
    pixels = options.preprocessing(image_size, layout, scale, mean, std)
    with Stop() as stop, Reporter(Console(stderr=True)) as report:
        swept = sweep(settings, open_dataset(dataset, labels, pixels, images), report, stop)
        report.say(f"written to {out}")
    if json_:
        print(swept.model_dump_json(indent=2))
    else:
        show(swept, console())

"""The command line of the profiler: `tailq-profile`.

Commands import what they need when they are called, so that --help does not wait for scipy.
"""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from profiler import options
from profiler.errors import Interrupted, TritonGone
from tailq import artefact
from tailq.errors import TailqError
from tailq.profile import Profile

_EXIT_BAD_INPUT = 2
_EXIT_TRITON_GONE = 3
_FILE_WIDTH = 200


class Half(StrEnum):
    """The halves of the test images."""

    PROFILE = "profile"
    UNSEEN = "unseen"


app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Measure the variants of a model on Triton, and what can be promised of them.",
    epilog=(
        "Exit codes: 0 done; 2 something given (an option, a file, a model, the data, the disk) "
        "is not as it must be; 3 Triton cannot be reached or went away; 130 or 143 stopped by "
        "Ctrl-C or SIGTERM. After 3, 130 and 143 the same command resumes."
    ),
)


@app.command("run")
def run_command(
    triton: Annotated[str, typer.Option(help="HOST:PORT of Triton's gRPC endpoint.")],
    service: Annotated[str, typer.Option(help="Name of the service the variants serve.")],
    dataset: Annotated[
        str,
        typer.Option(
            help="fashion-mnist; or a folder with a folder of images for each class, a manifest "
            "(.csv or .jsonl with path and label), or an .npz with inputs and labels."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder the profile is written to.")],
    models: Annotated[
        str, typer.Option(help="Models to profile, by name: a,b,c. [default: all SERVICE_…]")
    ] = "",
    loads: Annotated[str, typer.Option(help="Requests in flight to measure at.")] = "1,2,4",
    deadlines_ms: Annotated[
        str, typer.Option(help="Deadlines to tell the quality at, milliseconds.")
    ] = "25,50,100",
    samples_per_round: Annotated[
        int, typer.Option(min=1, help="Samples that a round times on every variant.")
    ] = 32,
    min_rounds: Annotated[
        int, typer.Option(min=1, help="Rounds a load before convergence may end it.")
    ] = 20,
    max_rounds: Annotated[int | None, typer.Option(min=1, help="Most rounds a load.")] = None,
    budget_s: Annotated[
        float | None, typer.Option(min=0, help="Seconds for the whole measurement.")
    ] = None,
    timeout_s: Annotated[
        float, typer.Option(min=0.001, help="A request unanswered for so long has failed.")
    ] = 10.0,
    seed: Annotated[int, typer.Option(min=0, help="Of the random order of requests.")] = 0,
    labels: Annotated[
        Path | None, typer.Option(help="File with the class names in the model's order.")
    ] = None,
    image_size: Annotated[
        str | None, typer.Option(help="WIDTHxHEIGHT, where the model takes images of any size.")
    ] = None,
    layout: Annotated[
        str | None, typer.Option(help="chw or hwc, where the model's shape does not tell.")
    ] = None,
    scale: Annotated[
        float, typer.Option(help="Pixels (0 to 255) are multiplied by it.", show_default="1/255")
    ] = 1 / 255,
    mean: Annotated[str, typer.Option(help="Subtracted after it; one, or one a channel.")] = "0",
    std: Annotated[str, typer.Option(help="Divided by after it; one, or one a channel.")] = "1",
    force: Annotated[bool, typer.Option("--force", help="Replace a profile at OUT.")] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Discard what an interrupted run left.")
    ] = False,
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

    settings = Settings(
        triton=triton,
        service=options.service(service),
        out=out,
        models=options.names(models),
        loads=options.integers(loads),
        deadlines_s=options.seconds(deadlines_ms),
        samples_per_round=samples_per_round,
        limits=Limits(budget_s, max_rounds, min_rounds),
        timeout_s=timeout_s,
        seed=seed,
        force=force,
        restart=restart,
    )
    images = options.preprocessing(image_size, layout, scale, mean, std)
    with Stop() as stop, Reporter(Console(stderr=True)) as report:
        profile = run(settings, open_dataset(dataset, labels, images), report, stop)
        report.say(f"written to {out}")
    _print(profile, json_=json_)


@app.command("tiers")
def tiers_command(
    profile: Annotated[Path, typer.Argument(help="Folder of a profile.")],
    spec: Annotated[Path, typer.Option(help="YAML that says which tiers are wanted.")],
    out: Annotated[Path, typer.Option(help="The tier table to write (JSON).")],
    json_: Annotated[
        bool, typer.Option("--json", help="Print the tier table as JSON instead of a table.")
    ] = False,
) -> None:
    """Compile the tiers that can be promised; those that cannot say why.

    Exit code 1: none of them can; no table is written.
    """
    from profiler.tiers import command as tiers

    table = tiers.compile_profile(profile, spec)
    tiers.show(table, Console(stderr=json_))
    if not table.tiers:
        raise typer.Exit(1)
    artefact.write(out, table)
    if json_:
        print(table.model_dump_json(indent=2))


@app.command("show")
def show_command(
    profile: Annotated[Path, typer.Argument(help="Folder of a profile.")],
    json_: Annotated[
        bool, typer.Option("--json", help="Print the summary as JSON instead of a table.")
    ] = False,
) -> None:
    """Print the table of a profile again."""
    from profiler.record.observations import open_profile

    _print(open_profile(profile).profile, json_=json_)


@app.command("dataset")
def dataset_command(
    name: Annotated[str, typer.Argument(help="fashion-mnist")],
    half: Annotated[Half, typer.Option(help="unseen: never used in profiles.")],
    out: Annotated[Path, typer.Option(help="The .npz file to write.")],
) -> None:
    """Export labelled data as an .npz: float32 inputs [N, …] and int64 labels [N]."""
    from profiler.datasets import FASHION_MNIST, arrays, load_fashion_mnist

    if name != FASHION_MNIST:
        raise typer.BadParameter(f"there is no data set {name!r}, only {FASHION_MNIST}")
    loaded = load_fashion_mnist(half.value)
    arrays.write(out, loaded)
    print(f"{len(loaded.labels)} samples {list(loaded.values.shape[1:])} written to {out}")


def _print(profile: Profile, *, json_: bool) -> None:
    from profiler.record.show import as_json, show

    if json_:
        print(as_json(profile))
    else:
        # Where there is no terminal to be as wide as, as wide as the table needs.
        show(profile, Console(width=None if sys.stdout.isatty() else _FILE_WIDTH))


def main() -> None:
    """Run the command line; a user's error is one line on stderr, never a traceback."""
    try:
        app()
    except TailqError as error:
        print(f"tailq-profile: {error}", file=sys.stderr)
        sys.exit(_exit_code(error))


def _exit_code(error: TailqError) -> int:
    if isinstance(error, Interrupted):
        return 128 + error.signal
    return _EXIT_TRITON_GONE if isinstance(error, TritonGone) else _EXIT_BAD_INPUT


if __name__ == "__main__":
    main()

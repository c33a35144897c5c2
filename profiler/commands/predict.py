"""`tailq-profile predict`."""

from pathlib import Path
from typing import Annotated

import typer

from profiler.commands import options
from profiler.commands.output import console


def predict(
    profile: Annotated[Path, typer.Argument(help="Folder of a profile.")],
    deadlines_ms: Annotated[
        str, typer.Option(help="Deadlines, milliseconds. [default: those of the profile]")
    ] = "",
    requests: Annotated[
        int | None,
        typer.Option(min=1, help="Requests in a round. [default: as many as samples]"),
    ] = None,
    method: Annotated[
        str, typer.Option(help="correlated, independent or published: docs/statistics.md.")
    ] = "correlated",
    load: Annotated[int | None, typer.Option(min=1, help="At one load. [default: each]")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the Monte Carlo of published.")] = 0,
    json_: Annotated[
        bool, typer.Option("--json", help="Print the predictions as JSON instead of a table.")
    ] = False,
) -> None:
    """Predict the quality of future rounds at deadlines: its mean and its tail."""
    from profiler.predict import command as predicting

    deadlines_s = options.seconds(deadlines_ms) if deadlines_ms else ()
    predictions = predicting.predict_profile(
        profile, deadlines_s, requests=requests, method=method, load=load, seed=seed
    )
    if json_:
        print(predictions.model_dump_json(indent=2))
    else:
        predicting.show(predictions, console())

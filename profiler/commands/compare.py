"""`tailq-profile compare`."""

from pathlib import Path
from typing import Annotated

import typer

from profiler.commands import options
from profiler.commands.output import console


def compare(
    old: Annotated[Path, typer.Argument(help="Folder of the earlier profile.")],
    new: Annotated[Path, typer.Argument(help="Folder of the later one, of the same service.")],
    deadlines_ms: Annotated[
        str, typer.Option(help="Deadlines to compare at. [default: those of NEW]")
    ] = "",
    json_: Annotated[
        bool, typer.Option("--json", help="Print every figure as JSON instead of a table.")
    ] = False,
) -> None:
    """What got worse from one profile to the next, and what better.

    Exit code 1: something got worse, with confidence.
    """
    from profiler.gates import command as gates
    from profiler.gates.show import show_compared

    deadlines_s = options.seconds(deadlines_ms) if deadlines_ms else ()
    compared = gates.compare_profiles(old, new, deadlines_s)
    if json_:
        print(compared.model_dump_json(indent=2))
    else:
        show_compared(compared, console())
    raise typer.Exit(int(bool(compared.went("worse"))))

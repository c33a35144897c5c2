"""`tailq-profile tiers`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tailq import artefact


def tiers(
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

    compiled = tiers.compile_profile(profile, spec)
    tiers.show(compiled, Console(stderr=json_))
    if not compiled.table.tiers:
        raise typer.Exit(1)
    artefact.write(out, compiled.table)
    if json_:
        print(compiled.table.model_dump_json(indent=2))

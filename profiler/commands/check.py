"""`tailq-profile check`."""

from pathlib import Path
from typing import Annotated

import typer

from profiler.commands.output import console


def check(
    profile: Annotated[Path, typer.Argument(help="Folder of a profile.")],
    tiers: Annotated[Path, typer.Option(help="The tier table whose promises are checked.")],
    strict: Annotated[
        bool, typer.Option("--strict", help="Fail unless every promise is proven again.")
    ] = False,
    json_: Annotated[
        bool, typer.Option("--json", help="Print the verdicts as JSON instead of a table.")
    ] = False,
) -> None:
    """Say of every promise of a tier table whether it is kept by what this profile measured.

    Exit code 1: one is broken, with confidence; with --strict: one is not proven to be kept.
    """
    from profiler.gates import command as gates
    from profiler.gates.show import show_checked

    checked = gates.check_profile(profile, tiers)
    if json_:
        print(checked.model_dump_json(indent=2))
    else:
        show_checked(checked, console())
    failures = ("broken", "plausible") if strict else ("broken",)
    raise typer.Exit(int(checked.verdict in failures))

"""`tailq-profile show`."""

from pathlib import Path
from typing import Annotated

import typer

from profiler.commands.output import print_profile


def show(
    profile: Annotated[Path, typer.Argument(help="Folder of a profile.")],
    json_: Annotated[
        bool, typer.Option("--json", help="Print the summary as JSON instead of a table.")
    ] = False,
) -> None:
    """Print the table of a profile again, or of what is there of one in OUT.partial."""
    from profiler.measure.unfinished import open_measured

    print_profile(open_measured(profile).profile, json_=json_)

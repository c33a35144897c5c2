"""`tailq-profile report`."""

from pathlib import Path
from typing import Annotated

import typer


def report(
    profile: Annotated[Path, typer.Argument(help="Folder of a profile.")],
    out: Annotated[Path, typer.Option(help="The HTML file to write.")],
    tiers: Annotated[
        Path | None, typer.Option(help="A tier table that was compiled from it.")
    ] = None,
    sweep: Annotated[Path | None, typer.Option(help="A sweep of the same service.")] = None,
) -> None:
    """Write all that is known of a service as one HTML file that fetches nothing."""
    from profiler.report import command as report

    size = report.write(profile, out, tiers, sweep)
    print(f"{size / 1e6:.1f} MB written to {out}")

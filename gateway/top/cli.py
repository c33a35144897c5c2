"""`tailq-gateway top`: asks a running gateway every two seconds and shows what it says."""

from typing import Annotated

import typer

from tailq.errors import TailqError


def top(
    admin: Annotated[
        str, typer.Option(metavar="URL", help="Of the gateway's admin listener.")
    ] = "http://127.0.0.1:8082",
    once: Annotated[
        bool, typer.Option("--once", help="Show it once, and end; so it is without a terminal.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what /v1/live says, once, for scripts.")
    ] = False,
) -> None:
    """Show whether a running gateway keeps its promises, until Ctrl-C."""
    try:
        _top(admin, once=once, as_json=as_json)
    except TailqError as error:
        typer.echo(f"tailq-gateway: {error}", err=True)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        raise typer.Exit from None


def _top(admin: str, *, once: bool, as_json: bool) -> None:
    # Late, so that the gateway itself starts without them.
    from rich.console import Console

    from gateway.top.fetch import fetch, parse
    from gateway.top.screen import screen
    from gateway.top.watch import watch

    content = fetch(admin)
    view = parse(content)
    if as_json:
        typer.echo(content)
        return
    console = Console(highlight=False)
    if once or not console.is_terminal:
        console.print(screen(view, console.width))
        return
    watch(console, admin, view)

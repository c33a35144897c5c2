"""`tailq-gateway key`: a new key for a client."""

import re
from typing import Annotated, Final

import typer

from gateway.clients import keys
from gateway.clients.settings import ANONYMOUS

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")  # as in tailq.tier.Name


def key(
    name: Annotated[str, typer.Argument(help="Of the client, for settings and metrics.")],
) -> None:
    """Make a key for a client: shown once; the settings hold only its hash."""
    if not _NAME.fullmatch(name) or name == ANONYMOUS:
        raise typer.BadParameter(
            f"{name!r} is no name of a client: lower-case letters, digits, '_', '.' and '-', at "
            f"most 63, and not {ANONYMOUS!r}"
        )
    made = keys.new()
    section = f'"{name}"' if "." in name else name
    typer.echo(
        "# For the client; it cannot be shown again:\n"
        f"{made}\n\n"
        "# For the gateway's settings file:\n"
        f"[clients.named.{section}]\n"
        f'keys = ["{keys.digest(made.encode())}"]'
    )

"""`tailq-gateway`: the gateway as a process."""

import asyncio
import json
import logging
import os
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tailq import artefact
from tailq.errors import ArtefactError, TailqError
from tailq.plan import Single
from tailq.tier import TierTable

if TYPE_CHECKING:
    from gateway.settings import Settings


class LogLevel(StrEnum):
    """How much is said on standard error."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def main() -> None:
    """Entry point of the command."""
    typer.run(run)


def run(
    tiers: Annotated[Path, typer.Option(help="Tier table: tiers.json of `tailq-profile tiers`.")],
    triton: Annotated[str, typer.Option(help="HOST:PORT of Triton's HTTP endpoint.")],
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: a free one.")] = 8080,
    max_body_mib: Annotated[int, typer.Option(min=1, help="Limit of a request's body.")] = 64,
    max_in_flight: Annotated[
        int, typer.Option(min=1, help="Requests at Triton at once; more are shed.")
    ] = 256,
    cancel_at_deadline: Annotated[
        bool,
        typer.Option(
            help="Cancel Triton's work when its answer comes too late (Triton 24.12 or later), "
            "instead of letting it end."
        ),
    ] = False,
    log_level: Annotated[LogLevel, typer.Option()] = LogLevel.INFO,
    as_json: Annotated[
        bool, typer.Option("--json", help="Say where it listens in JSON, for scripts.")
    ] = False,
) -> None:
    """Serve a model by tiers: each request is answered by its deadline."""
    logging.basicConfig(
        level=log_level.value.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    logging.getLogger("uvicorn").setLevel(max(logging.WARNING, logging.getLogger().level))
    try:
        table = _executable(artefact.read(tiers, TierTable), tiers)
        # Late, so that `--help` and a bad tier table are answered at once.
        from gateway.dataplane import Limits
        from gateway.settings import Settings, endpoint

        settings = Settings(
            triton=endpoint(triton),
            host=host,
            port=port,
            max_body=max_body_mib << 20,
            max_buffered=max(512, 2 * max_body_mib) << 20,
            limits=Limits(
                max_in_flight=max_in_flight,
                at_deadline="cancel" if cancel_at_deadline else "abandon",
            ),
        )
        _serve(table, settings, as_json=as_json)
    except TailqError as error:
        typer.echo(f"tailq-gateway: {error}", err=True)
        raise typer.Exit(2) from None


def _executable(table: TierTable, path: Path) -> TierTable:
    """The table, if this gateway can keep its promises. Raises ArtefactError if not."""
    for tier in table.tiers:
        for promise in tier.promises:
            if not isinstance(promise.plan, Single):
                raise ArtefactError(
                    f"{path}: tier {tier.name} has the plan {promise.plan}; this gateway executes "
                    "single plans; compile with plans: [single]"
                )
    return table


def _serve(table: TierTable, settings: "Settings", *, as_json: bool) -> None:
    from gateway.app import bind, serve

    _allow_files(2 * (settings.patience.connections + settings.limits.max_in_flight))
    listener = bind(settings.host, settings.port)
    address, port = listener.getsockname()[:2]
    url = f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"

    def ready() -> None:
        said = f"tailq-gateway serves {table.service!r} at {url}"
        if as_json:
            said = json.dumps({"url": url, "pid": os.getpid(), "service": table.service})
        print(said, flush=True)

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(serve(table, settings, listener, ready))


def _allow_files(count: int) -> None:
    """Raise the limit of open files (often 1024) to `count`, as far as this process may."""
    try:
        import resource
    except ImportError:  # not a POSIX system, and no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < count:
        allowed = count if hard == resource.RLIM_INFINITY else min(count, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The one of uvloop where there is one; asyncio's own otherwise (Windows)."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


if __name__ == "__main__":
    main()

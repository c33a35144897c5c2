"""`tailq-gateway`: the gateway as a process, or as several."""

import asyncio
import json
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tailq.errors import TailqError

if TYPE_CHECKING:
    from gateway.reload.source import Source
    from gateway.serving.addresses import Addresses


app = typer.Typer(add_completion=False)
_AT_DEADLINE = {None: None, True: "cancel", False: "abandon"}


def main() -> None:
    """Entry point of the command."""
    from gateway.clients.cli import key
    from gateway.top.cli import top

    app.command()(key)
    app.command()(top)
    app()


@app.callback(invoke_without_command=True)
def run(
    context: typer.Context,
    settings: Annotated[
        Path | None, typer.Option(help="Settings in TOML; what is also given here wins.")
    ] = None,
    tiers: Annotated[
        Path | None, typer.Option(help="Tier table: tiers.json of `tailq-profile tiers`.")
    ] = None,
    triton: Annotated[
        list[str] | None,
        typer.Option(help="HOST:PORT of a Triton's HTTP endpoint; may be given several times."),
    ] = None,
    host: Annotated[
        str | None, typer.Option(help="Address of the data listeners.  [127.0.0.1]")
    ] = None,
    port: Annotated[
        str | None,
        typer.Option(
            metavar="PORT", help="REST; gRPC and admin are the next two. 0: free ones.  [8080]"
        ),
    ] = None,
    grpc_port: Annotated[
        str | None, typer.Option(metavar="PORT", help="gRPC.  [--port + 1]")
    ] = None,
    admin_port: Annotated[
        str | None, typer.Option(metavar="PORT", help="Page, metrics, state, reload.  [--port + 2]")
    ] = None,
    workers: Annotated[str | None, typer.Option(metavar="N", help="Processes.  [1]")] = None,
    max_body_mib: Annotated[
        str | None, typer.Option(metavar="N", help="Limit of a request's body.  [64]")
    ] = None,
    cancel_at_deadline: Annotated[
        bool | None,
        typer.Option(
            help="Cancel Triton's work when its answer comes too late (Triton 24.12 or later), "
            "instead of letting it end.  [no]"
        ),
    ] = None,
    probes: Annotated[
        Path | None,
        typer.Option(help="Labelled samples to send now and then: probes.npz of the profile."),
    ] = None,
    log_level: Annotated[
        str | None, typer.Option(help="debug, info, warning or error.  [info]")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Say what would be served, or what is wrong, and end.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Say where it listens in JSON, for scripts.")
    ] = False,
) -> None:
    """Serve a model by tiers: each request is answered by its deadline."""
    if context.invoked_subcommand is not None:
        return
    # Late, so that `--help` is answered at once.
    from gateway.reload.source import Source
    from gateway.settings import Given

    # Numbers are parsed with all other settings, so that every mistake is told in the same way.
    given = {
        ("tiers", "--tiers"): tiers,
        ("upstream.endpoints", "--triton"): triton or None,
        ("listen.host", "--host"): host,
        ("listen.http_port", "--port"): port,
        ("listen.grpc_port", "--grpc-port"): grpc_port,
        ("listen.admin_port", "--admin-port"): admin_port,
        ("listen.workers", "--workers"): workers,
        ("limits.max_body", "--max-body-mib"): max_body_mib and f"{max_body_mib}MiB",
        ("limits.at_deadline", "--cancel-at-deadline"): _AT_DEADLINE[cancel_at_deadline],
        ("probes.file", "--probes"): probes,
        ("log.level", "--log-level"): log_level,
    }
    flags = [
        Given(tuple(path.split(".")), value, flag)
        for (path, flag), value in given.items()
        if value is not None
    ]
    try:
        _run(Source(settings, flags), check=check, as_json=as_json)
    except TailqError as error:
        for line in str(error).splitlines():
            typer.echo(f"tailq-gateway: {line}", err=True)
        raise typer.Exit(2) from None


def _run(source: "Source", *, check: bool, as_json: bool) -> None:
    from gateway import logs

    settings = source.settings()
    served = source.served(settings)
    from gateway.check import cautions, report

    if check:
        for line in report(settings, served):
            typer.echo(line)
        return
    logs.configure(settings.log.level, settings.log.format)
    for line in cautions(settings, served):
        logging.getLogger("tailq.gateway").warning("%s", line)

    def ready(addresses: "Addresses") -> None:
        secure = settings.listen.tls is not None
        url = f"{'https' if secure else 'http'}://{addresses.http}"
        said = (
            f"tailq-gateway serves {served.table.service!r} at {url}, gRPC at {addresses.grpc}"
            f"{' over TLS' if secure else ''}, admin at http://{addresses.admin}"
        )
        if as_json:
            said = json.dumps(
                {
                    "url": url,
                    "grpc": addresses.grpc,
                    "admin": f"http://{addresses.admin}",
                    "pid": os.getpid(),
                    "service": served.table.service,
                }
            )
        print(said, flush=True)

    from gateway.serving.process import allow_files, loop_factory

    allow_files(settings)
    if settings.listen.workers == 1:
        from gateway.serving.alone import serve
    else:
        from gateway.workers.supervisor import serve
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(serve(source, settings, served, ready))


if __name__ == "__main__":
    main()

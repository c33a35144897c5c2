"""Wiring of the demo: the steps in order, on the embedded Triton or one of your own."""

import json
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deploy.demo.steps import REPOSITORY, ROOT, SERVICE, Demo, Listening
from deploy.embedded import EmbeddedTriton
from tailq import artefact, samples
from tailq.errors import TailqError
from tailq.tier import TierTable

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Exit after the report.")] = False,
    triton: Annotated[
        str | None,
        typer.Option(help="HOST:PORT of the HTTP endpoint of a Triton that serves the models."),
    ] = None,
    triton_grpc: Annotated[
        str | None, typer.Option(help="Its gRPC endpoint; else the port after that of HTTP.")
    ] = None,
    port: Annotated[int, typer.Option(help="Of the gateway; 0 takes a free one.")] = 0,
    duration_s: Annotated[float, typer.Option(help="Seconds of load.")] = 60.0,
    out: Annotated[Path, typer.Option(help="Folder for everything made.")] = Path("build/demo"),
) -> None:
    """Profile the variants, compile tiers, serve them, and hold delivery against promise.

    Exit code 0: every promise was kept. 1: one was broken. Else: a step failed and said why.
    """
    folder = out.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    steps = Demo(folder, Console())
    steps.prepare_data()
    with _triton(steps, triton, triton_grpc) as (http, grpc):
        steps.measure(grpc)
        steps.compile()
        steps.describe()
        with steps.gateway(http, port) as gateway:
            kept = steps.load(gateway, duration_s)
            steps.console.print(f"Report: {_short(steps.report)}; profile: {_short(steps.page)}")
            if not once:
                invite(steps, gateway)
                _wait_for_interrupt()
    raise typer.Exit(0 if kept else 1)


@contextmanager
def _triton(steps: Demo, http: str | None, grpc: str | None) -> Iterator[tuple[str, str]]:
    """The HTTP and gRPC address of the user's Triton, or of an embedded one for the time being."""
    if http is not None:
        yield http, grpc or _next_port(http)
        return
    steps.console.rule("[bold]Triton: the real server, embedded", align="left")
    with EmbeddedTriton(REPOSITORY, log_dir=steps.folder / "triton") as server:
        steps.console.print(f"HTTP {server.endpoints.http}, gRPC {server.endpoints.grpc}")
        yield server.endpoints.http, server.endpoints.grpc


def _next_port(address: str) -> str:
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise TailqError(f"--triton {address}: wants HOST:PORT of Triton's HTTP endpoint")
    return f"{host}:{int(port) + 1}"


def invite(steps: Demo, gateway: Listening) -> None:
    """Say what can be tried now; each command can be copied as it is."""
    labelled = samples.read(steps.unseen)
    tensor = {
        "name": "images",
        "shape": [1, 1, 28, 28],
        "datatype": "FP32",
        "data": labelled.inputs[0].ravel().tolist(),
    }
    request = steps.folder / "request.json"
    request.write_text(json.dumps({"inputs": [tensor]}))
    base, unseen = f"http://{gateway.http}", _short(steps.unseen)
    told = json.dumps({"request_id": "try-1", "label": int(labelled.labels[0])})
    # What was measured on a busy machine may not prove them all.
    offered = [tier.name for tier in artefact.read(steps.tiers, TierTable).tiers]
    steps.console.rule("[bold]Serving: try it, Ctrl-C ends", align="left")
    # Plain print: commands must not be wrapped where they are to be copied.
    print(f"http://{gateway.admin}/ in a browser: what is promised and delivered, live")
    print(f"curl {base}/v1/tiers")
    named = f"-H 'tailq-tier: {offered[0]}' -H 'tailq-request-id: try-1'"
    print(f"curl -i {base}/v2/models/{SERVICE}/infer {named} -d @{_short(request)}")
    print(f"curl {base}/v1/feedback -d '{told}'")
    print(f"curl http://{gateway.admin}/metrics")
    print(
        f"{_short(Path(sys.executable))} -m deploy.demo.ask {gateway.http} {unseen} {offered[-1]}"
    )


def _short(path: Path) -> str:
    """The path as one would type it in the project's folder."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def _wait_for_interrupt() -> None:
    with suppress(KeyboardInterrupt):
        threading.Event().wait()


def main() -> None:
    """Entry point: what a step could not do is one line on stderr."""
    # SIGTERM unwinds like Ctrl-C does, so that Triton and the gateway are stopped on the way; and
    # a shell starts background jobs with SIGINT ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        app()
    except TailqError as error:
        print(f"demo: {error}", file=sys.stderr)
        sys.exit(getattr(error, "code", 2))
    except KeyboardInterrupt:
        sys.exit(130)

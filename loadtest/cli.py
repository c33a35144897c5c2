"""`tailq-load`: load on a gateway, real (`run`) or simulated (`simulate`), and the verdict."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from loadtest import arrivals, live, openloop, rates, report
from loadtest.feedback import Feedback
from loadtest.simulation.command import simulate
from tailq import artefact, samples
from tailq.errors import TailqError
from tailq.tier import TierTable

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


app.command()(simulate)


@app.command()
def run(
    gateway: Annotated[str, typer.Option(help="HOST:PORT of the gateway.")],
    tiers: Annotated[Path, typer.Option(help="The tier table the gateway serves.")],
    data: Annotated[Path, typer.Option(help=".npz with inputs [N, …] and labels [N].")],
    out: Annotated[Path, typer.Option(help="Where the report goes (JSON).")],
    rate: Annotated[
        list[str] | None,
        typer.Option(help="Requests a second of all tiers, or TIER=NUMBER; else 10 each."),
    ] = None,
    duration_s: Annotated[float, typer.Option(min=1, max=86_400, help="Seconds of load.")] = 60.0,
    seed: Annotated[int, typer.Option(help="Of arrivals and the order of samples.")] = 0,
    admin: Annotated[
        str | None,
        typer.Option(
            help="HOST:PORT of its admin listener, for what it says itself that it delivered."
        ),
    ] = None,
    feedback: Annotated[
        float,
        typer.Option(min=0, max=1, help="Share of the requests whose label it is told afterwards."),
    ] = 0.0,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Send labelled samples to every tier and hold the delivery against the promise.

    Exit code 0: every promise was kept. 1: one was broken. 2: it could not be run.
    """
    table = artefact.read(tiers, TierTable)
    labelled = samples.read(data)
    streams = make_streams(table, len(labelled.labels), rate or [], duration_s, seed)
    console = Console(stderr=True)
    replies: list[openloop.Reply] = []
    with Progress(
        TextColumn("load"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total} answered"),
        TimeRemainingColumn(),
        console=console,
    ) as progress:
        task = progress.add_task("load", total=sum(s.arrivals_s.size for s in streams))

        def on_reply(reply: openloop.Reply) -> None:
            replies.append(reply)
            progress.advance(task)

        labels = Feedback(gateway, feedback, seed)
        said = asyncio.run(_run(gateway, admin, table, streams, labelled, on_reply, labels))
    verdict = report.judge(table, replies, duration_s, said, labels.counts)
    out.parent.mkdir(parents=True, exist_ok=True)
    artefact.write(out, verdict)
    if json:
        print(verdict.model_dump_json(indent=2))
    else:
        Console().print(report.as_table(verdict))
    if verdict.feedback:
        told = ", ".join(f"{count} {result}" for result, count in verdict.feedback.items() if count)
        console.print(f"feedback: {told}", markup=False)
    for text, count in verdict.errors.items():
        console.print(f"{count} × {text}", markup=False)
    raise typer.Exit(0 if verdict.kept else 1)


async def _run(
    gateway: str,
    admin: str | None,
    table: TierTable,
    streams: list[openloop.Stream],
    labelled: samples.Samples,
    on_reply: openloop.OnReply,
    labels: Feedback,
) -> dict[str, dict[str, float]]:
    """Drive the load. Returns what the gateway says it delivered meanwhile, if `admin` is given."""
    target = await openloop.find_target(gateway, table)
    before = await live.counted(admin) if admin else {}
    async with labels:
        await openloop.drive(target, streams, labelled, on_reply, labels.learn)
    return live.since(before, await live.counted(admin)) if admin else {}


def make_streams(
    table: TierTable, available: int, wanted: list[str], duration_s: float, seed: int
) -> list[openloop.Stream]:
    """One Poisson stream for each offered tier, each over its own shuffle of the samples.

    Samples repeat only once all `available` ones were sent. Raises TailqError on a bad rate.
    """
    streams = []
    for order, (name, per_second) in enumerate(rates.parse(wanted, table).items()):
        rng = np.random.default_rng([seed, order])
        times = arrivals.poisson(per_second, duration_s, rng)
        chosen = np.resize(rng.permutation(available), times.size)
        streams.append(openloop.Stream(name, times, chosen))
    return streams


def main() -> None:
    """Entry point: a user's mistake is one line on stderr and exit code 2."""
    try:
        app()
    except TailqError as error:
        print(f"tailq-load: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()

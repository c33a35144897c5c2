"""Run the benchmark of live accounting; the last line of output is JSON."""

import json
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.gateway.clients import Client, RestClient
from benchmarks.gateway.process import Serving, gateway
from benchmarks.gateway.rounds import ratio, throughput
from benchmarks.gateway.table import SMALL
from benchmarks.live import inprocess
from deploy.embedded import EmbeddedTriton

REPOSITORY = Path(__file__).resolve().parents[2] / "model_repository" / "fashion"
IN_FLIGHT = 4
ROUNDS, SECONDS = 12, 3.0
MODULES = {"with": "gateway.cli", "without": "benchmarks.live.bare"}


def main() -> None:
    """Measure, print what it is made of, and the ratios as JSON."""
    console = Console()
    costs = inprocess.measure()
    rates, cpu_us = _on_triton()
    _show(costs, rates, cpu_us, console)
    print(
        json.dumps(
            {
                "inprocess_us": round(costs.with_us - costs.without_us, 2),
                "inprocess_throughput": round(costs.ratio, 3),
                "rest_throughput": round(ratio(rates, "with", "without"), 3),
                "rest_cpu": round(median_ratio(cpu_us), 3),
            }
        )
    )


def median_ratio(cpu_us: dict[str, list[float]]) -> float:
    """Of processor time a request, with over without, round by round."""
    return median(a / b for a, b in zip(cpu_us["with"], cpu_us["without"], strict=True))


def _on_triton() -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Answers a second, and microseconds of processor time a request, by way and round."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        triton = stack.enter_context(EmbeddedTriton(REPOSITORY, log_dir=folder, models=[SMALL]))
        serving = {
            name: stack.enter_context(gateway(triton.endpoints.http, folder, module))
            for name, module in MODULES.items()
        }
        cpu_us: dict[str, list[float]] = {name: [] for name in serving}
        rates: dict[str, list[float]] = {name: [] for name in serving}
        with Progress(transient=True) as bar:
            task = bar.add_task("in turns", total=ROUNDS)
            for number in range(ROUNDS):
                for name in sorted(serving, reverse=number % 2 == 0):
                    rate, spent = _saturate(serving[name])
                    rates[name].append(rate)
                    cpu_us[name].append(spent)
                bar.advance(task)
    return rates, cpu_us


def _saturate(one: Serving) -> tuple[float, float]:
    before = one.cpu_s()
    make: Callable[[], Client] = partial(RestClient, one.rest, "fashion", "small")
    [rate] = throughput({"": make}, 1, IN_FLIGHT, SECONDS, lambda: None)[""]
    return rate, (one.cpu_s() - before) / (rate * SECONDS) * 1e6


def _show(
    costs: inprocess.Costs,
    rates: dict[str, list[float]],
    cpu_us: dict[str, list[float]],
    console: Console,
) -> None:
    table = Table("", "µs", title="the dataplane alone, an upstream that answers at once")
    table.add_row("without", f"{costs.without_us:.2f}")
    table.add_row("with", f"{costs.with_us:.2f}")
    table.add_section()
    for name, spent in costs.parts.items():
        table.add_row(name, f"{spent:.2f}")
    console.print(table)
    table = Table(
        "",
        "answers/s",
        "CPU µs",
        title=f"REST, {SMALL}, {IN_FLIGHT} in flight; medians over rounds",
    )
    for name, values in rates.items():
        table.add_row(name, f"{median(values):.0f}", f"{median(cpu_us[name]):.0f}")
    console.print(table)


if __name__ == "__main__":
    main()

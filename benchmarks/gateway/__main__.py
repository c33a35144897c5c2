"""Run the benchmark of the gateway; the last line of output is JSON."""

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks import decision
from benchmarks.gateway.clients import Client, GrpcClient, RestClient
from benchmarks.gateway.haproxy import BINARY, haproxy
from benchmarks.gateway.process import Serving, gateway
from benchmarks.gateway.rounds import Latencies, latencies, ratio, throughput
from benchmarks.gateway.table import HEAVY, SMALL
from deploy.embedded import EmbeddedTriton

REPOSITORY = Path(__file__).resolve().parents[2] / "model_repository" / "fashion"
IN_FLIGHT = 4
# Rounds and requests a round, one in flight; rounds and seconds a round, saturated.
PACES = {SMALL: (40, 150), HEAVY: (20, 20)}
SATURATION = {SMALL: (10, 1.0), HEAVY: (6, 4.0)}


@dataclass
class Measured:
    """All figures of a run, by protocol ("rest", "grpc") and variant."""

    latencies: dict[tuple[str, str], dict[str, Latencies]] = field(default_factory=dict)
    rates: dict[tuple[str, str], dict[str, list[float]]] = field(default_factory=dict)
    cpu_s: dict[tuple[str, str], float] = field(default_factory=dict)


def main() -> None:
    """Measure, print a table, and the ratios of the gateway to Triton directly as JSON."""
    console = Console()
    with (
        tempfile.TemporaryDirectory() as name,
        EmbeddedTriton(REPOSITORY, log_dir=Path(name), models=[SMALL, HEAVY]) as triton,
        gateway(triton.endpoints.http, Path(name)) as serving,
    ):
        ways = {
            "rest": {"direct": triton.endpoints.http, "gateway": serving.rest},
            "grpc": {"direct": triton.endpoints.grpc, "gateway": serving.grpc},
        }
        if BINARY is None:
            console.print("without HAProxy, the floor (apt-get install haproxy)")
            measured = _measure(ways, serving)
        else:
            with haproxy(triton.endpoints, Path(name)) as (rest, grpc):
                ways["rest"]["HAProxy"], ways["grpc"]["HAProxy"] = rest, grpc
                measured = _measure(ways, serving)
    _show(measured, console)
    print(json.dumps(_figures(measured)))


def _measure(ways: dict[str, dict[str, str]], serving: Serving) -> Measured:
    measured = Measured()
    with Progress(transient=True) as bar:
        rounds = [*PACES.values(), *SATURATION.values()]
        steps = 2 * sum(number for number, _ in rounds)
        task = bar.add_task("in turns", total=steps)
        step = partial(bar.advance, task)
        for protocol, addresses in ways.items():
            for variant in PACES:
                makers = _makers(protocol, variant, addresses)
                _in_turns(measured, serving, protocol, variant, makers, step)
            for variant, (number, seconds) in SATURATION.items():
                makers = _makers(protocol, variant, addresses)
                measured.rates[protocol, variant] = throughput(
                    makers, number, IN_FLIGHT, seconds, step
                )
    return measured


def _makers(
    protocol: str, variant: str, addresses: dict[str, str]
) -> dict[str, Callable[[], Client]]:
    kind = RestClient if protocol == "rest" else GrpcClient
    tier = "small" if variant == SMALL else "heavy"
    # Through the gateway and HAProxy the tier says which variant; gRPC through HAProxy cannot.
    named = {"gateway": "fashion", "HAProxy": "fashion" if protocol == "rest" else variant}
    return {
        way: partial(kind, address, named.get(way, variant), tier)
        for way, address in addresses.items()
    }


def _in_turns(
    measured: Measured,
    serving: Serving,
    protocol: str,
    variant: str,
    makers: dict[str, Callable[[], Client]],
    step: Callable[[], None],
) -> None:
    clients = {way: make() for way, make in makers.items()}
    rounds, requests = PACES[variant]
    before = serving.cpu_s()
    measured.latencies[protocol, variant] = latencies(clients, rounds, requests, step)
    asked = (rounds + 1) * requests
    measured.cpu_s[protocol, variant] = (serving.cpu_s() - before) / asked
    for client in clients.values():
        client.close()


def _figures(measured: Measured) -> dict[str, float]:
    figures: dict[str, float] = {}
    suffixes = {SMALL: "", HEAVY: "_heavy"}
    for variant, suffix in suffixes.items():
        for protocol in ("rest", "grpc"):
            of = measured.latencies[protocol, variant]
            for percentile in (50, 99):
                value = of["gateway"].over(of["direct"], percentile)
                figures[f"{protocol}_p{percentile}{suffix}"] = round(value, 3)
    for (protocol, variant), rates in measured.rates.items():
        name = f"{protocol}_throughput{suffixes[variant]}"
        figures[name] = round(ratio(rates, "gateway", "direct"), 3)
    figures["decision_us"] = round(decision.measure()["moving_p50"], 1)
    return figures


def _show(measured: Measured, console: Console) -> None:
    table = Table(
        *("", "", "p50 ms", "over direct", "p99 ms", "over direct", "CPU µs"),
        title="one request in flight, in turns; medians over rounds",
    )
    for (protocol, variant), of in measured.latencies.items():
        for way, taken in of.items():
            cpu = measured.cpu_s[protocol, variant] * 1e6
            table.add_row(
                f"{protocol} {variant}",
                way,
                f"{taken.milliseconds(50):.3f}",
                f"{taken.over(of['direct'], 50):.3f}",
                f"{taken.milliseconds(99):.3f}",
                f"{taken.over(of['direct'], 99):.3f}",
                f"{cpu:.0f}" if way == "gateway" else "",
            )
        table.add_section()
    console.print(table)
    table = Table("", "", "answers/s", "over direct", title=f"saturated, {IN_FLIGHT} in flight")
    for (protocol, variant), rates in measured.rates.items():
        for way, values in rates.items():
            over = f"{ratio(rates, way, 'direct'):.3f}"
            table.add_row(f"{protocol} {variant}", way, f"{median(values):.1f}", over)
        table.add_section()
    console.print(table)


if __name__ == "__main__":
    main()

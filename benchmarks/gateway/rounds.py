"""Latency and throughput of several ways to one Triton, measured in turns."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from benchmarks.gateway.clients import Client

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Latencies:
    """seconds: [rounds, requests], one request in flight."""

    seconds: Floats

    def over(self, other: "Latencies", percentile: float) -> float:
        """Ratio of a percentile to that of `other`, of each round: the median over rounds.

        The rounds of both were measured side by side, so that what the machine did meanwhile
        cancels out.
        """
        own, theirs = (np.percentile(one.seconds, percentile, axis=1) for one in (self, other))
        return float(np.median(own / theirs))

    def milliseconds(self, percentile: float) -> float:
        """The median over rounds of a percentile."""
        return float(np.median(np.percentile(self.seconds, percentile, axis=1))) * 1000


def latencies(
    clients: Mapping[str, Client], rounds: int, requests: int, progress: Callable[[], None]
) -> dict[str, Latencies]:
    """Each client asks `requests` times a round, then the next one does."""
    taken: dict[str, list[list[float]]] = {name: [] for name in clients}
    for client in clients.values():
        for _ in range(requests):
            client.ask()
    for number in range(rounds):
        names = list(clients)
        # Whoever comes after a slow one is slow: each has its turn in each place.
        names = names[number % len(names) :] + names[: number % len(names)]
        for name in names:
            taken[name].append([_timed(clients[name]) for _ in range(requests)])
        progress()
    return {name: Latencies(np.array(seconds)) for name, seconds in taken.items()}


def throughput(
    makers: Mapping[str, Callable[[], Client]],
    rounds: int,
    in_flight: int,
    seconds: float,
    progress: Callable[[], None],
) -> dict[str, list[float]]:
    """Answers a second of each way, by round, with so many clients asking in a closed loop."""
    rates: dict[str, list[float]] = {name: [] for name in makers}
    crowds = {name: [make() for _ in range(in_flight)] for name, make in makers.items()}
    for number in range(rounds):
        names = list(makers)
        for name in names if number % 2 == 0 else reversed(names):
            rates[name].append(_saturate(crowds[name], seconds))
        progress()
    for crowd in crowds.values():
        for client in crowd:
            client.close()
    return rates


def ratio(rates: Mapping[str, list[float]], name: str, reference: str) -> float:
    """Median over rounds of the ratio of both rates."""
    return median(a / b for a, b in zip(rates[name], rates[reference], strict=True))


def _timed(client: Client) -> float:
    began = time.perf_counter()
    client.ask()
    return time.perf_counter() - began


def _saturate(crowd: list[Client], seconds: float) -> float:
    counts = [0] * len(crowd)
    barrier = threading.Barrier(len(crowd) + 1)
    errors: list[Exception] = []

    def work(number: int) -> None:
        barrier.wait()
        try:
            while time.perf_counter() < until:
                crowd[number].ask()
                counts[number] += 1
        except Exception as error:  # noqa: BLE001  (raised again, in the main thread)
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(crowd))]
    for thread in threads:
        thread.start()
    until = time.perf_counter() + seconds
    began = time.perf_counter()
    barrier.wait()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return sum(counts) / (time.perf_counter() - began)

"""The system under measurement, put under the conditions of each cell and left as it was."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from itertools import cycle, islice

import numpy as np

from profiler.datasets import Dataset
from profiler.errors import ModelError
from profiler.measure.drive import Driven, Driver, Request
from profiler.measure.feed import Feed
from profiler.measure.interrupt import Stop
from profiler.measure.triton import Triton
from profiler.measure.wire import Variant
from profiler.sweep.cpus import Cpus, find_triton
from profiler.sweep.factors import Conditions
from profiler.sweep.forwarder import Forwarder
from profiler.sweep.instances import Instances
from profiler.sweep.settings import Settings

# Samples that a neighbour is asked over and over.
_NEIGHBOURLY = 32
_FEWEST_TO_WARM = 4


@dataclass(frozen=True)
class System:
    """A Triton and what can be changed around it.

    direct: connections to it, for the answers and for neighbours. timed: those that are measured;
    they lead through `network` where there is one. neighbours: requests by model. None: what no
    cell changes.
    """

    direct: Driver
    timed: Driver
    neighbours: dict[str, list[Request]]
    network: Forwarder | None
    instances: Instances | None
    cpus: Cpus | None

    def drive(self, requests: Sequence[Request], wanted: Conditions, seed: list[int]) -> Driven:
        """Send requests under the wanted conditions, after some that nobody looks at.

        seed: of the network's jitter. Raises TailqError of many kinds.
        """
        warming = max(_FEWEST_TO_WARM, 2 * wanted.concurrency, 2 * (wanted.instances or 1))
        with self._under(wanted, seed):
            self.timed.drive(list(islice(cycle(requests), warming)), wanted.concurrency)
            return self.timed.drive(requests, wanted.concurrency)

    @contextmanager
    def _under(self, wanted: Conditions, seed: list[int]) -> Iterator[None]:
        # The threads of new instances are limited with the others: the CPUs come after them.
        if self.instances and wanted.instances:
            self.instances.limit(wanted.variant, wanted.instances)
        if self.cpus and wanted.cpus:
            self.cpus.limit(wanted.cpus)
        if self.network:
            self.network.slow(wanted.delay_s or 0.0, wanted.jitter_s or 0.0, seed)
        with ExitStack() as stack:
            if wanted.neighbour:
                requests = self.neighbours[wanted.neighbour.model]
                stack.enter_context(self.direct.occupy(requests, wanted.neighbour.count))
            yield


@contextmanager
def open_system(
    settings: Settings,
    triton: Triton,
    dataset: Dataset,
    cells: Sequence[Conditions],
    stop: Stop,
) -> Iterator[System]:
    """Open what the cells need; at the end everything is as it was before.

    Raises BadRequest, ModelError or TritonGone where a factor cannot be varied here.
    """
    variants = list(dict.fromkeys(cell.variant for cell in cells))
    busy = [cell.neighbour for cell in cells if cell.neighbour]
    serving = list(dict.fromkeys([*variants, *(each.model for each in busy)]))
    beside = [triton.variant(each) for each in dict.fromkeys(each.model for each in busy)]
    with ExitStack() as stack:

        def driver(address: str, workers: int) -> Driver:
            opened = Driver(
                address,
                workers=workers,
                timeout_s=settings.timeout_s,
                check=lambda: triton.check_serving(serving),
                stop=stop,
            )
            return stack.enter_context(closing(opened))

        network, instances, cpus = None, None, None
        if any(cell.delay_s is not None or cell.jitter_s is not None for cell in cells):
            network = stack.enter_context(closing(Forwarder(settings.triton)))
        if any(cell.instances for cell in cells):
            instances = stack.enter_context(closing(Instances(triton, variants)))
        if limits := [cell.cpus for cell in cells if cell.cpus]:
            pid = settings.triton_pid or find_triton(settings.triton)
            cpus = stack.enter_context(closing(Cpus(pid, max(limits))))
        direct = driver(settings.triton, max(len(variants), *(each.count for each in busy), 1))
        timed = driver(
            network.address if network else settings.triton,
            max(cell.concurrency for cell in cells),
        )
        neighbours = _neighbours(beside, dataset, direct)
        timed.connect()
        yield System(direct, timed, neighbours, network, instances, cpus)


def _neighbours(
    models: Sequence[Variant], dataset: Dataset, driver: Driver
) -> dict[str, list[Request]]:
    """Requests of each neighbour. Raises ModelError if one answers none."""
    feed = Feed(dataset, models)
    samples = np.arange(min(_NEIGHBOURLY, len(dataset.labels)))[:, None]
    requests = {model.name: feed.groups(model, samples) for model in models}
    for name, asked in requests.items():
        driven = driver.drive(asked[:1], 1)
        if driven.answers[0] is None:
            raise ModelError(
                f"model {name} cannot be a neighbour: it does not answer; Triton says: {driven.why}"
            )
    return requests

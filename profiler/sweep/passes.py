"""The two passes of a sweep: what is answered, and when in each cell."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from profiler.errors import DatasetError, ModelError
from profiler.measure.bench import Bench, now
from profiler.measure.drive import Request
from profiler.measure.feed import Feed
from profiler.measure.interrupt import Stop
from profiler.measure.progress import Reporter
from profiler.sweep.attribution import FEWEST_ROUNDS
from profiler.sweep.factors import Conditions
from profiler.sweep.journal import SweepJournal
from profiler.sweep.rounds import Round, draw
from profiler.sweep.settings import Settings
from profiler.sweep.system import System

# Samples in a chunk of answers: what is lost at most when the sweep is killed.
_CHUNK = 128


class SweepMeasurement:
    """One sweep, from wherever its journal stands to its end."""

    def __init__(
        self,
        settings: Settings,
        cells: Sequence[Conditions],
        system: System,
        bench: Bench,
        journal: SweepJournal,
        report: Reporter,
        stop: Stop,
    ) -> None:
        self._settings = settings
        self._cells = cells
        self._system = system
        self._bench = bench
        self._journal = journal
        self._report = report
        self._stop = stop
        self._feed = Feed(bench.dataset, bench.variants)
        self._variants = {variant.name: variant for variant in bench.variants}
        self._done = 0  # cells of this run
        # As if it had been measured without interruption.
        self._zero = now() - journal.elapsed_s

    def answers(self) -> None:
        """Ask every variant all samples once, in batches. Raises TailqError."""
        samples = len(self._bench.dataset.labels)
        missing = [at for at in range(0, samples, _CHUNK) if not self._journal.has_answers(at)]
        if missing:
            self._report.phase(f"Answers of {len(self._variants)} variants to {samples} samples")
        for done, start in enumerate(missing):
            self._stop.check()
            left_s = self._report.left_at(done, len(missing) - done)
            self._report.step(f"{start}/{samples}", left_s)
            chunk = self._bench.answers(start, min(start + _CHUNK, samples))
            self._journal.add_answers(start, chunk, self._elapsed())

    def rounds(self) -> Literal["rounds", "budget"]:
        """Measure round after round over all cells, until it is enough. Raises TailqError."""
        settings, journal = self._settings, self._journal
        self._report.phase(f"Latency in {len(self._cells)} cells")
        began, before = now(), len(journal.rounds)
        while (count := len(journal.rounds)) < settings.rounds:
            if count >= FEWEST_ROUNDS and self._over_budget(now() - began, count - before):
                return "budget"
            latency_s = self._round(count)
            journal.add_round(latency_s, self._elapsed())
        return "rounds"

    def _over_budget(self, spent_s: float, rounds: int) -> bool:
        """Whether another round like those of this run would end after the budget."""
        expected_s = self._elapsed() + (spent_s / rounds if rounds else 0.0)
        return self._settings.budget_s is not None and expected_s > self._settings.budget_s

    def _round(self, number: int) -> NDArray[np.float64]:
        """Latencies of a round: [C, requests]."""
        settings = self._settings
        drawn = draw(
            settings.seed,
            number,
            cells=len(self._cells),
            samples=len(self._bench.dataset.labels),
        )
        latency_s = np.full((len(self._cells), settings.requests_per_round), np.inf)
        made: dict[tuple[str, int], list[Request]] = {}
        for done, cell in enumerate(drawn.order.tolist()):
            self._stop.check()
            self._tell(number, done)
            wanted = self._cells[cell]
            look = wanted.variant, wanted.batch
            if look not in made:
                made[look] = self._requests(wanted, drawn)
            driven = self._system.drive(made[look], wanted, [settings.seed, number, cell])
            if all(answer is None for answer in driven.answers):
                raise ModelError(
                    f"model {wanted.variant} answered none of its requests with "
                    f"{wanted.concurrency} in flight, {wanted.batch} samples each; Triton says: "
                    f"{driven.why}"
                )
            latency_s[cell] = driven.latency_s
        return latency_s

    def _requests(self, wanted: Conditions, drawn: Round) -> list[Request]:
        variant = self._variants[wanted.variant]
        asked = drawn.asked(self._settings.requests_per_round, wanted.batch)
        try:
            return self._feed.groups(variant, asked)
        except ValueError:  # of np.stack
            raise DatasetError(
                f"{self._bench.dataset.name}: samples differ in shape and cannot share a request; "
                "leave the factor batch out"
            ) from None

    def _tell(self, number: int, done: int) -> None:
        """Progress, counted in cells."""
        settings, cells = self._settings, len(self._cells)
        gone = number * cells + done
        left_s = self._report.left_at(self._done, settings.rounds * cells - gone)
        if settings.budget_s is not None and left_s is not None and number >= FEWEST_ROUNDS:
            left_s = min(left_s, max(0.0, settings.budget_s - self._elapsed()))
        self._report.step(f"round {number + 1} of {settings.rounds}, cell {done + 1}", left_s)
        self._done += 1

    def _elapsed(self) -> float:
        return now() - self._zero

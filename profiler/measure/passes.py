"""The two passes of a measurement: what is answered, and when."""

import math

from profiler.measure.bench import Bench, now
from profiler.measure.enough import StoppedBy, StoppingRule
from profiler.measure.interrupt import Stop
from profiler.measure.journal import Journal
from profiler.measure.progress import Reporter
from profiler.measure.rounds import Round, draw
from profiler.measure.settings import Settings
from tailq.latency import ENOUGH

# Samples in a chunk of answers: what is lost at most when the run is killed.
_CHUNK = 128
# A round number beyond any that is measured, so that warming up asks other samples.
_WARM_UP = 2**31


class Measurement:
    """One measurement, from wherever its journal stands to its end."""

    def __init__(
        self, settings: Settings, bench: Bench, journal: Journal, report: Reporter, stop: Stop
    ) -> None:
        self._settings = settings
        self._bench = bench
        self._journal = journal
        self._report = report
        self._stop = stop
        # As if it had been measured without interruption.
        self._zero = now() - journal.elapsed_s
        self._rule = StoppingRule(settings.limits)

    def answers(self) -> None:
        """Ask every variant all samples once, in batches. Raises TailqError."""
        samples = len(self._bench.dataset.labels)
        missing = [at for at in range(0, samples, _CHUNK) if not self._journal.has_answers(at)]
        if not missing:
            return
        self._report.phase(f"Answers of {len(self._bench.variants)} variants to {samples} samples")
        for done, start in enumerate(missing):
            self._stop.check()
            answered = samples - sum(min(_CHUNK, samples - at) for at in missing[done:])
            left_s = self._report.left_at(done, len(missing) - done)
            self._report.step(f"{answered}/{samples}", left_s)
            chunk = self._bench.answers(start, min(start + _CHUNK, samples))
            self._journal.add_answers(start, chunk, self._elapsed())

    def rounds(self) -> StoppedBy:
        """Time rounds, load after load, until it is enough. Raises TailqError."""
        journal, loads = self._journal, self._settings.loads
        rounds = {load: journal.rounds(load) for load in loads}
        self._report.phase(f"Latency at load {', '.join(map(str, loads))}")
        warm = False
        while True:
            # Unequal numbers of rounds are those of a cycle that was interrupted.
            behind = [load for load in loads if len(rounds[load]) < len(rounds[loads[0]])]
            stopped_by = None if behind else self._rule.stop(rounds, self._elapsed())
            if stopped_by is not None:
                return stopped_by
            if not warm:
                self._bench.warm_up(self._draw(max(loads), _WARM_UP), max(loads))
                warm = True
            for load in behind or loads:
                self._stop.check()
                self._tell(len(rounds[loads[0]]))
                number = len(rounds[load])
                observed = self._bench.observe(self._draw(load, number), number, load, self._zero)
                journal.add_round(load, observed, self._elapsed())

    def _draw(self, load: int, number: int) -> Round:
        return draw(
            self._settings.seed,
            load,
            number,
            variants=len(self._bench.variants),
            samples=len(self._bench.dataset.labels),
            per_variant=self._settings.samples_per_round,
        )

    def _tell(self, count: int) -> None:
        rounds = {load: self._journal.rounds(load) for load in self._settings.loads}
        rjsd = "" if math.isinf(self._rule.rjsd) else f", rJSD {self._rule.rjsd:.3f} (to {ENOUGH})"
        left_s = self._rule.left_s(rounds, self._elapsed())
        self._report.step(f"{count} rounds{rjsd}", left_s)

    @property
    def rjsd(self) -> float | None:
        """The rule's figure for the rounds measured, None if they were too few for it."""
        return None if math.isinf(self._rule.rjsd) else self._rule.rjsd

    def _elapsed(self) -> float:
        return now() - self._zero

"""The two passes of a measurement: what is answered, and when."""

from collections.abc import Sequence

from profiler.measure.bench import Bench, now
from profiler.measure.conditions import (
    Condition,
    arrival_rate,
    beside,
    busy,
    duration_s,
    rounds_due,
)
from profiler.measure.enough import Rounds, StoppedBy, StoppingRule
from profiler.measure.interrupt import Stop
from profiler.measure.journal import Journal
from profiler.measure.progress import Reporter
from profiler.measure.rounds import Round, draw
from profiler.measure.settings import Settings
from profiler.record.observations import Observations
from tailq.profile import Convergence

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
        self._warm = False

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

    def rounds(self) -> tuple[StoppedBy, tuple[Convergence, ...]]:
        """Time rounds, load after load, until it is enough. Raises TailqError.

        Returns why it was, and how sure the figures became, the last entry being the end.
        """
        loads, rule = self._settings.loads, self._stopping_rule()
        rounds = {load: self._journal.rounds(Condition(load)) for load in loads}
        self._report.phase(f"Latency at load {', '.join(map(str, loads))}")
        while True:
            self._rounds_beside(min(map(len, rounds.values())))
            # Unequal numbers of rounds are those of a cycle that was interrupted.
            behind = [load for load in loads if len(rounds[load]) < len(rounds[loads[0]])]
            stopped_by = None if behind else rule.stop(rounds, self._elapsed())
            if stopped_by is not None:
                return stopped_by, rule.history
            self._tell(rule, rounds)
            for load in behind or loads:
                self._time(Condition(load))

    def _stopping_rule(self) -> StoppingRule:
        settings = self._settings
        return StoppingRule(
            settings.limits,
            self._journal.answers() if settings.task.metric.additive else None,
            settings.deadlines_s,
            rule=settings.rule,
            precision=settings.precision,
        )

    def _rounds_beside(self, cycles: int) -> None:
        """Time what is due under the other conditions and still fits into the budget."""
        others = beside(self._settings.loads, self._settings.open_loop)
        for number in range(rounds_due(cycles, len(self._settings.loads), len(others))):
            for condition in others:
                done = self._journal.rounds(condition)
                if len(done) == number and self._affordable(done):
                    self._time(condition)

    def _affordable(self, done: Sequence[Observations]) -> bool:
        """Whether another round like the last one ends within the budget; a first one always is."""
        budget_s = self._settings.limits.budget_s
        return not done or budget_s is None or self._elapsed() + duration_s(done[-1]) <= budget_s

    def _time(self, condition: Condition) -> None:
        """Time the next round under a condition."""
        self._stop.check()
        self._warm_up()
        number, rate = len(self._journal.rounds(condition)), self._rate(condition)
        drawn = self._draw(condition, number, rate)
        observed = self._bench.observe(drawn, number, condition, self._zero, rate)
        self._journal.add_round(condition, observed, self._elapsed())

    def _warm_up(self) -> None:
        """Once, before the first round of this process."""
        if not self._warm:
            highest = Condition(max(self._settings.loads))
            self._bench.warm_up(self._draw(highest, _WARM_UP, 0.0), highest.load)
            self._warm = True

    def _rate(self, condition: Condition) -> float:
        if not condition.share:
            return 0.0
        first = [self._journal.rounds(each)[0] for each in busy(self._settings.loads)]
        return arrival_rate(condition.share, first)

    def _draw(self, condition: Condition, number: int, rate: float) -> Round:
        return draw(
            self._settings.seed,
            condition,
            number,
            variants=len(self._bench.variants),
            samples=len(self._bench.dataset.labels),
            per_variant=self._settings.samples_per_round,
            rate=rate,
        )

    def _tell(self, rule: StoppingRule, rounds: Rounds) -> None:
        count = min(map(len, rounds.values()))
        left_s = rule.left_s(rounds, self._elapsed())
        self._report.step(f"{count} rounds{rule.told()}", left_s)

    def _elapsed(self) -> float:
        return now() - self._zero

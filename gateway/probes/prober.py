"""True quality without clients' help: samples whose class is known, sent now and then."""

from collections.abc import Callable
from random import Random
from typing import Final, Literal, Protocol, get_args

from gateway.clock import Timer
from gateway.dataplane import Answer, Dataplane, Outcome
from gateway.live.judged import Judged
from gateway.live.names import PROBE_ANSWERS, PROBES, Points, Source
from gateway.probes.samples import Samples
from tailq.route import Ask
from tailq.tier import TierTable

Same = Literal["same", "other"]
# Series that are there from the start, so that a first one is an increase.
_FROM_THE_START: Final[tuple[Outcome, ...]] = ("on_time", "best_effort", "late", "shed", "failed")


class Scores(Protocol):
    """See live.Live."""

    def judge(self, answer: Answer, /) -> Judged | None:
        """What is known of a request that has ended; None: not held against a promise."""

    def tell(self, source: Source, judged: Judged, quality: float, /) -> None:
        """The quality of a request's answer is known."""


class Prober:
    """Sends probes from start() to stop(): tier after tier, each with the samples in random order.

    Through the dataplane as a client's requests, so a probe waits, is shed or is late as they are;
    counted apart. samples: None: none can be sent at present. per_s: of all tiers together. The
    gaps are random (exponential), so that what comes and goes in a rhythm is met as often as it is
    there (PASTA: Wolff 1982, Operations Research 30). ready: whether Triton can be asked; nothing
    is sent until it once was, since nobody was promised anything of a gateway that starts.
    """

    def __init__(
        self,
        samples: Samples,
        plane: Dataplane,
        scores: Scores,
        per_s: float,
        random: Random,
        ready: Callable[[], bool] = lambda: True,
    ) -> None:
        self._plane = plane
        self._scores = scores
        self._per_s = per_s
        self._random = random
        self._ready = ready
        self._begun = False
        self._timer: Timer | None = None
        self._ended: dict[tuple[str, Outcome], int] = {}
        self._answers: dict[tuple[str, Same], int] = {}
        self._turns: list[_Turn] = []
        self.serve(plane.router.table, samples)

    def serve(self, table: TierTable, samples: Samples | None) -> None:
        """Ask for these tiers from now on. No counter falls."""
        self._samples = samples
        before = {turn.tier: turn for turn in self._turns}
        self._turns = [
            before.get(tier.name) or _Turn(tier.name, self._plane, self._score)
            for tier in table.tiers
        ]
        for turn in self._turns:
            turn.order = []
            for outcome in _FROM_THE_START:
                self._ended.setdefault((turn.tier, outcome), 0)
        for variant in sorted(table.variants) if samples is not None else ():
            for same in get_args(Same):
                self._answers.setdefault((variant, same), 0)

    def start(self) -> None:
        """Send from now on."""
        clock = self._plane.clock
        gap_s = self._random.expovariate(self._per_s)
        self._timer = clock.call_at(clock.now() + gap_s, self._next)

    def stop(self) -> None:
        """Send no more; what was sent ends by its deadline."""
        if self._timer is not None:
            self._timer.cancel()

    def points(self) -> Points:
        """See names.Points."""
        for ended, count in self._ended.items():
            yield PROBES, ended, count
        for answered, count in self._answers.items():
            yield PROBE_ANSWERS, answered, count

    def _next(self) -> None:
        self.start()
        self._begun = self._begun or self._ready()
        samples = self._samples
        if samples is None or not self._begun:
            return
        free = next((turn for turn in self._turns if turn.is_free), None)
        if free is None:
            return
        # Behind all others: the one whose turn was longest ago goes first.
        self._turns.remove(free)
        self._turns.append(free)
        if not free.order:
            free.order = self._random.sample(range(len(samples.labels)), len(samples.labels))
        free.send(samples, free.order.pop())

    def _score(self, answer: Answer, samples: Samples, sample: int) -> None:
        key = (answer.decision.tier.name, answer.outcome)
        self._ended[key] = self._ended.get(key, 0) + 1
        judged = self._scores.judge(answer)
        if judged is None:
            return
        label = samples.labels[sample]
        self._scores.tell("probe", judged, float(judged.classes == (label,)))
        if judged.classes is not None and judged.variant in samples.answers:
            profiled = samples.answers[judged.variant][sample]
            same: Same = "same" if judged.classes == (profiled,) else "other"
            answered = (judged.variant, same)
            self._answers[answered] = self._answers.get(answered, 0) + 1


class _Turn:
    """One tier's probes, one at a time: a dataplane.Recorder of its own. order: of samples to come.

    The next one is sent when all that Triton was asked for the last one has ended, so that probes
    do not pile up at a Triton that hangs.
    """

    def __init__(
        self, tier: str, plane: Dataplane, ended: Callable[[Answer, Samples, int], None]
    ) -> None:
        self.tier = tier
        self.order: list[int] = []
        self._plane = plane
        self._ended = ended
        self._sent: tuple[Samples, int] | None = None  # None: it was answered
        self._working = 0  # calls of it at Triton; below 0: ended before it was known how many

    @property
    def is_free(self) -> bool:
        return self._sent is None and not self._working

    def send(self, samples: Samples, sample: int) -> None:
        plane = self._plane
        self._sent = (samples, sample)
        execution = plane.open(Ask(tier=self.tier), plane.clock.now(), _nobody, recorder=self)
        execution.send(samples.requests[sample])

    def answered(self, answer: Answer) -> None:
        """See dataplane.Recorder."""
        sent, self._sent = self._sent, None
        assert sent is not None
        self._working += len(answer.asked)
        self._ended(answer, *sent)

    def refused(self) -> None:
        """See dataplane.Recorder."""

    # Triton's work for a probe says as much of Triton as any other, and is counted with it.

    def upstream_ended(self, variant: str, seconds: float) -> None:
        """See dataplane.Recorder."""
        self._working -= 1
        self._plane.recorder.upstream_ended(variant, seconds)

    def compared(self, variant: str, beyond: int) -> None:
        """See dataplane.Recorder."""
        self._plane.recorder.compared(variant, beyond)


def _nobody(_answer: Answer) -> None:
    """There is no client to answer."""

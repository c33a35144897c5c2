"""How many inferences each stopping rule takes, and how good its predictions are where it stops.

The world is a profile: its rounds are the truth, and streams of rounds are resampled from it in
blocks of consecutive ones, so that slow moments stay together. On your own profile:

    python -m tests.profiler.predict.inferences PROFILE [PASSES]
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from profiler.predict.predict import Method, predict_record
from profiler.predict.record import Record
from profiler.record.evidence import Evidence, evidence_of
from profiler.record.observations import open_profile
from tailq.latency import ENOUGH, Convergence

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Mean length of a block, in rounds.
_BLOCK = 8
_TRUE_ROUNDS = 20_000
_LEAST = 20
_GROWTH = 1.1


@dataclass(frozen=True)
class Series:
    """One variant at one load. score: [N]. sample, latency_s: [R, S] by round, in time order."""

    score: Floats
    sample: Ints
    latency_s: Floats

    def record(self, rounds: Ints) -> Record:
        """The record that these rounds make."""
        return Record(self.score, self.sample[rounds].ravel(), self.latency_s[rounds].ravel())

    def true_tail(self, deadlines_s: Floats, streams: Ints) -> Floats:
        """The 5 % tail quality [D] over streams of rounds [T, n]."""
        worth = self.score[self.sample]
        late = self.latency_s[..., None] > deadlines_s
        lost = (worth[..., None] * late).sum(axis=1)[streams].sum(axis=1)
        share = lost / worth.sum(axis=1)[streams].sum(axis=1)[:, None]
        return np.asarray(self.score.mean() * (1 - np.quantile(share, 0.95, axis=0)))


@dataclass(frozen=True)
class Stop:
    """Where a rule stopped: rounds, and the errors of the predicted tails there: [series, D]."""

    rounds: int
    errors: Floats
    half_widths: Floats


def series_of(evidence: Evidence) -> list[Series]:
    """Every variant at every load."""
    found = []
    for timed in evidence.by_load.values():
        rounds = len(np.unique(timed.round))
        for variant in range(len(evidence.variants)):
            order = np.lexsort((timed.sent_s[:, variant], timed.round))
            found.append(
                Series(
                    evidence.score[:, variant],
                    timed.sample[order].reshape(rounds, -1),
                    timed.latency_s[order, variant].reshape(rounds, -1),
                )
            )
    return found


def stream(random: np.random.Generator, recorded: int, size: int, streams: int = 1) -> Ints:
    """Indices of rounds [streams, size], resampled in blocks of geometric length."""
    begins = random.random((streams, size)) < 1 / _BLOCK
    begins[:, 0] = True
    place = np.arange(size)
    began = np.maximum.accumulate(np.where(begins, place, 0), axis=1)
    first = np.take_along_axis(random.integers(0, recorded, (streams, size)), began, axis=1)
    return np.asarray((first + place - began) % recorded)


def counts(most: int) -> Iterator[int]:
    """Numbers of rounds at which the rules are looked at."""
    count = _LEAST
    while count <= most:
        yield count
        count = max(count + 1, int(count * _GROWTH))


class World:
    """A recorded profile, streams from it, and where the rules stop on them."""

    def __init__(self, series: Sequence[Series], deadlines_s: Sequence[float]) -> None:
        self.series = series
        self.deadlines_s = np.asarray(deadlines_s)
        self.recorded, self.per_round = series[0].sample.shape
        self.requests = len(series[0].score)
        size = max(1, round(self.requests / self.per_round))
        rounds = stream(np.random.default_rng(0), self.recorded, size, _TRUE_ROUNDS)
        self.truth = np.stack([each.true_tail(self.deadlines_s, rounds) for each in series])

    def predicted(self, rounds: Ints, method: Method) -> Stop:
        """Predict from these rounds."""
        found = [
            predict_record(
                each.record(rounds), list(self.deadlines_s), requests=self.requests, method=method
            )
            for each in self.series
        ]
        tails = np.array([[p.tail_5 for p in at] for at in found])
        widths = np.array([[p.half_width for p in at] for at in found])
        return Stop(len(rounds), tails - self.truth, widths)

    def published(self, rounds: Ints) -> Stop | None:
        """Where the published rule stops on this stream, with the published prediction."""
        for count in counts(len(rounds)):
            if self._rjsd(rounds[:count]) <= ENOUGH:
                return self.predicted(rounds[:count], "published")
        return None

    def precise(self, rounds: Ints) -> list[Stop]:
        """Our prediction at each number of rounds."""
        return [self.predicted(rounds[:count], "correlated") for count in counts(len(rounds))]

    def _rjsd(self, rounds: Ints) -> float:
        worst = 0.0
        for each in self.series:
            worst = max(worst, Convergence().rjsd(list(each.latency_s[rounds])))
            if worst > ENOUGH:  # one is enough to go on
                break
        return worst


@dataclass(frozen=True)
class Row:
    """A rule on all streams.

    stopped: on how many. rounds: median at the stop. rms, worst: error of the predicted 5 % tail
    quality. sure: share of predictions within their half-width.
    """

    rule: str
    stopped: int
    rounds: float | None
    rms: float
    worst: float
    sure: float | None


def row(rule: str, stops: Sequence[Stop | None], *, states_how_sure: bool) -> Row:
    """Sum up where a rule stopped on the streams."""
    done = [stop for stop in stops if stop is not None]
    if not done:
        return Row(rule, 0, None, np.nan, np.nan, None)
    errors = np.stack([stop.errors for stop in done])
    sure = np.stack([stop.half_widths for stop in done]) >= np.abs(errors)
    return Row(
        rule=rule,
        stopped=len(done),
        rounds=float(np.median([stop.rounds for stop in done])),
        rms=float(np.sqrt(np.mean(errors**2))),
        worst=float(np.abs(errors).max(axis=(1, 2)).mean()),
        sure=float(sure.mean()) if states_how_sure else None,
    )


def compare(world: World, precisions: Sequence[float], most: int, streams: int) -> list[Row]:
    """Both rules on the same streams of at most so many rounds.

    Ours: at each precision, and where its predictions were first as good as the published ones.
    """
    random = np.random.default_rng(1)
    drawn = [stream(random, world.recorded, most)[0] for _ in range(streams)]
    published = [world.published(rounds) for rounds in drawn]
    ours = [world.precise(rounds) for rounds in drawn]
    rows = [row("published: rJSD <= 0.05", published, states_how_sure=False)]
    if any(published):
        rows.append(as_good(ours, rows[0].rms))
    for precision in precisions:
        stops = [
            next((stop for stop in stream if stop.half_widths.max() <= precision), None)
            for stream in ours
        ]
        rows.append(row(f"ours: precision {precision:g}", stops, states_how_sure=True))
    return rows


def as_good(ours: Sequence[Sequence[Stop]], rms: float) -> Row:
    """Ours with the fewest rounds at which, on all streams together, it errs no more."""
    by_count = [
        row("ours: as good as that", stops, states_how_sure=True)
        for stops in zip(*ours, strict=True)
    ]
    return next((at for at in by_count if at.rms <= rms), by_count[-1])


def table(world: World, rows: Sequence[Row], streams: int) -> Table:
    """The comparison for people."""
    made = Table(
        title=f"{len(world.series)} series of {world.per_round} requests a round, tail quality of "
        f"{world.requests} requests at {len(world.deadlines_s)} deadlines"
    )
    for heading in ("rule", "stopped", "rounds", "inferences", "error: rms", "worst", "within"):
        made.add_column(heading)
    for each in rows:
        asked = None if each.rounds is None else each.rounds * world.per_round * len(world.series)
        made.add_row(
            each.rule,
            f"{each.stopped}/{streams}",
            "-" if each.rounds is None else f"{each.rounds:.0f}",
            "-" if asked is None else f"{asked:.0f}",
            f"{each.rms:.4f}",
            f"{each.worst:.4f}",
            "" if each.sure is None else f"{each.sure:.0%}",
        )
    return made


if __name__ == "__main__":
    opened = open_profile(Path(sys.argv[1]))
    passes = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    deadlines = [at.deadline_s for at in opened.profile.variants[0].loads[0].at_deadlines]
    everything = World(series_of(evidence_of(opened.answers, opened.observations)), deadlines)
    found = compare(everything, (0.04, 0.03, 0.02, 0.01), most=1500, streams=passes)
    Console(width=120).print(table(everything, found, passes))

"""Two profiles of one service: what got worse, what got better, what is not shown to have changed.

Of every variant that both have, new less old: quality without a deadline; quality at each deadline
and its 5 % tail over rounds, at the worst load; median and 99 % latency at the highest load. Where
both profiles rest on the same samples, answers are compared pair by pair. What lateness costs is
compared with rounds as clusters. The intervals of all differences hold together with the
confidence: each gets its share of the risk (Bonferroni), also for loads that might have been the
worst. Rounds are taken to be independent of each other.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from profiler.gates import interval
from profiler.gates.changes import Change, Compared, Direction, Figure
from profiler.gates.estimate import Estimate, estimate_of
from profiler.gates.interval import Interval
from profiler.record.evidence import Evidence
from profiler.record.judging import Judge
from profiler.record.summary import quality_of_rounds
from profiler.tasks import Judged
from tailq.errors import ArtefactError
from tailq.guarantee import share
from tailq.plan import Single
from tailq.profile import Profile

CONFIDENCE = 0.95
TAIL = 0.05
_LATENCIES: tuple[tuple[Figure, float], ...] = (("p50", 0.5), ("p99", 0.99))


@dataclass(frozen=True)
class Measured:
    """A profile and what it rests on. judge: None where quality is the mean score."""

    profile: Profile
    evidence: Evidence
    judge: Judge | None = None

    @cached_property
    def estimate(self) -> Estimate:
        """Figures of plans in it."""
        return estimate_of(self.evidence, self.judge)


def compare(old: Measured, new: Measured, deadlines_s: Sequence[float]) -> Compared:
    """Compare at these deadlines, in seconds.

    Raises ArtefactError if the profiles are of other services or metrics, or share no variant.
    """
    common = _common(old.profile, new.profile)
    loads = sorted(set(old.evidence.by_load) & set(new.evidence.by_load))
    at_load = 2 * len(deadlines_s) * len(loads) + (len(_LATENCIES) if loads else 0)
    comparison = _Comparison(
        old,
        new,
        paired=old.profile.dataset.sha256 == new.profile.dataset.sha256,
        loads=loads,
        delta=share(1 - CONFIDENCE, len(common) * (1 + at_load)),
    )
    was = {variant.name: variant.fingerprint for variant in old.profile.variants}
    now = {variant.name: variant.fingerprint for variant in new.profile.variants}
    return Compared(
        service=new.profile.service,
        old=old.profile.id,
        new=new.profile.id,
        confidence=CONFIDENCE,
        paired=comparison.paired,
        loads=tuple(loads),
        changes=tuple(
            change for name in common for change in comparison.changes(name, deadlines_s)
        ),
        added=tuple(name for name in now if name not in was),
        gone=tuple(name for name in was if name not in now),
        other_fingerprint=tuple(name for name in common if now[name] != was[name]),
        notes=tuple(_notes(old.profile, new.profile, loads)),
    )


@dataclass(frozen=True)
class _Variant:
    """One variant in one profile; every interval misses with probability at most `delta`."""

    measured: Measured
    name: str
    delta: float

    @cached_property
    def known(self) -> float:
        """Quality without a deadline."""
        return self.measured.estimate.known(self.plan)

    @cached_property
    def judged(self) -> Judged | None:
        """Its answers held against the labels, where quality is no mean score."""
        judge = self.measured.judge
        column = self.measured.evidence.index(self.name)
        return None if judge is None else judge.variant(column)

    @property
    def plan(self) -> Single:
        """To ask it alone."""
        return Single(variant=self.name)

    def lost(self, figure: Figure, load: int, deadline_s: float) -> Interval:
        """What lateness takes from the quality, or from its tail."""
        if figure == "quality":
            return self.measured.estimate.lost(self.plan, load, deadline_s, self.delta)
        evidence = self.measured.evidence
        column = evidence.index(self.name)
        rounds = quality_of_rounds(evidence, column, load, [deadline_s], self.judged)[:, 0]
        tail = interval.independent_quantile(rounds, TAIL, self.delta)
        best, least = min(tail.high, 1.0), max(tail.low, 0.0)
        return Interval(self.known - tail.value, self.known - best, self.known - least)

    def latency(self, level: float, load: int) -> Interval:
        """A quantile of the latency of answered requests."""
        evidence = self.measured.evidence
        timed = evidence.by_load[load]
        latency = timed.latency_s[:, evidence.index(self.name)]
        came = np.isfinite(latency)
        return interval.quantile(latency[came], timed.round[came], level, self.delta)


@dataclass(frozen=True)
class _Comparison:
    old: Measured
    new: Measured
    paired: bool
    loads: Sequence[int]
    delta: float

    def changes(self, name: str, deadlines_s: Sequence[float]) -> Iterator[Change]:
        """Every figure of one variant."""
        old, new = (_Variant(side, name, self.delta) for side in (self.old, self.new))
        undisturbed = self._undisturbed(name)
        yield _change(name, "quality", old.known, undisturbed)
        if not self.loads:
            return
        for deadline_s in deadlines_s:
            figures: tuple[Figure, ...] = ("quality", "tail quality")
            for figure in figures:
                lost = {load: new.lost(figure, load, deadline_s) for load in self.loads}
                _, worst = max((cost.value, load) for load, cost in lost.items())
                before = old.lost(figure, worst, deadline_s)
                change = undisturbed.minus(lost[worst].minus(before))
                was = old.known - before.value
                yield _change(name, figure, was, change, deadline_s=deadline_s, load=worst)
        for figure, level in _LATENCIES:
            highest = max(self.loads)
            before = old.latency(level, highest)
            change = new.latency(level, highest).minus(before)
            yield _change(name, figure, before.value, change, load=highest)

    def _undisturbed(self, name: str) -> Interval:
        """Difference of the qualities without a deadline."""
        old, new = self.old.estimate, self.new.estimate
        if self.paired:
            return new.change(old, name, self.delta)
        was, now = (each.margin(Single(variant=name), 0.0, name, self.delta) for each in (old, new))
        return now.minus(was)


def _change(
    variant: str,
    figure: Figure,
    old: float,
    change: Interval,
    *,
    deadline_s: float | None = None,
    load: int | None = None,
) -> Change:
    rises, falls = change.low > 0, change.high < 0
    direction: Direction = "not shown"
    if rises or falls:
        direction = "better" if rises == ("quality" in figure) else "worse"
    return Change(
        variant=variant,
        figure=figure,
        deadline_s=deadline_s,
        load=load,
        old=old,
        new=old + change.value,
        change=change.value,
        low=change.low if np.isfinite(change.low) else None,
        high=change.high if np.isfinite(change.high) else None,
        direction=direction,
    )


def _common(old: Profile, new: Profile) -> list[str]:
    """The variants both have, in the new one's order. Raises ArtefactError."""
    for what, was, now in (
        ("service", old.service, new.service),
        ("metric", old.metric.name, new.metric.name),
    ):
        if was != now:
            raise ArtefactError(
                f"profiles {old.id} and {new.id}: the {what} was {was}, now is {now}; only "
                "profiles of the same can be compared"
            )
    names = {variant.name for variant in old.variants}
    common = [variant.name for variant in new.variants if variant.name in names]
    if not common:
        raise ArtefactError(f"profiles {old.id} and {new.id} have no variant in common")
    return common


def _notes(old: Profile, new: Profile, loads: Sequence[int]) -> list[str]:
    notes = [
        f"the {which} profile is partial: its measurement was interrupted"
        for which, profile in (("old", old), ("new", new))
        if profile.stopped_by == "interrupted"
    ]
    if old.id == new.id:
        notes.append("both are the same profile")
    if old.dataset.sha256 != new.dataset.sha256:
        notes.append(
            f"other samples ({old.dataset.name}, then {new.dataset.name}): what differs may be "
            "their difficulty, not the system"
        )
    if not new.metric.additive:
        notes.append(f"{new.metric.name} is no mean over samples: intervals are approximate")
    if old.server != new.server:
        notes.append(
            f"the server was {old.server.name} {old.server.version}, now is {new.server.name} "
            f"{new.server.version}"
        )
    if not loads:
        notes.append("no load was measured in both: nothing is said of latency")
    elif set(old.loads) != set(new.loads):
        notes.append(f"only loads measured in both are compared: {', '.join(map(str, loads))}")
    return notes

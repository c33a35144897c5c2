"""Selection by bootstrap, as published: Halpern et al., ISPASS 2019 (arXiv 1906.11307).

A plan is simulated on requests drawn with replacement from the measured ones, and taken if it
keeps the limit in 99.9 % of the draws, at each profiled load. Nothing is corrected for picking the
best of many plans, nor for requests of a round depending on each other: how often its promises
are broken stands in docs/statistics.md. It needs no additive metric.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from profiler.record.evidence import Evidence
from profiler.record.judging import Judge
from profiler.replay import replay
from profiler.replay.replayed import Bools, Floats, Ints
from profiler.tasks.base import Judged
from profiler.tiers.measured import judged
from profiler.tiers.proof import Proof, required
from tailq.plan import Plan
from tailq.tier import Limit

CONFIDENCE = 0.999
DRAWS = 1000


class Bootstrap:
    """The method `bootstrap`, see the module. judge: None where quality is the mean score."""

    joint = False

    def __init__(self, evidence: Evidence, reference: str, judge: Judge | None = None) -> None:
        self._evidence = evidence
        self._judge = judge
        self._drawn: dict[int, _Draws] = {}
        self._reference = {
            load: self._answers(load, np.full(timed.sample.size, evidence.index(reference)))
            for load, timed in evidence.by_load.items()
        }
        self._asked = {load: self._drawn_qualities(a) for load, a in self._reference.items()}

    def keeps(self, plan: Plan, limit: Limit, deadline_s: float) -> bool:
        """See Method. What misses the limit on the very requests is not drawn from them."""
        return all(
            seen.quality >= required(limit, self._reference[load].quality)
            and _worst(self._drawn_qualities(seen) - required(limit, self._asked[load])) >= 0
            for load in self._evidence.by_load
            for seen in [self._replayed(plan, deadline_s, load)]
        )

    def proof(self, plan: Plan, limit: Limit, deadline_s: float) -> Proof:
        """See Method. The load is the one at which the limit is kept by least."""
        return min(
            (self._at(plan, limit, deadline_s, load) for load in self._evidence.by_load),
            key=lambda proof: proof.slack,
        )

    def _at(self, plan: Plan, limit: Limit, deadline_s: float, load: int) -> Proof:
        seen = self._drawn_qualities(self._replayed(plan, deadline_s, load))
        ever = self._drawn_qualities(self._replayed(plan, np.inf, load))
        return Proof(
            slack=_worst(seen - required(limit, self._asked[load])),
            quality=_worst(seen),
            lost_at_most=max(0.0, -_worst(seen - ever)),
            load=load,
        )

    def _replayed(self, plan: Plan, deadline_s: float, load: int) -> "_Answers":
        return self._answers(load, replay(plan, self._evidence, load, deadline_s).answered)

    def _answers(self, load: int, answered: Ints) -> "_Answers":
        sample = self._evidence.by_load[load].sample
        return _Answers(judged(self._evidence, sample, answered, self._judge), answered >= 0)

    def _drawn_qualities(self, answers: "_Answers") -> Floats:
        """Quality of the answers in each draw: [DRAWS]. The same draws for every plan."""
        size = answers.came.size
        if size not in self._drawn:
            self._drawn[size] = _drawn(size)
        draws = self._drawn[size]
        if self._judge is None:
            return np.asarray(draws.counts @ answers.held.scores / size, dtype=np.float64)
        return np.array([answers.of(draw) for draw in draws.requests])


@dataclass(frozen=True)
class _Answers:
    """Answers to M requests. came: [M] whether there is one by the deadline."""

    held: Judged
    came: Bools

    @property
    def quality(self) -> float:
        """Of all of them together."""
        return self.of(np.arange(self.came.size))

    def of(self, draw: NDArray[np.int32] | Ints) -> float:
        """Quality of the requests [M] that were drawn."""
        in_time = self.came[draw]
        order = np.argsort(~in_time, kind="stable")
        samples = draw[order].astype(np.int64)
        return float(self.held.quality(samples, in_time.sum(keepdims=True))[0])


@dataclass(frozen=True)
class _Draws:
    """requests: [DRAWS, M] which are drawn. counts: [DRAWS, M] how often each of them is."""

    requests: NDArray[np.int32]
    counts: Floats


def _drawn(size: int) -> _Draws:
    requests = np.random.default_rng(0).integers(size, size=(DRAWS, size), dtype=np.int32)
    counts = np.empty((DRAWS, size))
    for row, draw in zip(counts, requests, strict=True):
        row[:] = np.bincount(draw, minlength=size)
    return _Draws(requests, counts)


def _worst(draws: Floats) -> float:
    """What is reached in 99.9 % of the draws."""
    return float(np.quantile(draws, 1 - CONFIDENCE, method="inverted_cdf"))

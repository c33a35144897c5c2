"""What a promise may be kept with: its plan, and others for when that one cannot, at present.

The gateway decides anew for each request. The busier the device, the more matters how little a
plan takes of it and how slow its slowest answers are: so the alternatives are the plans that no
other one beats in the objective, in work and in the 99th percentile of the response time at once
(a Pareto front). And so that no tier hangs on one variant, there is one without each variant that
all of these ask, if such a plan keeps the promise.
"""

from collections.abc import Callable, Sequence
from functools import cache
from itertools import chain

import numpy as np

from profiler.record.evidence import Evidence
from profiler.record.judging import Judge
from profiler.replay.replayed import Ints, chosen
from profiler.tasks.quality import without_deadline
from profiler.tiers.candidates import Candidate
from profiler.tiers.measured import judged
from tailq.plan import Plan
from tailq.tier import Option, Stop

# Alternatives to the promised plan: each one is weighed by the gateway for each request.
MOST = 4


def alternatives(
    promised: Candidate, others: Sequence[Candidate], keeps: Callable[[Plan], bool]
) -> list[Candidate]:
    """Plans beside the promised one, at most MOST, the best by the objective first.

    others: the best by the objective first, none better than the promised one. keeps: whether a
    plan keeps the limit and the promised quality, too; only asked where it matters.
    """
    keeps = cache(keeps)
    front = [promised]
    for candidate in others:
        if not any(_covers(known, candidate) for known in front) and keeps(candidate.plan):
            front.append(candidate)
    found = front[1:]
    # What takes least and what is quickest helps most; of the rest, what is best otherwise.
    least = [min(found, key=key) for key in (_work_s, _p99_s) if found]
    wanted = chain(least, _without_each(front, others, keeps), found)
    kept = list(dict.fromkeys(wanted))[:MOST]
    return [candidate for candidate in others if candidate in kept]


def _without_each(
    front: Sequence[Candidate], others: Sequence[Candidate], keeps: Callable[[Plan], bool]
) -> list[Candidate]:
    """For each variant that all of them ask the best plan that does not, if there is one."""
    asked = [set(candidate.plan.variants) for candidate in front]
    found = (
        next((c for c in others if name not in c.plan.variants and keeps(c.plan)), None)
        for name in front[0].plan.variants
        if all(name in variants for variants in asked)
    )
    return [candidate for candidate in found if candidate is not None]


def option(candidate: Candidate, evidence: Evidence, judge: Judge | None = None) -> Option:
    """A plan and what it takes to foresee its quality at a load that was not profiled."""
    stops = stops_of(candidate.plan, evidence, judge)
    return Option(plan=candidate.plan, stops=stops, work_s=candidate.work_s)


def stops_of(plan: Plan, evidence: Evidence, judge: Judge | None = None) -> tuple[Stop, ...]:
    """At which of its variants a plan stops, nothing late, over all samples; see Stop.

    judge: None where quality is the mean score. Else the quality of a part of the samples is the
    metric of that part; weighted by their shares those do not add up to the metric of the whole.
    Where it never stops, the qualities are those over all samples.
    """
    ends, everything = chosen(plan, evidence), np.arange(evidence.samples)
    columns = [evidence.index(variant) for variant in plan.variants]

    def quality(samples: Ints, column: int) -> float:
        of = samples if samples.size else everything
        return without_deadline(judged(evidence, of, np.full(of.size, column), judge))

    return tuple(
        Stop(
            share=samples.size / evidence.samples,
            quality=tuple(quality(samples, column) for column in columns),
        )
        for samples in (np.flatnonzero(ends == column) for column in columns)
    )


def _covers(one: Candidate, other: Candidate) -> bool:
    """Whether one is as good in work and in its slowest; by the objective it is at least that."""
    return one.work_s <= other.work_s and one.p99_s <= other.p99_s


def _work_s(candidate: Candidate) -> float:
    return candidate.work_s


def _p99_s(candidate: Candidate) -> float:
    return candidate.p99_s

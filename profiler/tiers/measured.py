"""A plan's figures as measured, at one load: what a promise says beside what it promises."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from profiler.record.evidence import Evidence
from profiler.record.judging import Judge
from profiler.replay import Replayed, replay, without_deadline
from profiler.replay.replayed import Floats, Ints, chosen
from profiler.tasks.base import Judged, Scores
from profiler.tasks.quality import completed_by_round
from tailq.plan import Plan
from tailq.quality import tail


@dataclass(frozen=True)
class Measured:
    """Figures of a plan over the timed requests at one load; see tailq.tier.Promise."""

    expected_quality: float
    expected_on_time: float
    tail_quality: float
    p50_s: float
    p99_s: float
    mean_s: float
    cost: float
    asks: float
    timed: int


def measured(
    plan: Plan,
    evidence: Evidence,
    load: int,
    deadline_s: float,
    prices: Mapping[str, float] | None = None,
    judge: Judge | None = None,
) -> Measured:
    """Measure a plan. judge: None where quality is the mean score."""
    seen = replay(plan, evidence, load, deadline_s, prices)
    rounds = quality_of_rounds(plan, evidence, load, seen, judge)
    left = seen.response_s[np.isfinite(seen.response_s)]
    p50, p99 = np.quantile(left, [0.5, 0.99]) if left.size else (deadline_s, deadline_s)
    return Measured(
        expected_quality=float(rounds.mean()),
        expected_on_time=float(np.isfinite(seen.response_s).mean()),
        tail_quality=float(tail(rounds[:, None], 0.05)[0]),
        p50_s=float(p50),
        p99_s=float(p99),
        mean_s=float(left.mean() if left.size else deadline_s),
        cost=float(seen.cost.mean()),
        asks=float(seen.asks.mean()),
        timed=seen.score.size,
    )


def quality_of_rounds(
    plan: Plan, evidence: Evidence, load: int, seen: Replayed, judge: Judge | None
) -> Floats:
    """Quality at the deadline in each round, as if it had timed all samples: [R].

    The quality over all samples without a deadline is known; a round tells what of it is lost to
    lateness, which is subtracted (a plan may answer otherwise at the deadline than without one, so
    there is no share that came in time). Where the metric is no mean it is taken as a ratio, and
    only the answer that the plan gives without a deadline counts.
    """
    timed = evidence.by_load[load]
    if judge is None:
        undisturbed = without_deadline(plan, evidence)
        lost = undisturbed[timed.sample] - seen.score
        typical = _typical(lost, chosen(plan, evidence)[timed.sample], seen.answered)
        row = np.unique(timed.round, return_inverse=True)[1]
        by_round = np.bincount(row, weights=typical) / np.bincount(row)
        return np.asarray(np.clip(undisturbed.mean() - by_round, 0.0, 1.0))
    answers = chosen(plan, evidence)
    known = judge(np.arange(answers.size), answers)
    late = np.where(seen.answered == answers[timed.sample], 0.0, np.inf)
    return completed_by_round(known, timed.sample, late, timed.round, [0.0])[:, 0]


def _typical(lost: Floats, chosen: Ints, answered: Ints) -> Floats:
    """What each request loses, evened out over all that went the same way: [M].

    chosen: the variant whose answer is given without a deadline; answered: the one whose answer
    left, -1 for none. Who answers instead may be worse on one sample and better on the next (the
    accurate one of a Race that came first), and which samples a round drew would drown how often
    that happened in it. The mean over all requests stays what it was measured to be.
    """
    way = np.unique(np.stack([chosen, answered]), axis=1, return_inverse=True)[1].ravel()
    return np.asarray((np.bincount(way, weights=lost) / np.bincount(way))[way])


def judged(evidence: Evidence, sample: Ints, answered: Ints, judge: Judge | None) -> Judged:
    """Hold the answers that left, -1 for none, against the labels: [M] each."""
    if judge is not None:
        return judge(sample, np.maximum(answered, 0))
    score = evidence.score[sample, np.maximum(answered, 0)]
    return Scores(np.where(answered >= 0, score, 0.0))

"""How the quality of live rounds is foretold: what an operator will see if all is as profiled."""

from dataclasses import replace

import numpy as np

from profiler.record.evidence import Evidence, Timed
from profiler.replay import replay
from profiler.replay.replayed import Floats
from tailq.plan import Plan
from tailq.tier import LIVE_ROUND, ROUND_LEVELS, RoundQuality

# The 1 % quantile of so many rounds is exact to a tenth of its level.
_ROUNDS = 10_000


def round_quality(
    plan: Plan, evidence: Evidence, load: int, deadline_s: float, rounds: int = _ROUNDS
) -> RoundQuality:
    """Foretell the quality of LIVE_ROUND requests that follow each other, at a profiled load.

    deadline_s: where latencies were measured. The same call gives the same figures. Raises
    ValueError like `replay`.
    """
    quality = simulated(plan, evidence, load, deadline_s, rounds, np.random.default_rng(0))
    levels = np.quantile(quality, ROUND_LEVELS, method="inverted_cdf")
    return RoundQuality(quality=tuple(levels.tolist()))


def simulated(
    plan: Plan,
    evidence: Evidence,
    load: int,
    deadline_s: float,
    rounds: int,
    rng: np.random.Generator,
) -> Floats:
    """Quality of simulated rounds: [rounds].

    Each is a stretch of the record that begins anywhere, so that lateness comes in bursts as it
    did; but its requests ask samples of their own, as clients' do, drawn with replacement. So the
    latencies of a moment must not depend on the sample that was asked, as they do where samples
    differ in length. A record shorter than a round begins again at its end.
    """
    timed = _in_order(evidence.by_load[load], evidence.index(plan.variants[0]))
    size = timed.sample.size
    rows = (rng.integers(size, size=(rounds, 1)) + np.arange(LIVE_ROUND)).ravel() % size
    asked = Timed(
        round=timed.round[rows],
        sample=rng.integers(evidence.samples, size=rows.size),
        sent_s=timed.sent_s[rows],
        latency_s=timed.latency_s[rows],
    )
    seen = replay(plan, replace(evidence, by_load={load: asked}), load, deadline_s)
    return np.asarray(seen.score.reshape(rounds, LIVE_ROUND).mean(axis=1))


def _in_order(timed: Timed, first: int) -> Timed:
    """By the moment at which the variant in column `first`, which a plan begins with, was asked."""
    order = np.lexsort((timed.sent_s[:, first], timed.round))
    return Timed(
        timed.round[order], timed.sample[order], timed.sent_s[order], timed.latency_s[order]
    )

"""Replay of 1,000 cascades on 10,000 samples: 40 pairs of seven variants, 25 thresholds each."""

from collections.abc import Sequence
from itertools import islice, permutations

import numpy as np

from benchmarks.timing import interleaved
from profiler.record.evidence import Evidence, Timed
from profiler.replay import replay, sweep
from tailq.plan import Cascade

SAMPLES, VARIANTS, PAIRS, THRESHOLDS = 10_000, 7, 40, 25
PLANS = PAIRS * THRESHOLDS
LOAD, DEADLINE_S = 1, 0.05
# So many of the plans are enough to time those who take a plan at a time.
_SOME = 10

Figures = list[tuple[float, float, float]]


def swept(evidence: Evidence, pairs: Sequence[tuple[str, str]]) -> Figures:
    """Mean score, asks and cost of every plan, by profiler.replay.sweep."""
    thresholds = np.linspace(0, 1, THRESHOLDS)
    figures: Figures = []
    for pair in pairs:
        plan = Cascade(stages=pair, thresholds=(0.0,))
        seen = sweep(plan, thresholds, evidence, LOAD, DEADLINE_S)
        figures += zip(seen.score, seen.asks, seen.cost, strict=True)
    return figures


def one_by_one(evidence: Evidence, plans: Sequence[Cascade]) -> Figures:
    """The same in NumPy, a plan at a time."""
    replayed = (replay(plan, evidence, LOAD, DEADLINE_S) for plan in plans)
    return [(float(r.score.mean()), float(r.asks.mean()), float(r.cost.mean())) for r in replayed]


def loop(evidence: Evidence, plans: Sequence[Cascade]) -> Figures:
    """The same in pure Python over samples, on lists made beforehand."""
    score, confidence = evidence.score.T.tolist(), evidence.confidence.T.tolist()
    latency, cost = evidence.by_load[LOAD].latency_s.T.tolist(), evidence.service_s.tolist()
    figures = []
    for plan in plans:
        first, second = (evidence.index(name) for name in plan.stages)
        threshold = plan.thresholds[0]
        gained = asked = spent = 0.0
        for i in range(SAMPLES):
            asked += 1
            spent += cost[first]
            came = latency[first][i] <= DEADLINE_S
            answer = score[first][i] if came else 0.0
            if came and confidence[first][i] < threshold:
                asked += 1
                spent += cost[second]
                if latency[first][i] + latency[second][i] <= DEADLINE_S:
                    answer = score[second][i]
            gained += answer
        figures.append((gained / SAMPLES, asked / SAMPLES, spent / SAMPLES))
    return figures


def measure() -> dict[str, float]:
    """Median seconds a plan of `sweep`, of `replay` and of the loop; they must agree."""
    evidence = _family()
    pairs = list(islice(permutations(evidence.variants, 2), PAIRS))
    plans = [
        Cascade(stages=pair, thresholds=(threshold,))
        for pair in pairs
        for threshold in np.linspace(0, 1, THRESHOLDS).tolist()
    ]
    some = plans[:: PLANS // _SOME]
    ours = swept(evidence, pairs)
    np.testing.assert_allclose(ours, one_by_one(evidence, plans), rtol=1e-9)
    np.testing.assert_allclose(ours[:: PLANS // _SOME], loop(evidence, some), rtol=1e-9)
    seconds = interleaved(
        {
            "ours": (lambda: swept(evidence, pairs), 9),
            "numpy": (lambda: one_by_one(evidence, some), 9),
            "loop": (lambda: loop(evidence, some), 3),
        }
    )
    return {
        "ours": seconds["ours"] / PLANS,
        "numpy": seconds["numpy"] / len(some),
        "loop": seconds["loop"] / len(some),
    }


def _family() -> Evidence:
    """Seven variants: the better, the slower; confidence tells right from wrong somewhat."""
    random = np.random.default_rng(0)
    right = random.random((SAMPLES, VARIANTS)) < np.linspace(0.85, 0.95, VARIANTS)
    confidence = np.where(right, random.beta(5, 1, right.shape), random.beta(2, 2, right.shape))
    service = np.geomspace(0.001, 0.02, VARIANTS)
    latency = service * random.lognormal(0, 0.4, right.shape)
    timed = Timed(
        round=np.repeat(np.arange(SAMPLES // 100), 100),
        sample=np.arange(SAMPLES),
        sent_s=np.zeros(right.shape),
        latency_s=latency,
    )
    names = tuple(f"v{index}" for index in range(VARIANTS))
    return Evidence(names, right.astype(np.float64), confidence, service, {LOAD: timed})

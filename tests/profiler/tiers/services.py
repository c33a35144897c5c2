"""Synthetic services whose truth is known: a population of requests that profiles draw from."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from profiler.record.evidence import Evidence, Timed
from profiler.record.judging import Judge
from profiler.replay import replay
from profiler.tiers.compile import Compiled, compile_tiers
from profiler.tiers.proof import required
from profiler.tiers.spec import TiersSpec
from tailq.plan import Plan
from tailq.profile import (
    Convergence,
    DataSet,
    Metric,
    Profile,
    Server,
    VariantAtLoad,
    VariantProfile,
)
from tailq.tier import GATEWAY_HOP_S, ConfidenceIn, Promise, Tier, TierTable

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LOADS = (1, 4)
CONFIDENCE = ConfidenceIn(output="logits", kind="softmax")


@dataclass(frozen=True)
class Variant:
    """One variant in truth: how often it is right, and its mean latency at the highest load (s)."""

    name: str
    accuracy: float
    mean_s: float


def population(
    variants: Sequence[Variant], rng: np.random.Generator, size: int = 20_000
) -> Evidence:
    """Every request there is: what each variant answers, how sure it is, and when at each load.

    Variants mostly fail on the same samples, and are less sure where they fail.
    """
    count = len(variants)
    difficulty = rng.random((size, 1))
    swapped = rng.random((size, count)) < 0.05
    own = np.where(swapped, rng.random((size, count)), difficulty)
    right = own < [variant.accuracy for variant in variants]
    sure = np.where(right, rng.beta(6, 0.7, right.shape), rng.beta(2, 1.5, right.shape))
    means = np.array([variant.mean_s for variant in variants])
    by_load = {
        load: Timed(
            round=np.zeros(size, dtype=np.int64),
            sample=np.arange(size),
            sent_s=np.zeros(right.shape),
            latency_s=rng.gamma(8, slower * means / 8, size=right.shape),
        )
        for load, slower in zip(LOADS, (0.5, 1.0), strict=True)
    }
    names = tuple(variant.name for variant in variants)
    return Evidence(names, right.astype(np.float64), sure, means / 2, by_load)


def profile_of(
    everything: Evidence, rng: np.random.Generator, samples: int = 4000, rounds: int = 30
) -> Evidence:
    """Measure a profile: draw samples, and time half of them at each load."""
    drawn = rng.integers(everything.samples, size=samples)
    by_load = {}
    for load, timed in everything.by_load.items():
        asked = rng.permutation(samples)[: samples // 2]
        by_load[load] = Timed(
            round=np.sort(np.arange(asked.size) % rounds),
            sample=asked,
            sent_s=np.zeros((asked.size, len(everything.variants))),
            latency_s=timed.latency_s[drawn[asked]],
        )
    return Evidence(
        everything.variants,
        everything.score[drawn],
        everything.confidence[drawn],
        everything.service_s,
        by_load,
    )


def summary(evidence: Evidence, *, additive: bool = True, unsure: Collection[str] = ()) -> Profile:
    """The summary of a profile with this evidence, as far as tiers look at it.

    unsure: variants that do not tell their confidence.
    """
    at_load = VariantAtLoad(load=4, rounds=1, requests=1, p50_s=1, p99_s=1, at_deadlines=())
    return Profile(
        id="0123456789abcdef",
        service="toys",
        started=NOW,
        finished=NOW,
        dataset=DataSet(name="synthetic", samples=evidence.samples, sha256=""),
        server=Server(name="triton", version="0"),
        loads=LOADS,
        metric=Metric(task="classification", name="top-1" if additive else "f1", additive=additive),
        stopped_by="budget",
        convergence=(Convergence(rounds=1, inferences=1, rjsd=None, half_width=None),),
        files={},
        variants=tuple(
            VariantProfile(
                name=name,
                version="1",
                fingerprint=name,
                quality=quality,
                service_s=service,
                loads=(at_load,),
                confidence=None if name in unsure else CONFIDENCE,
            )
            for name, quality, service in zip(
                evidence.variants,
                evidence.quality.tolist(),
                evidence.service_s.tolist(),
                strict=True,
            )
        ),
    )


def compiled(
    evidence: Evidence,
    spec: dict[str, Any],
    judge: Judge | None = None,
    unsure: Collection[str] = (),
) -> Compiled:
    """What is compiled from the evidence for the spec."""
    wanted = TiersSpec.model_validate(spec)
    profile = summary(evidence, additive=judge is None, unsure=unsure)
    return compile_tiers(wanted, profile, evidence, NOW, judge)


def true_quality(plan: Plan, everything: Evidence, deadline_s: float) -> float:
    """Quality of a plan at a deadline in truth, at the worst load."""
    effective = deadline_s - GATEWAY_HOP_S
    return min(
        float(replay(plan, everything, load, effective).score.mean()) for load in everything.by_load
    )


def broken(table: TierTable, everything: Evidence) -> list[tuple[Tier, Promise]]:
    """The promises of the table that are false in truth, by whichever of their plans."""
    best = float(everything.quality.max())
    return [
        (tier, promise)
        for tier in table.tiers
        for promise in tier.promises
        for option in promise.options
        if true_quality(option.plan, everything, promise.deadline_s)
        < max(promise.quality, required(tier.limit, best))
    ]

"""From the measured columns to the figures of profile.json. Pure."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from profiler.predict.predict import predict
from profiler.record.calibrate import calibrate
from profiler.record.evidence import Evidence, evidence_of
from profiler.record.judging import judge_of
from profiler.record.observations import Answers, Observations
from profiler.record.under_load import outstanding_work, under_load
from profiler.tasks import Judged, Metric
from profiler.tasks.base import Scores
from profiler.tasks.quality import completed_by_round, without_deadline
from tailq.profile import QualityAtDeadline, VariantAtLoad, VariantProfile
from tailq.quality import tail
from tailq.tier import ConfidenceIn

Floats = NDArray[np.float64]


def summarise(
    answers: Answers,
    observations: Observations,
    deadlines_s: Sequence[float],
    versions: Mapping[str, tuple[str, str]],
    metric: Metric | None = None,
    confidence: Mapping[str, ConfidenceIn] | None = None,
) -> tuple[VariantProfile, ...]:
    """Summarise every variant.

    versions: (version, fingerprint) by variant name. metric: None where quality is the mean score.
    confidence: where variants tell theirs, by name; one that is not among them has none.
    """
    evidence = evidence_of(answers, observations)
    judged = _judged(evidence, answers, metric)
    outstanding_s = outstanding_work(observations, evidence.service_s)
    closed = observations.where((observations.rate == 0) & ~observations.alone)
    return tuple(
        VariantProfile(
            name=name,
            version=versions[name][0],
            fingerprint=versions[name][1],
            quality=without_deadline(judged[index]),
            service_s=float(evidence.service_s[index]),
            loads=tuple(
                _at_load(
                    judged[index],
                    evidence,
                    index,
                    closed.where((closed.variant == index) & (closed.load == load)),
                    deadlines_s,
                )
                for load in evidence.by_load
            ),
            calibration=calibrate(evidence.confidence[:, index], evidence.score[:, index]),
            under_load=under_load(observations, outstanding_s, index),
            confidence=(confidence or {}).get(name),
        )
        for index, name in enumerate(evidence.variants)
    )


def quality_of_rounds(
    evidence: Evidence,
    variant: int,
    load: int,
    deadlines_s: Sequence[float],
    judged: Judged | None = None,
) -> Floats:
    """Quality of a variant at each deadline in each round, as if all samples were timed: [R, D].

    judged: its answers to all samples; None where quality is the mean score. See
    profiler.tasks.quality.completed_by_round.
    """
    timed = evidence.by_load[load]
    return completed_by_round(
        judged or Scores(evidence.score[:, variant]),
        timed.sample,
        timed.latency_s[:, variant],
        timed.round,
        deadlines_s,
    )


def _judged(evidence: Evidence, answers: Answers, metric: Metric | None) -> Sequence[Judged]:
    variants = range(len(evidence.variants))
    if metric is None or metric.additive:
        return [Scores(evidence.score[:, index]) for index in variants]
    judge = judge_of(metric, answers)
    return [judge.variant(index) for index in variants]


def _at_load(
    judged: Judged,
    evidence: Evidence,
    variant: int,
    seen: Observations,
    deadlines_s: Sequence[float],
) -> VariantAtLoad:
    load = int(seen.load[0])
    rounds = quality_of_rounds(evidence, variant, load, deadlines_s, judged)
    p50, p99 = np.quantile(seen.latency_s[seen.ok], [0.5, 0.99])
    tail_5, tail_1, worst = tail(rounds, 0.05), tail(rounds, 0.01), tail(rounds, 0.0)
    additive = isinstance(judged, Scores)
    predicted = predict(evidence, variant, load, deadlines_s) if additive else None
    return VariantAtLoad(
        load=load,
        rounds=len(rounds),
        requests=len(seen),
        failed=int((~seen.ok).sum()),
        p50_s=float(p50),
        p99_s=float(p99),
        at_deadlines=tuple(
            QualityAtDeadline(
                deadline_s=deadline,
                quality=float(rounds[:, index].mean()),
                tail_5=float(tail_5[index]),
                tail_1=float(tail_1[index]),
                worst=float(worst[index]),
                predicted=predicted[index] if predicted else None,
            )
            for index, deadline in enumerate(deadlines_s)
        ),
    )

"""From the measured columns to the figures of profile.json. Pure."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from profiler.record.observations import Answers, Observations
from tailq.profile import QualityAtDeadline, VariantAtLoad, VariantProfile
from tailq.quality import completed_by_round, tail

Floats = NDArray[np.float64]


def summarise(
    answers: Answers,
    observations: Observations,
    deadlines_s: Sequence[float],
    versions: Mapping[str, tuple[str, str]],
) -> tuple[VariantProfile, ...]:
    """Summarise every variant.

    versions: (version, fingerprint) by variant name.
    """
    return tuple(
        VariantProfile(
            name=name,
            version=versions[name][0],
            fingerprint=versions[name][1],
            accuracy=float(answers.correct[answers.variant == index].mean()),
            loads=tuple(
                _at_load(answers.where(answers.variant == index), rows, deadlines_s)
                for rows in _by_load(observations.where(observations.variant == index))
            ),
        )
        for index, name in enumerate(answers.variants)
    )


def quality_of_rounds(
    known: NDArray[np.bool_], timed: Observations, deadlines_s: Sequence[float]
) -> Floats:
    """Quality at each deadline in each round, as if all samples had been timed: [R, D].

    known: [N] whether the variant answers each sample right, without a deadline. timed: its
    requests at one load.

    See tailq.quality.completed_by_round.
    """
    right = np.where(timed.ok, timed.correct, known[timed.sample])
    return completed_by_round(float(known.mean()), right, timed.latency_s, timed.round, deadlines_s)


def _by_load(timed: Observations) -> list[Observations]:
    return [timed.where(timed.load == load) for load in np.unique(timed.load)]


def _at_load(answers: Answers, timed: Observations, deadlines_s: Sequence[float]) -> VariantAtLoad:
    known = np.zeros(int(answers.sample.max()) + 1, dtype=np.bool_)
    known[answers.sample] = answers.correct
    rounds = quality_of_rounds(known, timed, deadlines_s)
    p50, p99 = np.quantile(timed.latency_s[timed.ok], [0.5, 0.99])
    tail_5, tail_1, worst = tail(rounds, 0.05), tail(rounds, 0.01), tail(rounds, 0.0)
    return VariantAtLoad(
        load=int(timed.load[0]),
        rounds=len(rounds),
        requests=len(timed),
        failed=int((~timed.ok).sum()),
        p50_s=float(p50),
        p99_s=float(p99),
        at_deadlines=tuple(
            QualityAtDeadline(
                deadline_s=deadline,
                quality=float(rounds[:, index].mean()),
                tail_5=float(tail_5[index]),
                tail_1=float(tail_1[index]),
                worst=float(worst[index]),
            )
            for index, deadline in enumerate(deadlines_s)
        ),
    )

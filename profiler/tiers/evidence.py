"""From the measured columns of a profile to the evidence that tiers are compiled from."""

import numpy as np

from profiler.record.observations import OpenProfile
from profiler.tiers.compile import Evidence, Timed


def evidence_of(opened: OpenProfile) -> dict[str, Evidence]:
    """The evidence of each variant, in the profile's order.

    A timed request whose answer failed, or was wrong although the variant is right about the
    sample, never came: its latency is inf.
    """
    answers, timed = opened.answers, opened.observations
    evidence = {}
    for index, name in enumerate(answers.variants):
        rows = np.flatnonzero(answers.variant == index)
        correct = answers.correct[rows[np.argsort(answers.sample[rows])]]
        by_load = {}
        for load in opened.profile.loads:
            seen = (timed.variant == index) & (timed.load == load)
            right = correct[timed.sample[seen]]
            failed = right & ~(timed.ok[seen] & timed.correct[seen])
            latency = np.where(failed, np.inf, timed.latency_s[seen])
            by_load[load] = Timed(right, latency, timed.round[seen].astype(np.int64))
        evidence[name] = Evidence(correct, by_load)
    return evidence

"""The record that a prediction rests on: one variant at one load, in the order of time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from profiler.record.evidence import Evidence

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# A sample timed so often has a latency distribution of its own; the others share one.
_OWN = 20


@dataclass(frozen=True)
class Record:
    """M timed requests of one variant, as they were sent one after the other.

    score: [N] what the answer to each sample is worth without a deadline, in [0, 1]. sample: [M].
    latency_s: [M] seconds, inf if unanswered.
    """

    score: Floats
    sample: Ints
    latency_s: Floats

    @property
    def quality(self) -> float:
        """Quality without a deadline."""
        return float(self.score.mean())

    @property
    def scores(self) -> Floats:
        """What each timed answer is worth: [M]."""
        return np.asarray(self.score[self.sample])

    @property
    def timed_often(self) -> NDArray[np.bool_]:
        """Which samples were timed often enough for a latency distribution of their own: [N]."""
        counts = np.bincount(self.sample, minlength=len(self.score))
        return np.asarray(counts >= _OWN)


def record_of(evidence: Evidence, variant: int, load: int) -> Record:
    """What was timed of a variant (index) at a load."""
    timed = evidence.by_load[load]
    order = np.argsort(timed.sent_s[:, variant], kind="stable")
    return Record(
        score=evidence.score[:, variant],
        sample=timed.sample[order],
        latency_s=timed.latency_s[order, variant],
    )


def composed(score: Floats, requests: int) -> Ints:
    """The samples of a round of `requests` requests in the proportions of the data set: [n].

    Only lateness is to make rounds differ, not the luck of which samples they happen to ask: so
    as many requests as the data set has samples ask each once, twice as many each twice, and
    fewer ask every so many-th by ascending score.
    """
    order = np.argsort(score, kind="stable")
    place = (np.arange(requests) + 0.5) * len(score) / requests
    return np.asarray(order[place.astype(np.int64)])

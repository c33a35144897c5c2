"""The arrays that everything is computed from, against the columns they come from."""

import math
from dataclasses import replace

import numpy as np

from profiler.record.evidence import evidence_of
from profiler.record.observations import concatenate
from tests.profiler.columns import answers, observations

ANSWERS = answers([[True, False, True], [True, True, True]])


def test_rows_are_aligned_whatever_their_order() -> None:
    """One row a (round, sample), one column a variant, though they were sent shuffled."""
    fast = observations([0.1, 0.2, 0.3], [True] * 3, [0, 0, 1], sample=[2, 0, 2])
    good = observations([1.0, 2.0, 3.0], [True] * 3, [0, 0, 1], sample=[2, 0, 2], variant=1)
    sent = concatenate([fast, good])
    shuffled = sent.where(np.random.default_rng(1).permutation(len(sent)))
    timed = evidence_of(ANSWERS, shuffled).by_load[1]
    assert timed.round.tolist() == [0, 0, 1]
    assert timed.sample.tolist() == [0, 2, 2]
    assert timed.latency_s.tolist() == [[0.2, 2.0], [0.1, 1.0], [0.3, 3.0]]
    assert timed.sent_s.tolist() == [[1.0, 1.0], [0.0, 0.0], [2.0, 2.0]]


def test_an_answer_that_failed_or_was_worse_than_known_never_came() -> None:
    """It has no time; one that was better by chance keeps its own."""
    fast = observations([0.1, 0.2, math.inf], [False, True, True], [0] * 3)
    good = observations([0.1] * 3, [True] * 3, [0] * 3, variant=1)
    seen = evidence_of(ANSWERS, concatenate([fast, good]))
    assert seen.by_load[1].latency_s[:, 0].tolist() == [math.inf, 0.2, math.inf]
    assert seen.score.tolist() == [[1.0, 1.0], [0.0, 1.0], [1.0, 1.0]]
    assert seen.quality.tolist() == [2 / 3, 1.0]


def test_the_service_time_is_that_without_others_where_it_was_measured() -> None:
    """Median latency alone; where a variant was not measured so, at the lowest load."""
    fast = observations([0.1, 0.2, 0.3], [True] * 3, [0] * 3)
    good = observations([1.0, 2.0, 3.0], [True] * 3, [0] * 3, variant=1)
    alone = replace(fast, latency_s=fast.latency_s / 10, alone=np.ones(3, dtype=np.bool_))
    seen = evidence_of(ANSWERS, concatenate([fast, good, alone]))
    assert seen.service_s.tolist() == [0.02, 2.0]
    assert list(seen.by_load) == [1]
    assert len(seen.by_load[1].sample) == 3

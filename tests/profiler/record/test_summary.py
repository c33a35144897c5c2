"""Figures of profile.json against the definitions."""

import math

import numpy as np
import pytest

from profiler.record.observations import concatenate
from profiler.record.summary import quality_of_rounds, summarise
from tests.profiler.columns import VARIANTS, answers, observations

KNOWN = np.array([True, True, True, False])


def test_on_time_rounds_have_the_accuracy_of_all_samples() -> None:
    """Where nothing is late, which samples a round drew does not matter."""
    timed = observations([0.01] * 4, [True, False, False, False], [0, 0, 1, 1], sample=[0, 3, 3, 3])
    assert quality_of_rounds(KNOWN, timed, [0.02]) == pytest.approx(np.array([[0.75], [0.75]]))


def test_late_rounds_have_no_quality() -> None:
    """Where everything is late, quality is exactly 0."""
    timed = observations([0.03] * 3, [True, True, False], [0, 0, 1], sample=[0, 1, 3])
    assert quality_of_rounds(KNOWN, timed, [0.02]).tolist() == [[0.0], [0.0]]


def test_a_round_loses_the_share_of_right_answers_that_came_late() -> None:
    """Half of the right answers late: half of the accuracy is left, at that deadline only."""
    timed = observations([0.01, 0.03, 0.03], [True, True, False], [0, 0, 0], sample=[0, 1, 3])
    assert quality_of_rounds(KNOWN, timed, [0.02, 0.05]).tolist() == [[0.375, 0.75]]


def test_a_round_over_all_samples_has_its_own_quality() -> None:
    """If all samples are timed in a round, it is the plain definition of quality at a deadline."""
    timed = observations([0.01, 0.03, 0.01, 0.01], KNOWN.tolist(), [0] * 4)
    assert quality_of_rounds(KNOWN, timed, [0.02]).tolist() == [[0.5]]


def test_failed_requests_count_as_late() -> None:
    """A failed request would have been right: it is lost, not left out."""
    timed = observations([0.01, math.inf], [True, True], [0, 0], sample=[0, 1])
    assert quality_of_rounds(KNOWN, timed, [0.02]).tolist() == [[0.375]]


def test_summary_tells_every_variant_and_load() -> None:
    """Accuracy from all answers; latencies, failures and the tail from each load's rounds."""
    timed = concatenate(
        [
            observations([0.01, 0.02, math.inf, 0.01], [True] * 4, [0, 0, 1, 1]),
            observations([0.04, 0.04, 0.06, 0.06], [True] * 4, [0, 0, 1, 1], load=2),
            observations([0.1] * 4, [True] * 4, [0, 0, 1, 1], variant=1),
        ]
    )
    versions = {name: ("1", name * 8) for name in VARIANTS}
    fast, good = summarise(answers([[True] * 4, [True] * 4]), timed, [0.05], versions)
    assert (fast.name, fast.fingerprint, fast.accuracy) == ("fast", "fast" * 8, 1.0)
    one, two = fast.loads
    assert (one.load, one.rounds, one.requests, one.failed) == (1, 2, 4, 1)
    assert (one.p50_s, two.p50_s) == pytest.approx((0.01, 0.05))
    at = one.at_deadlines[0]
    assert (at.quality, at.tail_5, at.worst) == pytest.approx((0.75, 0.5, 0.5))
    assert two.at_deadlines[0].worst == 0.0
    assert [at.load for at in good.loads] == [1]

"""Replay agrees with executing a plan request by request."""

import numpy as np
import pytest
from hypothesis import given

from profiler.record.evidence import Evidence, Timed
from profiler.replay import replay, without_deadline
from profiler.replay.replayed import chosen
from tailq.plan import Cascade, Plan, Race, Rescue, Single
from tests.profiler.replay.brute_force import execute, requests
from tests.profiler.replay.strategies import LOAD, deadlines, evidences, plans, prices


@given(evidences(), plans(), deadlines, prices)
def test_replay_is_what_executing_every_request_gives(
    evidence: Evidence, plan: Plan, deadline_s: float, price: dict[str, float]
) -> None:
    """Score, response, asks and cost of each request agree, ties and failed ones included."""
    seen = replay(plan, evidence, LOAD, deadline_s, price)
    wanted = [execute(plan, r, deadline_s) for r in requests(evidence, LOAD, price)]
    np.testing.assert_array_equal(seen.score, [outcome.score for outcome in wanted])
    np.testing.assert_array_equal(seen.response_s, [outcome.response_s for outcome in wanted])
    np.testing.assert_array_equal(seen.asks, [outcome.asks for outcome in wanted])
    np.testing.assert_allclose(seen.cost, [outcome.cost for outcome in wanted], rtol=1e-12)


@given(evidences(), plans(), deadlines)
def test_the_answering_variant_explains_the_score(
    evidence: Evidence, plan: Plan, deadline_s: float
) -> None:
    """Where nobody answers there is no score and no response; elsewhere it is that variant's."""
    seen = replay(plan, evidence, LOAD, deadline_s)
    sample = evidence.by_load[LOAD].sample
    nobody = seen.answered < 0
    assert np.all(seen.score[nobody] == 0)
    assert np.all(np.isinf(seen.response_s[nobody]))
    np.testing.assert_array_equal(
        seen.score[~nobody], evidence.score[sample[~nobody], seen.answered[~nobody]]
    )


@given(evidences(), plans())
def test_without_a_deadline_an_immediate_answer_is_what_replay_gives(
    evidence: Evidence, plan: Plan
) -> None:
    """If every variant answers at once, nothing is late and both say the same."""
    timed = evidence.by_load[LOAD]
    at_once = Timed(timed.round, timed.sample, timed.sent_s, np.zeros(timed.latency_s.shape))
    instant = Evidence(
        evidence.variants,
        evidence.score,
        evidence.confidence,
        evidence.service_s,
        {LOAD: at_once},
    )
    seen = replay(plan, instant, LOAD, 1.0)
    np.testing.assert_array_equal(seen.score, without_deadline(plan, evidence)[timed.sample])
    np.testing.assert_array_equal(seen.answered, chosen(plan, evidence)[timed.sample])


@pytest.fixture
def one() -> Evidence:
    """One request: `fast` is wrong and unsure after 10 ms, `good` is right after 50 ms."""
    return Evidence(
        ("fast", "good"),
        score=np.array([[0.0, 1.0]]),
        confidence=np.array([[0.4, 0.9]]),
        service_s=np.array([0.01, 0.05]),
        by_load={
            1: Timed(
                round=np.zeros(1, dtype=np.int64),
                sample=np.zeros(1, dtype=np.int64),
                sent_s=np.zeros((1, 2)),
                latency_s=np.array([[0.01, 0.05]]),
            )
        },
    )


@pytest.mark.parametrize(
    ("plan", "deadline_s", "score", "response_s", "asks", "cost"),
    [
        (Single(variant="good"), 0.05, 1, 0.05, 1, 0.05),
        (Single(variant="good"), 0.049, 0, np.inf, 1, 0.05),
        (Cascade(stages=("fast", "good"), thresholds=(0.4,)), 0.1, 0, 0.01, 1, 0.01),
        (Cascade(stages=("fast", "good"), thresholds=(0.5,)), 0.1, 1, 0.06, 2, 0.06),
        # The second comes too late: the first answer, in hand, leaves at the deadline.
        (Cascade(stages=("fast", "good"), thresholds=(0.5,)), 0.055, 0, 0.055, 2, 0.06),
        (Race(fast="fast", accurate="good", threshold=0.5), 0.055, 1, 0.05, 2, 0.06),
        # Terminated after 10 ms, a fifth of its work.
        (Race(fast="fast", accurate="good", threshold=0.4), 0.055, 0, 0.01, 2, 0.02),
        (
            Race(fast="fast", accurate="good", threshold=0.4, terminate=False),
            *(0.055, 0, 0.01, 2, 0.06),
        ),
        (Rescue(primary="good", rescuer="fast", after_s=0.02), 0.04, 0, 0.04, 2, 0.06),
        (Rescue(primary="good", rescuer="fast", after_s=0.02), 0.05, 1, 0.05, 2, 0.06),
        (Rescue(primary="good", rescuer="fast", after_s=0.05), 0.06, 1, 0.05, 1, 0.05),
    ],
)
def test_each_plan_on_one_request(
    one: Evidence,
    plan: Plan,
    deadline_s: float,
    score: float,
    response_s: float,
    asks: float,
    cost: float,
) -> None:
    """What leaves, when, and at what cost, worked out by hand."""
    seen = replay(plan, one, 1, deadline_s)
    figures = [seen.score, seen.response_s, seen.asks, seen.cost]
    for figure, wanted in zip(figures, (score, response_s, asks, cost), strict=True):
        assert figure == pytest.approx([wanted])


def test_a_load_that_was_not_measured_is_refused(one: Evidence) -> None:
    """The loads there are are named."""
    with pytest.raises(ValueError, match=r"load 3 was not measured, only \[1\]"):
        replay(Single(variant="good"), one, 3, 0.1)

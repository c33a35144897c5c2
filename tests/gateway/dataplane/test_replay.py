"""Promises are computed by replaying plans: executing one must come to the same."""

from dataclasses import dataclass

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gateway.dataplane import MARGIN_S
from profiler.record.evidence import Evidence, Timed
from profiler.replay import replay
from tailq.plan import Plan
from tests.gateway.dataplane.bench import VARIANTS, executing, near, says
from tests.gateway.dataplane.strategies import CONFIDENCES, plans

LOAD = 1
# Whatever is added up of a rescue's moment and of up to four latencies, it does not come within
# MARGIN_S before a deadline: then a better answer than the one in hand is not waited for any more.
LATENCIES_S = [0.0002, 0.0102, 0.0182, 0.0302, 0.0602, 0.1002, 0.1202, float("inf")]
DEADLINES_S = [0.0119, 0.0319, 0.0619, 0.1019]
AFTER_S = [0.0001, 0.0101, 0.0301, 0.0601, 0.1101]


@dataclass(frozen=True)
class Case:
    """Requests that were timed, and a plan for them."""

    plan: Plan
    deadline_s: float
    evidence: Evidence


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A plan, and what its variants answered, when, and how sure they were."""
    count, variants = draw(st.integers(1, 6)), len(VARIANTS)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = (count, variants)
    return Case(
        plan=draw(plans(st.sampled_from(AFTER_S))),
        deadline_s=draw(st.sampled_from(DEADLINES_S)),
        evidence=Evidence(
            VARIANTS,
            score=np.zeros(shape),
            confidence=rng.choice(CONFIDENCES, size=shape),
            service_s=np.full(variants, 0.01),
            by_load={
                LOAD: Timed(
                    round=np.zeros(count, dtype=np.int64),
                    sample=np.arange(count),
                    sent_s=np.zeros(shape),
                    latency_s=rng.choice(LATENCIES_S, size=shape),
                )
            },
        ),
    )


@given(cases())
def test_a_plan_is_executed_as_it_was_replayed(case: Case) -> None:
    """The same variant answers at the same moment, with as many asked; none where none did."""
    evidence, plan = case.evidence, case.plan
    seen = replay(plan, evidence, LOAD, case.deadline_s)
    latencies = evidence.by_load[LOAD].latency_s
    for row, (latency_s, confidence) in enumerate(zip(latencies, evidence.confidence, strict=True)):
        usual = {
            variant: says(None if np.isinf(took) else float(took), float(sure))
            for variant, took, sure in zip(VARIANTS, latency_s, confidence, strict=True)
        }
        b = executing(plan, usual, deadline_s=case.deadline_s)
        at, answer = b.answer(within_s=20)
        assert len(answer.asked) == seen.asks[row]
        if seen.answered[row] < 0:
            assert (answer.outcome, at) == ("late", case.deadline_s)
        else:
            assert answer.variant == VARIANTS[seen.answered[row]]
            assert answer.best_effort is None
            held = at == near(case.deadline_s - MARGIN_S)
            wanted = seen.response_s[row]
            assert at == near(wanted - MARGIN_S * (held and wanted == case.deadline_s))
        assert b.is_idle()

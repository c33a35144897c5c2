"""Evidence and plans for property tests: coarse values, so that ties are frequent."""

import numpy as np
from hypothesis import strategies as st

from profiler.record.evidence import Evidence, Timed
from tailq.plan import Cascade, Plan, Race, Rescue, Single

VARIANTS = ("a", "b", "c")
LOAD = 2
SECONDS = [0.0, 0.01, 0.02, 0.03, 0.05]
SURE = [0.0, 0.25, 0.5, 1.0]

deadlines = st.sampled_from([0.0, 0.01, 0.03, 0.06, float("inf")])
prices = st.dictionaries(st.sampled_from(VARIANTS), st.sampled_from([0.0, 0.5, 3.0]))


@st.composite
def evidences(draw: st.DrawFn, samples: int = 5) -> Evidence:
    """A few samples, timed a few times, some requests failed (inf)."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    m = draw(st.integers(1, 12))
    shape = (samples, len(VARIANTS))
    latency = rng.choice([*SECONDS, np.inf], size=(m, len(VARIANTS)))
    timed = Timed(
        round=np.arange(m) // 4,
        sample=rng.integers(samples, size=m),
        sent_s=np.zeros(latency.shape),
        latency_s=np.full(latency.shape, np.inf) if draw(st.integers(0, 9)) == 0 else latency,
    )
    return Evidence(
        VARIANTS,
        score=rng.choice([0.0, 0.5, 1.0], size=shape),
        confidence=rng.choice(SURE, size=shape),
        service_s=rng.choice(SECONDS[1:], size=len(VARIANTS)),
        by_load={LOAD: timed},
    )


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Any plan over the variants."""
    first, second, third = draw(st.permutations(VARIANTS))
    t, u = draw(st.sampled_from(SURE)), draw(st.sampled_from(SURE))
    every: list[Plan] = [
        Single(variant=first),
        Cascade(stages=(first, second), thresholds=(t,)),
        Cascade(stages=(first, second, third), thresholds=(t, u)),
        Race(fast=first, accurate=second, threshold=t, terminate=True),
        Race(fast=first, accurate=second, threshold=t, terminate=False),
        Rescue(primary=first, rescuer=second, after_s=draw(st.sampled_from(SECONDS))),
    ]
    return draw(st.sampled_from(every))

"""Views of a gateway for tests of those who show them: from all that goes well to all at once."""

import math
import random
from dataclasses import replace

from gateway.live.view import Correction, LiveView, Span, TierView, Trouble, VariantView, Verdict

NOW = 1_793_000_000.0


def span(requests: float, delivered: float | None, promised: float, late: float = 0) -> Span:
    """So many requests, some of them late, all judged."""
    known = None if not requests else delivered
    return Span(
        by_outcome={"on_time": requests - late, "late": late, "rescued": 0, "shed": 0},
        judged={"expected": requests, "feedback": 0, "probe": 0},
        promised=promised if requests else None,
        delivered={"expected": known, "feedback": None, "probe": None},
        on_time=(requests - late) / requests if requests else None,
        tail_5=None if known is None else known - 0.025,
        tail_1=None if known is None else known - 0.041,
    )


def tier(
    name: str,
    verdict: Verdict,
    promise: float,
    delivered: float | None,
    *,
    deadline_s: float = 0.1,
    requests: float = 5212,
    seed: int = 0,
) -> TierView:
    """A tier that delivered about as much all the time."""
    draw = random.Random(seed)
    history = [
        None if delivered is None else delivered + draw.gauss(0, 0.008) + 0.006 * math.sin(at / 9)
        for at in range(180)
    ]
    mean = promise if delivered is None else delivered
    recent = 0 if delivered is None else requests
    return TierView(
        name=name,
        deadline_s=deadline_s,
        promise=promise,
        profiled=promise + 0.019,
        profiled_tail_5=promise - 0.008,
        verdict=verdict,
        told_by=["expected"] if verdict in ("below", "broken") else [],
        since_start=span(48_211, mean, promise, late=31),
        window=span(recent, delivered, promise, late=7 if recent else 0),
        evidence={"expected": 18.4 if verdict == "broken" else 0.02},
        interval={"expected": (mean - 0.009, mean + 0.008)},
        history=history,
        corrections=[],
    )


def variant(name: str, share: float | None = 0.05) -> VariantView:
    """A variant that is as it should be."""
    return VariantView(name, share, 2, 8, 1.04, 0.011, 0.01, 0.03, as_profiled=True, absent=False)


def view(*tiers: TierView) -> LiveView:
    """A gateway with these tiers."""
    return LiveView(
        service="fashion",
        metric="top-1",
        confidence=0.95,
        profile="3f1c9a7be2d45a60",
        measured=NOW - 12.4 * 86400,
        now=NOW,
        window_s=300.0,
        step_s=5.0,
        point_s=60.0,
        tiers=list(tiers),
        variants=[variant("large", 0.4), variant("small", 0.6)],
        endpoints={"127.0.0.1:8000": True},
    )


GOOD = view(
    tier("gold", "kept", 0.927, 0.9461, deadline_s=0.2),
    tier("silver", "kept", 0.916, 0.9384, seed=1),
    tier("bronze", "kept", 0.907, 0.9331, deadline_s=0.05, seed=2),
)
IDLE = view(tier("gold", "idle", 0.927, None), tier("silver", "idle", 0.916, None))
BELOW = view(tier("gold", "below", 0.927, 0.921, requests=240), tier("fast", "kept", 0.87, 0.9))


def bad() -> LiveView:
    """Everything at once: broken, below, idle, long names that look like markup, 20 variants."""
    bronze = tier("bronze", "kept", 0.907, 0.9331, deadline_s=0.05, seed=2)
    judged = {"expected": 5212.0, "feedback": 1240.0, "probe": 88.0}
    bronze = replace(
        bronze,
        since_start=replace(bronze.since_start, judged=judged),
        window=replace(
            bronze.window,
            judged={"expected": 5212.0, "feedback": 312.0, "probe": 88.0},
            delivered={"expected": 0.9331, "feedback": 0.9252, "probe": 0.9317},
        ),
        evidence={"expected": 0.02, "feedback": 0.11, "probe": 0.4},
        interval={"expected": (0.925, 0.941), "feedback": (0.9, 0.951), "probe": (0.8, 1.0)},
        corrections=[Correction("feedback", 0.008, 1240)],
    )
    express = tier("express", "broken", 0.87, 0.8213, deadline_s=0.025, seed=3)
    express = replace(
        express,
        told_by=["feedback", "probe"],
        window=replace(
            express.window,
            by_outcome={"on_time": 4800, "late": 301, "shed": 88, "failed": 3, "best_effort": 20},
            on_time=0.9248,
        ),
        history=[
            None if 40 <= at < 52 else 0.9 - 0.0009 * max(0, at - 70) + 0.004 * math.sin(at)
            for at in range(180)
        ],
    )
    long = "a-tier-with-a-name-as-long-as-names-may-be_of_sixty-three.chars"
    many = [variant(f"fashion_variant_number_{at}_int8") for at in range(17)]
    many += [
        replace(variant("medium"), as_profiled=False, correction=5.12, slower=0.61, drift=0.41),
        replace(variant("legacy", None), absent=True, limit=None, slower=None, drift=None),
        replace(variant("<b>nano</b>", 0.0), correction=None, as_profiled=None),
    ]
    return replace(
        view(
            tier("gold", "kept", 0.927, 0.9461, deadline_s=0.2),
            tier(long, "below", 0.916, 0.9103, seed=4, requests=412),
            bronze,
            express,
            tier("<img src=x onerror=alert(1)>", "idle", 0.8, None, deadline_s=0.01),
        ),
        variants=many,
        endpoints={"triton-a.example.internal:8000": True, "triton-b.example.internal:8000": False},
        troubles=[
            Trouble(
                "express breaks its promise of 87.00 %: the evidence is 18.4 times what is needed.",
                "TailqPromiseBroken",
                "page",
            ),
            Trouble("triton-b.example.internal:8000 does not answer.", "TailqUpstreamDown", "page"),
            Trouble("medium is not what was profiled.", "TailqProfileMismatch", "ticket"),
        ],
    )


BAD = bad()
EVERY = {"good": GOOD, "idle": IDLE, "below": BELOW, "bad": BAD}

"""What /v1/live says: how each tier's promise is kept, for the live page and the terminal.

Plain data, made of the merged numbers of all processes (`families`) and of the last quarter of an
hour of them (`history`). Ratios are in [0, 1]; None: nothing to tell it from.
"""

from dataclasses import dataclass, field
from typing import Literal

from gateway.live.names import Source

# broken: the evidence of a source says so. below: not (yet), but less than promised was delivered
# in the window. idle: nothing was held to a promise in the window. kept: none of these.
Verdict = Literal["broken", "below", "kept", "idle"]


@dataclass(frozen=True, slots=True)
class Span:
    """A tier's requests in a span of time. by_outcome: requests by how they ended.

    judged: held against their promise. promised: mean over them. delivered: the mean of the
    quality at the deadline, by source. on_time: share of answers by the deadline among all but
    invalid and cancelled requests. tail_5, tail_1: quantiles of the quality of rounds, expected.
    """

    by_outcome: dict[str, float]
    judged: dict[str, float]
    promised: float | None
    delivered: dict[str, float | None]
    on_time: float | None
    tail_5: float | None
    tail_1: float | None


@dataclass(frozen=True, slots=True)
class Correction:
    """What known labels say about what was expected without them, since the start.

    error: expected minus known quality of the same answers. judged: how many.
    """

    source: str
    error: float
    judged: float


@dataclass(frozen=True, slots=True)
class TierView:
    """One tier. deadline_s, promise, profiled, profiled_tail_5: its own deadline's, as profiled.

    told_by: sources by which it is broken or below. evidence, interval: by source, see
    names.EVIDENCE, LOWER, UPPER. history: expected quality of the last quarter of an hour, a point
    for each step, oldest first, None where nothing was judged. corrections: where the expected
    quality is off by more than chance would have it.
    """

    name: str
    deadline_s: float
    promise: float
    profiled: float
    profiled_tail_5: float
    verdict: Verdict
    told_by: list[Source]
    since_start: Span
    window: Span
    evidence: dict[str, float]
    interval: dict[str, tuple[float, float]]
    history: list[float | None]
    corrections: list[Correction]


@dataclass(frozen=True, slots=True)
class VariantView:
    """One variant.

    share: of the window's answers. in_flight, limit: now. correction: latency observed over
    profiled. slower: share of the window's answers beyond the profile's highest known quantile, and
    expected_slower what that should be. drift: population stability index of its confidences in the
    window. as_profiled: fingerprint. absent: cannot be asked at present.
    """

    name: str
    share: float | None
    in_flight: float
    limit: float | None
    correction: float | None
    slower: float | None
    expected_slower: float | None
    drift: float | None
    as_profiled: bool | None
    absent: bool


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something an operator should look at. runbook: name of the page in docs/runbooks/."""

    what: str
    runbook: str
    severity: Literal["page", "ticket"]


@dataclass(frozen=True, slots=True)
class LiveView:
    """All of it. now: Unix time.

    window_s, step_s, point_s: of the window, of a step of the history, and of what each point of it
    is the mean over, seconds.
    """

    service: str
    metric: str
    confidence: float
    profile: str
    measured: float
    now: float
    window_s: float
    step_s: float
    point_s: float
    tiers: list[TierView]
    variants: list[VariantView]
    endpoints: dict[str, bool]
    troubles: list[Trouble] = field(default_factory=list)

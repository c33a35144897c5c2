"""Compiling tiers: for each tolerance and deadline the best plan whose promise can be proven.

What is proven, with c the correctness of an answer, ref the best variant and d the deadline:

    relative  E[c_v] - E[c_ref] + tolerance * E[c_ref] - P(right but late at d) >= 0
    absolute  E[c_v] - P(right but late at d) >= promised quality

Each of the terms is bounded once for every variant (and deadline), all bounds hold together with
the asked confidence (Bonferroni), so that any selection among them is allowed and the table's
promises are true together. Lateness is bounded at the worst profiled load. See
docs/statistics.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from profiler.tiers.spec import TierSpec, TiersSpec
from tailq.guarantee import binomial_lower, clustered_share, mean_lower, share
from tailq.plan import Single
from tailq.profile import Profile
from tailq.quality import completed_by_round, tail
from tailq.tier import Conditions, NotOffered, Promise, Reference, Tier, TierTable

Floats = NDArray[np.float64]

# The profile times Triton directly; behind the gateway an answer has one hop more. The hop takes
# a fraction of a millisecond (docs/gateway.md); promises leave it this much.
GATEWAY_HOP_S = 0.002


@dataclass(frozen=True)
class Timed:
    """The timed requests of one variant at one load: arrays [n].

    correct: whether the variant answers the request's sample right when there is no deadline.
    latency_s: until that right answer came; inf if the request failed or answered otherwise.
    round: the round in which it was sent.
    """

    correct: NDArray[np.bool_]
    latency_s: Floats
    round: NDArray[np.int64]


@dataclass(frozen=True)
class Evidence:
    """What was measured of one variant.

    correct: [N] whether each sample is answered right, samples in the same order for every
    variant. by_load: its timed requests at each profiled load.
    """

    correct: NDArray[np.bool_]
    by_load: Mapping[int, Timed]

    @property
    def accuracy(self) -> float:
        """Quality without a deadline."""
        return float(self.correct.mean())

    @property
    def response_time_s(self) -> float:
        """Mean latency at the highest load, seconds."""
        return float(self.by_load[max(self.by_load)].latency_s.mean())

    @property
    def cost_s(self) -> float:
        """Device-seconds a request takes: its median latency at the lowest load, unqueued."""
        return float(np.median(self.by_load[min(self.by_load)].latency_s))


@dataclass(frozen=True)
class Late:
    """Answers of one variant that are right but late at one deadline, at its worst load.

    upper: bound of their share of all requests. load: the worst one.
    """

    upper: float
    load: int


@dataclass(frozen=True)
class Proven:
    """The bounds of all variants that hold together.

    floor: lower bound of the quality without a deadline, by variant. gap: lower bound of that
    quality minus the reference's. late: by (variant, deadline in seconds).
    """

    reference: str
    floor: Mapping[str, float]
    gap: Mapping[str, float]
    late: Mapping[tuple[str, float], Late]


def prove(evidence: Mapping[str, Evidence], deadlines_s: list[float], delta: float) -> Proven:
    """Bound everything that tiers rest on, all bounds true together but with chance `delta`."""
    # Ties go to the faster variant: nobody should wait for quality that was not measured.
    reference = max(evidence, key=lambda v: (evidence[v].accuracy, -evidence[v].cost_s))
    variants = len(evidence)
    # The reference is picked by these data, so the gap of every ordered pair must be bounded.
    gaps = variants * (variants - 1)
    each = share(delta, variants + gaps + variants * len(deadlines_s))
    best = evidence[reference].correct
    floor = {
        name: binomial_lower(float(seen.correct.sum()), seen.correct.size, each)
        for name, seen in evidence.items()
    }
    gap = {
        name: 0.0
        if name == reference
        else mean_lower(seen.correct.astype(float) - best, each, low=-1.0)
        for name, seen in evidence.items()
    }
    late = {
        (name, deadline): _late(seen, deadline, each)
        for name, seen in evidence.items()
        for deadline in deadlines_s
    }
    return Proven(reference, floor, gap, late)


def _late(seen: Evidence, deadline_s: float, delta: float) -> Late:
    """The worst load's lateness: its bound fails no more often than that load's own."""
    bounds = {
        load: clustered_share(_is_late(timed, deadline_s) & timed.correct, timed.round).upper(delta)
        for load, timed in seen.by_load.items()
    }
    worst = max(bounds, key=lambda load: (bounds[load], load))
    return Late(bounds[worst], worst)


def _is_late(timed: Timed, deadline_s: float) -> NDArray[np.bool_]:
    return timed.latency_s > deadline_s - GATEWAY_HOP_S


def compile_tiers(
    spec: TiersSpec, profile: Profile, evidence: Mapping[str, Evidence], created: datetime
) -> TierTable:
    """Compile the wanted tiers against the evidence. Tiers nobody can promise say why."""
    deadlines = sorted({d / 1000 for tier in spec.tiers.values() for d in tier.deadlines_ms})
    proven = prove(evidence, deadlines, 1 - spec.confidence)
    tiers: list[Tier] = []
    not_offered: list[NotOffered] = []
    for name, wanted in spec.tiers.items():
        promises = []
        for deadline in (d / 1000 for d in wanted.deadlines_ms):
            variant = _best(wanted, deadline, proven, evidence)
            if variant is None:
                why = _why_not(wanted, deadline, proven, evidence)
                not_offered.append(NotOffered(name=name, deadline_s=deadline, why=why))
            else:
                promises.append(_promise(variant, deadline, proven, evidence[variant]))
        if promises:
            tiers.append(
                Tier(
                    name=name,
                    tolerance=wanted.tolerance,
                    objective=wanted.objective,
                    promises=tuple(promises),
                )
            )
    offered = {tier.name for tier in tiers}
    return TierTable(
        service=profile.service,
        created=created,
        confidence=spec.confidence,
        reference=Reference(variant=proven.reference, quality=evidence[proven.reference].accuracy),
        conditions=Conditions(
            profile=profile.id,
            measured=profile.finished,
            max_outstanding=max(profile.loads),
            fingerprint={v.name: v.fingerprint for v in profile.variants},
        ),
        default=spec.default if spec.default in offered else None,
        tiers=tuple(tiers),
        not_offered=tuple(not_offered),
    )


def _slack(variant: str, wanted: TierSpec, deadline_s: float, proven: Proven) -> float:
    """By how much quality the relative promise is proven; negative: by how much it is missed."""
    tolerated = wanted.tolerance * proven.floor[proven.reference]
    return proven.gap[variant] + tolerated - proven.late[variant, deadline_s].upper


def _best(
    wanted: TierSpec, deadline_s: float, proven: Proven, evidence: Mapping[str, Evidence]
) -> str | None:
    def objective(variant: str) -> float:
        seen = evidence[variant]
        return seen.cost_s if wanted.objective == "cost" else seen.response_time_s

    kept = [v for v in evidence if _slack(v, wanted, deadline_s, proven) >= 0]
    return min(kept, key=objective, default=None)


def _promise(variant: str, deadline_s: float, proven: Proven, seen: Evidence) -> Promise:
    late = proven.late[variant, deadline_s]
    timed = seen.by_load[late.load]
    p50, p99 = np.quantile(timed.latency_s[np.isfinite(timed.latency_s)], [0.5, 0.99])
    rounds = _quality_of_rounds(seen, late.load, deadline_s)
    return Promise(
        deadline_s=deadline_s,
        plan=Single(variant=variant),
        quality=max(0.0, proven.floor[variant] - late.upper),
        expected_quality=float(rounds.mean()),
        expected_on_time=float(1 - _is_late(timed, deadline_s).mean()),
        tail_quality=float(tail(rounds, 0.05)[0]),
        p50_s=float(p50),
        p99_s=float(p99),
    )


def _quality_of_rounds(seen: Evidence, load: int, deadline_s: float) -> Floats:
    timed = seen.by_load[load]
    effective = [deadline_s - GATEWAY_HOP_S]
    return completed_by_round(seen.accuracy, timed.correct, timed.latency_s, timed.round, effective)


def _why_not(
    wanted: TierSpec, deadline_s: float, proven: Proven, evidence: Mapping[str, Evidence]
) -> str:
    nearest = max(evidence, key=lambda v: _slack(v, wanted, deadline_s, proven))
    late = proven.late[nearest, deadline_s]
    missed = -_slack(nearest, wanted, deadline_s, proven)
    accuracy, reference = evidence[nearest].accuracy, evidence[proven.reference].accuracy
    in_time = float(_quality_of_rounds(evidence[nearest], late.load, deadline_s).mean())
    tolerated = wanted.tolerance * proven.floor[proven.reference]
    if reference - in_time < tolerated:
        help_ = "more samples or rounds in the profile may prove it"
    elif accuracy - in_time > tolerated / 2:
        help_ = "a later deadline or a faster variant would help"
    else:
        help_ = "a greater tolerance or a better variant would help"
    return (
        f"nearest is {nearest}, short by {missed:.4f}: against {proven.reference} it loses at most "
        f"{abs(proven.gap[nearest]):.4f} to wrong answers and {late.upper:.4f} to late ones "
        f"(at load {late.load}), and {tolerated:.4f} is tolerated; {help_}"
    )

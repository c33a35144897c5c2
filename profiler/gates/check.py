"""Are the promises of a tier table still kept? Their plans replayed on another profile.

A promise states two things of each plan that may be used for it (the promised one and the other
options) at its deadline and every load it holds at: that the
quality is at least the promised one, and that the tier's limit against the reference is kept.
Both are of one form, with Q the quality without a deadline, over the same samples:

    margin = (Q[plan] - weight * Q[reference]) - least - (lost to lateness) >= 0

Its terms are bounded separately (profiler/gates/estimate.py). "Kept" is said of margins proven
to be at least 0, "broken" of those proven to be less; all of the one sort are right together with
the table's confidence (Bonferroni), and so are all of the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from profiler.gates.estimate import Estimate, estimate_of
from profiler.gates.interval import Interval
from profiler.gates.verdicts import Checked, Claim, Verdict
from profiler.record.evidence import Evidence
from profiler.record.judging import Judge
from tailq.errors import ArtefactError
from tailq.guarantee import share
from tailq.plan import Plan
from tailq.profile import Profile
from tailq.tier import GATEWAY_HOP_S, Promise, Tier, TierTable


def check(
    table: TierTable, profile: Profile, evidence: Evidence, judge: Judge | None = None
) -> Checked:
    """Hold every promise of the table against what was measured.

    judge: holds answers against labels where the metric is not additive. Raises ArtefactError if
    the profile is of another service or metric, lacks a variant that the table needs, or has no
    load at which its promises hold.
    """
    loads = _loads(table, profile, evidence)
    estimate = estimate_of(evidence, judge)
    cases = [
        _Case(table, tier, promise, plan, estimate)
        for tier in table.tiers
        for promise in tier.promises
        for plan in dict.fromkeys([promise.plan, *(option.plan for option in promise.options)])
    ]
    # Of each plan: both means, and at each load what is lost to lateness and gained by it.
    delta = share(1 - table.confidence, len(cases) * (2 + 2 * len(loads)))
    claims = [claim for case in cases for claim in _claims(case, loads, 2 * delta)]
    return Checked(
        service=table.service,
        profile=profile.id,
        compiled_from=table.conditions.profile,
        confidence=table.confidence,
        loads=tuple(loads),
        claims=tuple(claims),
        notes=tuple(_notes(table, profile, loads)),
    )


@dataclass(frozen=True)
class _Case:
    table: TierTable
    tier: Tier
    promise: Promise
    plan: Plan
    estimate: Estimate

    def margin(self, statement: str, delta: float) -> Interval:
        """The margin if nothing were late."""
        limit = self.tier.limit
        weight, least = {
            "quality": (0.0, self.promise.quality),
            "floor": (0.0, limit.value),
            "absolute": (1.0, -limit.value),
            "relative": (1 - limit.value, 0.0),
        }[statement if statement == "quality" else limit.kind]
        reference = self.table.reference.variant
        own = self.estimate.margin(self.plan, weight, reference, delta)
        return Interval(own.value - least, own.low - least, own.high - least)

    def lost(self, load: int, delta: float) -> Interval:
        """What lateness costs."""
        # The gateway takes its hop out of the deadline; a profile has none.
        deadline_s = self.promise.deadline_s - GATEWAY_HOP_S
        return self.estimate.lost(self.plan, load, deadline_s, delta)


def _claims(case: _Case, loads: Sequence[int], delta: float) -> list[Claim]:
    at_load = {load: case.lost(load, delta) for load in loads}
    claims = []
    for statement in ("quality", "limit"):
        undisturbed = case.margin(statement, delta)
        margins = {
            load: Interval(
                undisturbed.value - late.value,
                undisturbed.low - late.high,
                undisturbed.high - late.low,
            )
            for load, late in at_load.items()
        }
        worst = min(margins, key=lambda load: (margins[load].value, -load))
        margin = Interval(
            margins[worst].value,
            min(m.low for m in margins.values()),
            min(m.high for m in margins.values()),
        )
        claims.append(
            Claim(
                tier=case.tier.name,
                deadline_s=case.promise.deadline_s,
                plan=case.plan,
                statement=statement,
                promised=case.promise.quality,
                load=worst,
                margin=margin.value,
                low=margin.low,
                high=margin.high,
                verdict=_verdict(margin),
            )
        )
    return claims


def _verdict(margin: Interval) -> Verdict:
    if margin.low >= 0:
        return "kept"
    return "broken" if margin.high < 0 else "plausible"


def _loads(table: TierTable, profile: Profile, evidence: Evidence) -> list[int]:
    """The measured loads at which the table's promises hold. Raises ArtefactError."""
    place = f"profile {profile.id}"
    if profile.service != table.service:
        raise ArtefactError(
            f"{place}: is of service {profile.service}, the tiers are of {table.service}"
        )
    if profile.metric.name != table.metric:
        raise ArtefactError(
            f"{place}: tells {profile.metric.name}, the tiers promise {table.metric}"
        )
    missing = sorted((table.variants | {table.reference.variant}) - set(evidence.variants))
    if missing:
        raise ArtefactError(
            f"{place}: lacks {', '.join(missing)}, which the tiers rest on; profile them too"
        )
    most = table.conditions.max_outstanding
    loads = sorted(load for load in evidence.by_load if load <= most)
    if not loads:
        raise ArtefactError(
            f"{place}: no load up to {most} was measured, where the promises hold; use --loads"
        )
    return loads


def _notes(table: TierTable, profile: Profile, loads: Sequence[int]) -> list[str]:
    """What to know before the verdicts are trusted."""
    notes = []
    if profile.stopped_by == "interrupted":
        notes.append("the profile is partial: its measurement was interrupted")
    if profile.id == table.conditions.profile:
        notes.append(
            "this is the profile the tiers were compiled from: no independent evidence; measure "
            "again, with other samples if there are any"
        )
    elif profile.dataset.sha256 == table.conditions.dataset:
        notes.append(
            f"the tiers were compiled from these samples ({profile.dataset.name}): independent "
            "evidence of lateness, not of what is answered"
        )
    most = table.conditions.max_outstanding
    if max(loads) < most:
        notes.append(f"promised for up to {most} in flight, measured up to {max(loads)}")
    now = {variant.name: variant.fingerprint for variant in profile.variants}
    if not profile.metric.additive:
        notes.append(f"{profile.metric.name} is no mean over samples: intervals are approximate")
    changed = [
        name
        for name, was in table.conditions.fingerprint.items()
        if name in now and now[name] != was
    ]
    if changed:
        notes.append(f"other fingerprints than when compiled: {', '.join(changed)}")
    return notes

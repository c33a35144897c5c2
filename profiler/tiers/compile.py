"""Compiling tiers: for each limit and deadline the best plan by the objective that keeps it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from profiler.record.evidence import Evidence
from profiler.record.judging import Judge
from profiler.tiers.bootstrap import Bootstrap
from profiler.tiers.candidates import Candidate, Space, candidates
from profiler.tiers.ltt import LearnThenTest
from profiler.tiers.measured import Measured, measured
from profiler.tiers.options import alternatives, option
from profiler.tiers.proof import Method, required
from profiler.tiers.rounds import round_quality
from profiler.tiers.served import served
from profiler.tiers.shortfall import left_out, shortfall
from profiler.tiers.spec import TierSpec, TiersSpec
from tailq.errors import ArtefactError
from tailq.plan import Plan
from tailq.profile import Profile
from tailq.tier import (
    GATEWAY_HOP_S,
    Basis,
    Conditions,
    Limit,
    NotOffered,
    Promise,
    Reference,
    Tier,
    TierTable,
)


@dataclass(frozen=True)
class Gain:
    """What a promise's plan is chosen by, beside the best single variant that keeps the limit.

    chosen, single: seconds or device-seconds times price; single is None where no variant alone
    keeps the limit.
    """

    chosen: float
    single: float | None


@dataclass(frozen=True)
class Compiled:
    """A tier table, and what there is to know beside it.

    gains: by how much each promise gains on single variants, by tier and deadline. left_out: which
    plans were not considered, and why.
    """

    table: TierTable
    gains: dict[tuple[str, float], Gain]
    left_out: tuple[str, ...]


def compile_tiers(
    spec: TiersSpec,
    profile: Profile,
    evidence: Evidence,
    created: datetime,
    judge: Judge | None = None,
) -> Compiled:
    """Compile the wanted tiers against the evidence. Tiers nobody can promise say why.

    judge: holds answers against labels where the metric is not additive. Raises ArtefactError if
    the spec names a variant that was not profiled, or its method cannot test the metric.
    """
    return _Compiler(spec, profile, evidence, judge).compile(created)


class _Compiler:
    def __init__(
        self, spec: TiersSpec, profile: Profile, evidence: Evidence, judge: Judge | None
    ) -> None:
        self.spec, self.profile, self.evidence, self.judge = spec, profile, evidence, judge
        _check(spec, profile)
        # Ties go to the cheaper variant: nobody should wait for quality that was not measured.
        best = max(profile.variants, key=lambda v: (v.quality, -v.service_s))
        self.reference = Reference(variant=best.name, quality=best.quality)
        self.method: Method = (
            Bootstrap(evidence, best.name, judge)
            if spec.method == "bootstrap"
            else LearnThenTest(evidence, len(spec.deadlines_s), spec.kinds, 1 - spec.confidence)
        )
        self.unsure = [v.name for v in profile.variants if v.confidence is None]
        self.most = max(evidence.by_load)
        self.gains: dict[tuple[str, float], Gain] = {}
        self.not_offered: list[NotOffered] = []

    def compile(self, created: datetime) -> Compiled:
        tiers = [
            Tier(
                name=name,
                limit=wanted.limit,
                tolerance=self._tolerance(wanted.limit),
                objective=wanted.objective,
                percentile=wanted.percentile,
                priority=self.spec.priority(name),
                otherwise=wanted.otherwise,
                promises=promises,
            )
            for name, wanted in self.spec.tiers.items()
            if (promises := self._promises(name, wanted))
        ]
        offered = {tier.name for tier in tiers}
        profile = self.profile
        table = TierTable(
            service=profile.service,
            metric=profile.metric.name,
            created=created,
            confidence=self.spec.confidence,
            method=self.spec.method,
            reference=self.reference,
            conditions=Conditions(
                profile=profile.id,
                dataset=profile.dataset.sha256,
                measured=profile.finished,
                max_outstanding=self.most,
                fingerprint={v.name: v.fingerprint for v in profile.variants},
            ),
            served={
                v.name: served(v, profile.metric, self.evidence.confidence[:, index])
                for index, v in enumerate(profile.variants)
            },
            default=self.spec.default if self.spec.default in offered else None,
            tiers=tuple(tiers),
            not_offered=tuple(self.not_offered),
        )
        return Compiled(table, self.gains, tuple(left_out(self.spec.kinds, self.unsure, self.most)))

    def _tolerance(self, limit: Limit) -> float:
        if limit.kind == "relative":
            return limit.value
        best = self.reference.quality
        return float(np.clip(1 - required(limit, best) / best, 0, 1)) if best else 0.0

    def _promises(self, name: str, wanted: TierSpec) -> tuple[Promise, ...]:
        deadlines = [deadline / 1000 for deadline in wanted.deadlines_ms]
        made = [self._promise(name, wanted, deadline) for deadline in deadlines]
        return tuple(promise for promise in made if promise is not None)

    def _promise(self, name: str, wanted: TierSpec, deadline_s: float) -> Promise | None:
        effective = deadline_s - GATEWAY_HOP_S
        if effective <= 0:
            why = (
                f"the gateway alone takes {GATEWAY_HOP_S * 1000:g} ms; a later deadline would help"
            )
            self.not_offered.append(NotOffered(name=name, deadline_s=deadline_s, why=why))
            return None
        kinds = self.spec.allowed(wanted)
        space = Space(kinds, effective, wanted.percentile, self.spec.prices, self.unsure)
        every = candidates(self.evidence, space)
        objective = _objective(wanted)
        every.sort(key=objective)
        chosen = self._first(every, wanted.limit, effective)
        if chosen is None:
            why = shortfall(
                every,
                self.method,
                wanted.limit,
                effective,
                self.reference,
                lambda plan, load: self._measured(plan, load, effective).expected_quality,
            )
            why = "; ".join([why, *left_out(kinds, self.unsure, self.most)])
            self.not_offered.append(NotOffered(name=name, deadline_s=deadline_s, why=why))
            return None
        single = self._first(
            [c for c in every if len(c.plan.variants) == 1], wanted.limit, effective
        )
        self.gains[name, deadline_s] = Gain(
            objective(chosen)[0], None if single is None else objective(single)[0]
        )
        proof = self.method.proof(chosen.plan, wanted.limit, effective)
        seen = self._measured(chosen.plan, proof.load, effective)
        others = self._alternatives(chosen, every, wanted.limit, proof.quality, effective)
        return Promise(
            deadline_s=deadline_s,
            plan=chosen.plan,
            quality=proof.quality,
            expected_quality=seen.expected_quality,
            expected_on_time=seen.expected_on_time,
            tail_quality=seen.tail_quality,
            p50_s=seen.p50_s,
            p99_s=seen.p99_s,
            mean_s=seen.mean_s,
            cost=seen.cost,
            asks=seen.asks,
            basis=Basis(
                samples=self.evidence.samples,
                load=proof.load,
                timed=seen.timed,
                lost_at_most=proof.lost_at_most,
                slack=proof.slack,
            ),
            options=tuple(option(c, self.evidence, self.judge) for c in [chosen, *others]),
            # A hundred requests have no quality of their own where it is no mean of scores.
            rounds=None
            if self.judge
            else round_quality(chosen.plan, self.evidence, proof.load, effective),
        )

    def _alternatives(
        self,
        chosen: Candidate,
        every: list[Candidate],
        limit: Limit,
        promised: float,
        deadline_s: float,
    ) -> list[Candidate]:
        """Other plans that keep the limit and the promised quality. every: by the objective."""
        if not self.method.joint:
            return []
        floor = Limit(kind="floor", value=promised)
        return alternatives(
            chosen,
            list(self._hopeful(every[every.index(chosen) + 1 :], limit)),
            lambda plan: (
                self.method.keeps(plan, floor, deadline_s)
                and self.method.keeps(plan, limit, deadline_s)
            ),
        )

    def _measured(self, plan: Plan, load: int, deadline_s: float) -> Measured:
        return measured(plan, self.evidence, load, deadline_s, self.spec.prices, self.judge)

    def _first(self, every: list[Candidate], limit: Limit, deadline_s: float) -> Candidate | None:
        """The first that keeps the limit."""
        hopeful = self._hopeful(every, limit)
        return next((c for c in hopeful if self.method.keeps(c.plan, limit, deadline_s)), None)

    def _hopeful(self, every: list[Candidate], limit: Limit) -> Iterator[Candidate]:
        """What missed the limit when measured is not worth a test."""
        asked = required(limit, self.reference.quality)
        return (c for c in every if self.judge is not None or c.expected >= asked)


def _objective(wanted: TierSpec) -> Callable[[Candidate], tuple[float, float]]:
    """What to minimise; the other objective decides between equals."""
    if wanted.objective == "cost":
        return lambda candidate: (candidate.cost, candidate.wait_s)
    return lambda candidate: (candidate.wait_s, candidate.cost)


def _check(spec: TiersSpec, profile: Profile) -> None:
    names = [variant.name for variant in profile.variants]
    unknown = sorted(set(spec.prices) - set(names))
    if unknown:
        raise ArtefactError(
            f"prices: {', '.join(unknown)} was not profiled; there are {', '.join(names)}"
        )
    if spec.method == "ltt" and not profile.metric.additive:
        raise ArtefactError(
            f"method: ltt tests means over samples, and {profile.metric.name} is none; "
            "write method: bootstrap"
        )

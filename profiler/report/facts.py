"""Everything the report is made from, and what several of its sections need."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from profiler.record.evidence import Evidence
from profiler.report.curves import (
    Curve,
    Floats,
    profiled_curves,
    thresholds,
    variant_curves,
    worst,
)
from profiler.report.front import Standing, standings
from profiler.report.words import short_names
from tailq.plan import Plan
from tailq.profile import Profile, QualityAtDeadline
from tailq.sweep import Sweep
from tailq.tier import Promise, Tier, TierTable


@dataclass(frozen=True)
class Facts:
    """A profile, what was measured for it, and what was made of it, if anything."""

    profile: Profile
    evidence: Evidence
    table: TierTable | None = None
    sweep: Sweep | None = None

    @cached_property
    def names(self) -> Mapping[str, str]:
        """The variants' names as shown, best quality first."""
        return short_names([s.variant for s in self.standings], self.profile.service)

    @cached_property
    def standings(self) -> Sequence[Standing]:
        """Every variant's standing, best quality first."""
        return standings(self.profile)

    @cached_property
    def ranks(self) -> Mapping[str, int]:
        """Rank by quality: the colour of a variant, the same in every figure."""
        return {standing.variant: rank for rank, standing in enumerate(self.standings)}

    @cached_property
    def legend(self) -> Sequence[tuple[str, int]]:
        """Every variant's shown name and rank."""
        return [(self.names[name], rank) for name, rank in self.ranks.items()]

    @cached_property
    def deadlines_s(self) -> Sequence[float]:
        """The profiled deadlines, ascending, seconds."""
        first = self.profile.variants[0].loads[0]
        return sorted(at.deadline_s for at in first.at_deadlines)

    @cached_property
    def best(self) -> Standing:
        """The variant with the best quality without a deadline."""
        return self.standings[0]

    @cached_property
    def promises(self) -> Sequence[tuple[Tier, Promise]]:
        """Every promise of the tier table."""
        tiers = self.table.tiers if self.table else ()
        return [(tier, promise) for tier in tiers for promise in tier.promises]

    @cached_property
    def grid_s(self) -> Floats:
        """The deadlines that quality is drawn at, seconds: [D]."""
        promised = [promise.deadline_s for _, promise in self.promises]
        return thresholds(self.evidence, sorted({*self.deadlines_s, *promised}))

    @cached_property
    def curves(self) -> Mapping[str, Sequence[Curve]]:
        """Quality against deadline of every variant, best first, by load."""
        if self.profile.metric.additive:
            return {name: variant_curves(self.evidence, name, self.grid_s) for name in self.names}
        by_name = {variant.name: variant for variant in self.profile.variants}
        return {name: profiled_curves(by_name[name]) for name in self.names}

    @cached_property
    def worst(self) -> Mapping[str, Curve]:
        """Each variant's curve at the load that costs it most."""
        return {name: worst(curves) for name, curves in self.curves.items()}

    def at(self, variant: str, deadline_s: float) -> tuple[int, QualityAtDeadline]:
        """The worst profiled load of a variant at a profiled deadline, and what it was there."""
        (profiled,) = (v for v in self.profile.variants if v.name == variant)
        return min(
            (
                (load.load, at)
                for load in profiled.loads
                for at in load.at_deadlines
                if at.deadline_s == deadline_s
            ),
            key=lambda found: found[1].quality,
        )

    def shown(self, variant: str) -> str:
        """A variant's name as shown; a name that was not profiled as it is."""
        return self.names.get(variant, variant)

    def plan(self, plan: Plan) -> str:
        """A plan in words, with the names as shown."""
        said = str(plan)
        for variant in sorted(plan.variants, key=len, reverse=True):
            said = said.replace(variant, self.shown(variant))
        return said

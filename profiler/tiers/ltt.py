"""Learn then Test: every promise of the table true together with the stated confidence.

With c the score of a plan's answer, r the variant that is truly the best, d the deadline, a plan
keeps a limit if

    E[c_plan] - E[c_r] - P(something is lost to lateness at d) >= required - E[c_r]

Each term is bounded; all bounds of all plans hold together (Angelopoulos et al., arXiv
2110.01052, with weighted Bonferroni), so any selection among them is allowed. The reference needs
no correction: the gap is bounded against every variant, and whichever is the best in truth, only
its bound has to be true (an intersection-union test). See docs/statistics.md.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from profiler.record.evidence import Evidence
from profiler.replay import without_deadline
from profiler.tiers.candidates import RESCUE_SHARES, THRESHOLDS
from profiler.tiers.lateness import BOUNDED, Late, Lateness
from profiler.tiers.proof import Proof, required
from profiler.tiers.spec import Kind
from tailq.guarantee import Floats, mean_exceeds, mean_lower, quality_lower, share
from tailq.plan import Plan, Rescue, Single
from tailq.tier import Limit


@dataclass(frozen=True)
class Deltas:
    """The risk of each bound: of those that concern one variant, and of those of two.

    The two sorts get half of the whole each, so that singles do not pay for thousands of others.
    """

    single: float
    pair: float


def deltas(variants: int, deadlines: int, kinds: Collection[Kind], delta: float) -> Deltas:
    """Share `delta` among all the bounds that plans of these kinds can need.

    A variant needs two (its quality and its gap), and one a deadline for its lateness. Ordered
    pairs of variants are counted, since which one is asked first is told by the same data.
    """
    singles = variants * (2 + deadlines)
    thresholds = len(THRESHOLDS) * bool({"cascade", "race"} & set(kinds))
    late = len(BOUNDED) * (("cascade" in kinds) + ("race" in kinds))
    late += len(RESCUE_SHARES) * ("rescue" in kinds)
    pairs = variants * (variants - 1) * (thresholds + deadlines * late)
    if not pairs:
        return Deltas(share(delta, singles), 1.0)
    return Deltas(share(delta / 2, singles), share(delta / 2, pairs))


class LearnThenTest:
    """The method `ltt`, see the module. For scores whose mean is the quality."""

    joint = True

    def __init__(
        self, evidence: Evidence, deadlines: int, kinds: Collection[Kind], delta: float
    ) -> None:
        self._evidence = evidence
        self._deltas = deltas(len(evidence.variants), deadlines, kinds, delta)
        self._lateness = Lateness(evidence)
        self._floor = {
            variant: quality_lower(evidence.score[:, column], self._deltas.single)
            for column, variant in enumerate(evidence.variants)
        }
        # The best variant in truth is at least as good as any: this bounds it from below.
        self._best = max(self._floor.values())

    def keeps(self, plan: Plan, limit: Limit, deadline_s: float) -> bool:
        """See Method."""
        late = self._late(plan, deadline_s)
        if limit.kind == "floor" and self._own(plan) - late.upper >= limit.value:
            return True
        least = required(limit, self._best) - self._best + late.upper
        delta = self._delta_of_gap(plan)
        return (least <= 0 or not self._is_variant(plan)) and all(
            difference.mean() > least and mean_exceeds(difference, least, delta, low=-1.0)
            for difference in self._differences(plan)
        )

    def proof(self, plan: Plan, limit: Limit, deadline_s: float) -> Proof:
        """See Method. Every variant's bound is computed, which takes its time."""
        late = self._late(plan, deadline_s)
        delta = self._delta_of_gap(plan)
        gaps = [mean_lower(d, delta, low=-1.0) for d in self._differences(plan)]
        gap = min([*gaps, 0.0] if self._is_variant(plan) else gaps)
        by_gap = self._best + gap - late.upper
        quality = max(0.0, by_gap, self._own(plan) - late.upper)
        kept = quality if limit.kind == "floor" else by_gap
        return Proof(kept - required(limit, self._best), quality, late.upper, late.load)

    def _late(self, plan: Plan, deadline_s: float) -> Late:
        delta = self._deltas.single if isinstance(plan, Single) else self._deltas.pair
        return self._lateness.bound(plan, deadline_s, delta)

    @staticmethod
    def _is_variant(plan: Plan) -> bool:
        """Whether, nothing late, the plan answers what one variant does: its bounds are that's."""
        return isinstance(plan, Single | Rescue)

    def _own(self, plan: Plan) -> float:
        """Bound of the plan's own quality without a deadline, where one is among the counted."""
        return self._floor[plan.variants[0]] if self._is_variant(plan) else 0.0

    def _delta_of_gap(self, plan: Plan) -> float:
        return self._deltas.single if self._is_variant(plan) else self._deltas.pair

    def _differences(self, plan: Plan) -> Iterator[Floats]:
        """The plan's score less each other variant's, the best one first: [N] in [-1, 1]."""
        score = without_deadline(plan, self._evidence)
        same = plan.variants[0] if self._is_variant(plan) else None
        for column in np.argsort(-self._evidence.quality).tolist():
            if self._evidence.variants[column] != same:
                yield score - self._evidence.score[:, column]

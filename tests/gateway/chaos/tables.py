"""A table with a tier for each kind of plan, over three real variants.

The latencies are round figures above what the variants take on two busy cores, so that with
nothing wrong every promise is kept.
"""

from tailq.plan import Cascade, Plan, Race, Rescue, Single
from tailq.tier import ConfidenceIn, Option, Promise, Reference, Served, Stop, Tier, TierTable
from tests.served import under_load
from tests.tables import promise, table, tier

NANO, TINY, SMALL = "fashion_nano", "fashion_tiny", "fashion_small"
QUALITY = {NANO: 0.86, TINY: 0.90, SMALL: 0.92}
SERVICE_S = {NANO: 0.001, TINY: 0.001, SMALL: 0.0015}
PROMISED = 0.8
OUTSTANDING = 8


def served(service_s: float) -> Served:
    """A variant that takes so long alone, and longer the more there is to do."""
    knots = tuple(0.0015 * load for load in range(OUTSTANDING))
    return Served(
        service_s=service_s,
        confidence=ConfidenceIn(output="logits", kind="softmax"),
        under_load=under_load(service_s, knots, factors=(1.5, 3.0, 6.0), levels=(0.5, 0.9, 0.99)),
    )


def option(plan: Plan) -> Option:
    """With shares and qualities that look like the family's."""
    row = tuple(QUALITY[variant] for variant in plan.variants)
    alone = len(row) == 1 or isinstance(plan, Rescue)
    shares = (1.0, *[0.0] * (len(row) - 1)) if alone else (0.7, 0.3)
    return Option(
        plan=plan,
        stops=tuple(Stop(share=share, quality=row) for share in shares),
        work_s=sum(SERVICE_S[variant] for variant in plan.variants),
    )


def offered(deadline_s: float, *plans: Plan) -> Promise:
    """A promise by the first of the plans; the others are there for when it is slow or missing."""
    made = promise(plans[0], deadline_s, PROMISED)
    return made.model_copy(update={"options": tuple(option(plan) for plan in plans)})


def _tiers() -> tuple[Tier, ...]:
    small, tiny, nano = Single(variant=SMALL), Single(variant=TINY), Single(variant=NANO)
    cascade = Cascade(stages=(NANO, SMALL), thresholds=(0.6,))
    race = Race(fast=NANO, accurate=SMALL, threshold=0.6)
    rescue = Rescue(primary=SMALL, rescuer=NANO, after_s=0.15)
    return (
        tier("rescue", 0.01, offered(0.3, rescue, tiny)),
        tier("cascade", 0.02, offered(0.2, cascade, tiny, nano)),
        tier("race", 0.03, offered(0.2, race, tiny, nano)),
        tier("single", 0.04, offered(0.2, small, tiny)),
        tier("express", 0.05, offered(0.1, nano, tiny)).model_copy(update={"otherwise": "shed"}),
    )


def chaos_table() -> TierTable:
    """Tiers named for their plans, and `express`, which sheds rather than disappoints."""
    return table(*_tiers(), max_outstanding=OUTSTANDING).model_copy(
        update={
            "served": {name: served(seconds) for name, seconds in SERVICE_S.items()},
            "reference": Reference(variant=SMALL, quality=QUALITY[SMALL]),
        }
    )

"""A service of three variants with a latency under load each, and tiers with plans of all kinds."""

from collections.abc import Sequence

from loadtest.simulation.faults import Fault
from loadtest.simulation.run import Setting
from loadtest.simulation.samples import Answers
from tailq.load import LatencyQuantile, LatencyUnderLoad
from tailq.plan import Cascade, Plan, Race, Rescue, Single
from tailq.tier import ConfidenceIn, Option, Promise, Served, Stop, TierTable
from tests.tables import promise, table, tier

SERVICE_S = {"large": 0.018, "medium": 0.007, "small": 0.0015}
QUALITY = {"large": 0.95, "medium": 0.9, "small": 0.8}
SPREAD = {0.5: 1.0, 0.9: 1.3, 0.99: 2.0, 0.999: 3.0}
SAMPLES = 100


def under_load(service_s: float) -> LatencyUnderLoad:
    """A device that works on several things at a time, as long as there are not too many."""
    knots = (0.0, 0.02, 0.08)
    return LatencyUnderLoad(
        outstanding_s=knots,
        quantiles=tuple(
            LatencyQuantile(
                level=level,
                latency_s=tuple((service_s + 0.3 * knot) * slower for knot in knots),
                exceeded=1 - level,
            )
            for level, slower in SPREAD.items()
        ),
    )


SERVED = {
    name: Served(
        service_s=seconds,
        under_load=under_load(seconds),
        confidence=ConfidenceIn(output="logits", kind="softmax"),
    )
    for name, seconds in SERVICE_S.items()
}

# Of a hundred samples the first are easy: each variant is right, and sure, up to its quality.
ANSWERS = Answers(
    {
        name: [
            (0.95 if sample < 100 * quality - 5 else 0.4, float(sample < 100 * quality))
            for sample in range(SAMPLES)
        ]
        for name, quality in QUALITY.items()
    },
    SAMPLES,
)


def _promise(deadline_s: float, quality: float, *plans: Plan) -> Promise:
    options = tuple(
        Option(
            plan=plan,
            stops=tuple(
                Stop(
                    share=1 / len(plan.variants),
                    quality=tuple(QUALITY[name] for name in plan.variants),
                )
                for _ in plan.variants
            ),
            work_s=sum(SERVICE_S[name] for name in plan.variants),
        )
        for plan in plans
    )
    return promise(plans[0], deadline_s, quality).model_copy(update={"options": options})


TABLE: TierTable = table(
    tier(
        "gold",
        0.01,
        _promise(
            0.2,
            0.85,
            Race(fast="medium", accurate="large", threshold=0.9),
            Rescue(primary="large", rescuer="medium", after_s=0.1),
            Single(variant="large"),
        ),
    ),
    tier(
        "silver",
        0.05,
        _promise(0.05, 0.8, Cascade(stages=("small", "medium"), thresholds=(0.9,))),
        _promise(
            0.1,
            0.8,
            Cascade(stages=("small", "medium"), thresholds=(0.9,)),
            Single(variant="medium"),
        ),
    ).model_copy(update={"priority": 2}),
    tier("bronze", 0.2, _promise(0.06, 0.7, Single(variant="small"))).model_copy(
        update={"priority": 3, "otherwise": "shed"}
    ),
    max_outstanding=4,
).model_copy(update={"served": SERVED})


def setting(
    *faults: Fault,
    rate: float = 30.0,
    seconds: float = 20.0,
    seed: int = 1,
    endpoints: int = 1,
    leaving: float = 0.0,
    tiers: Sequence[str] = ("gold", "silver", "bronze"),
) -> Setting:
    """Traffic of `rate` requests a second over all tiers."""
    return Setting(
        table=TABLE,
        variants=SERVED,
        rates={name: rate / len(tiers) for name in tiers},
        seconds=seconds,
        seed=seed,
        answers=ANSWERS,
        faults=faults,
        endpoints=endpoints,
        leaving=leaving,
    )

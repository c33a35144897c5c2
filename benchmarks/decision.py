"""How long a decision takes. `make bench-decision`; the last line of output is JSON.

Four tiers of two deadlines with six options each, a cascade of two, one of three, two races and a
rescue among them; three requests of any variants in flight. Some requests come with deadlines of
their own, some have waited. Either nothing is learned meanwhile (steady), or the answer of some
variant is observed before every decision (moving); that is not timed.
"""

import json
import random
import sys
from collections.abc import Callable
from statistics import quantiles
from time import perf_counter_ns

from rich.console import Console
from rich.table import Table

from benchmarks import tables
from tailq.load import LatencyUnderLoad
from tailq.outlook import Outlook
from tailq.plan import Cascade, Plan, Race, Rescue, Single
from tailq.route import Ask, Load, Router
from tailq.tier import Option, Promise, Reference, Served, Stop, Tier, TierTable

DECISIONS = 20_000
AT_MOST_US = 20.0
MOST = 4

VARIANTS = ("nano", "small", "medium", "large")
SERVICE_S = dict(zip(VARIANTS, (0.001, 0.002, 0.006, 0.018), strict=True))
QUALITY = dict(zip(VARIANTS, (0.90, 0.92, 0.94, 0.95), strict=True))
# Median latency of an idle device over service time, and quantiles over the median: a usual tail.
_LEVELS = {0.5: 1.1, 0.9: 1.5, 0.95: 1.8, 0.99: 2.6}
_KNOTS = (0.0, 0.001, 0.002, 0.006, 0.012, 0.018, 0.024, 0.036, 0.054, 0.09)


def table() -> TierTable:
    """The tier table that is decided by."""
    tiers = [_tier(f"tier-{rank}", rank, VARIANTS[3 - rank]) for rank in range(4)]
    return tables.table(
        *tiers,
        served={name: Served(service_s=s, under_load=_model(s)) for name, s in SERVICE_S.items()},
        reference=Reference(variant="large", quality=0.95),
        max_outstanding=MOST,
    )


def measure(decisions: int = DECISIONS) -> dict[str, float]:
    """Median and 99 % quantile of the microseconds a decision takes, steady and moving."""
    figures = {}
    for name, moving in (("steady", False), ("moving", True)):
        taken = _timed(decisions, moving)
        figures[f"{name}_p50"], figures[f"{name}_p99"] = taken[49], taken[98]
    return figures


def main() -> None:
    """Print the figures. Exit code 1 if a median is above what we hold ourselves to."""
    seen = measure()
    shown = Table("µs", "p50", "p99", title=f"one decision, of {DECISIONS:,}")
    for name in ("steady", "moving"):
        shown.add_row(name, f"{seen[f'{name}_p50']:.1f}", f"{seen[f'{name}_p99']:.1f}")
    Console().print(shown)
    worst = max(seen["steady_p50"], seen["moving_p50"])
    print(json.dumps({"decision_us": round(worst, 1), **{k: round(v, 1) for k, v in seen.items()}}))
    sys.exit(worst > AT_MOST_US)


def _timed(decisions: int, moving: bool) -> list[float]:
    """Percentiles of the microseconds, the first thousand decisions left out."""
    chance = random.Random(0)  # noqa: S311
    made = table()
    outlook = Outlook(made.served)
    decide: Callable[[Ask, float, Load], object] = Router(made, outlook).decide
    taken = []
    for turn in range(decisions + 1000):
        now = turn / 200
        flight = chance.choices(VARIANTS, k=chance.randrange(MOST))
        work_s = sum(SERVICE_S[name] for name in flight)
        if moving:
            name = chance.choice(VARIANTS)
            median_s = (1.1 * SERVICE_S[name] + 0.6 * work_s) * 1.2
            outlook.observe(
                name, chance.lognormvariate(0, 0.35) * median_s, work_s, now, ended=True
            )
        ask = Ask(
            tier=f"tier-{chance.randrange(4)}",
            deadline_s=chance.uniform(0.06, 0.2) if chance.random() < 0.1 else None,
        )
        elapsed_s = chance.uniform(0.0, 0.05) if chance.random() < 0.2 else 0.0001
        load = Load(now, len(flight), work_s)
        began = perf_counter_ns()
        decide(ask, elapsed_s, load)
        taken.append((perf_counter_ns() - began) / 1000)
    return quantiles(taken[1000:], n=100)


def _model(service_s: float) -> LatencyUnderLoad:
    return tables.under_load(_KNOTS, [service_s + 0.55 * work for work in _KNOTS], _LEVELS)


def _tier(name: str, rank: int, variant: str) -> Tier:
    return tables.tier(
        name, 0.01 * (rank + 1), *(_promise(variant, deadline_s) for deadline_s in (0.1, 0.2))
    )


def _promise(variant: str, deadline_s: float) -> Promise:
    options = [_option(plan) for plan in _plans(variant, deadline_s)]
    return tables.promise(deadline_s, QUALITY[variant] - 0.015, QUALITY[variant], *options)


def _plans(variant: str, deadline_s: float) -> tuple[Plan, ...]:
    """Six, of the variant and those beside it; the tiers' first plans are of different kinds."""
    at = VARIANTS.index(variant)
    fast, faster = VARIANTS[max(at - 1, 0)], VARIANTS[max(at - 2, 0)]
    if fast == variant:
        fast, faster = "small", "medium"
    elif faster == fast:
        faster = "large"
    plans: list[Plan] = [
        Cascade(stages=(fast, variant), thresholds=(0.8,)),
        Race(fast=fast, accurate=variant, threshold=0.8),
        Single(variant=variant),
        Rescue(primary=variant, rescuer=fast, after_s=deadline_s * 0.7),
        Race(fast=faster, accurate=variant, threshold=0.9),
        Cascade(stages=(faster, fast, variant), thresholds=(0.9, 0.8)),
    ]
    return (*plans[at:], *plans[:at])


def _option(plan: Plan) -> Option:
    names = plan.variants
    shares = [1.0] + [0.0] * (len(names) - 1)
    if isinstance(plan, Cascade | Race):
        shares = [0.7, 0.3] if len(names) == 2 else [0.5, 0.3, 0.2]
    best = max(QUALITY[name] for name in names)
    return Option(
        plan=plan,
        stops=tuple(
            Stop(share=share, quality=tuple(min(best, QUALITY[name] + 0.01) for name in names))
            for share in shares
        ),
        work_s=sum(SERVICE_S[name] for name in names),
    )


if __name__ == "__main__":
    main()

"""What a table says of its variants, for tests: latency models, options, and tables of them."""

from collections.abc import Mapping

from hypothesis import strategies as st

from tailq.load import LatencyQuantile, LatencyUnderLoad
from tailq.plan import Cascade, Plan, Race, Rescue, Single
from tailq.tier import Option, Otherwise, Promise, Served, Stop, TierTable
from tests import tables

LEVELS = (0.5, 0.9, 0.95, 0.99)


def under_load(
    median_s: float,
    knots: tuple[float, ...] = (0.0, 0.05),
    factors: tuple[float, ...] = (1.0, 1.5, 2.0, 3.0),
    levels: tuple[float, ...] = LEVELS,
) -> LatencyUnderLoad:
    """Of a variant that answers an idle device's requests in `median_s`, then one after another."""
    return LatencyUnderLoad(
        outstanding_s=knots,
        quantiles=tuple(
            LatencyQuantile(
                level=level,
                latency_s=tuple(factor * (median_s + work) for work in knots),
                exceeded=1 - level,
            )
            for level, factor in zip(levels, factors, strict=True)
        ),
    )


def served(service_s: float, *, model: bool = True) -> Served:
    """A variant of which one request takes the device so long."""
    return Served(service_s=service_s, under_load=under_load(service_s) if model else None)


def option(plan: str | Plan, *stops: tuple[float, ...], work_s: float = 0.01) -> Option:
    """stops: for each variant the share of requests that stop there, then the qualities."""
    return Option(
        plan=Single(variant=plan) if isinstance(plan, str) else plan,
        stops=tuple(Stop(share=stop[0], quality=stop[1:]) for stop in stops),
        work_s=work_s,
    )


def promise(deadline_s: float, quality: float, *options: Option) -> Promise:
    """A promise that any of these options may keep, the first one promised."""
    return tables.promise(options[0].plan, deadline_s, quality).model_copy(
        update={"options": options}
    )


def table(
    variants: Mapping[str, Served],
    *promises: Promise,
    otherwise: Otherwise = "best_effort",
    max_outstanding: int = 4,
) -> TierTable:
    """A table of one tier, "gold"."""
    gold = tables.tier("gold", 0.01, *promises).model_copy(update={"otherwise": otherwise})
    return tables.table(gold, default="gold", max_outstanding=max_outstanding).model_copy(
        update={"served": dict(variants)}
    )


@st.composite
def models(draw: st.DrawFn) -> LatencyUnderLoad:
    """Monotone in work, not crossing in level, from 10 µs to some seconds; anything otherwise."""
    knots = sorted(draw(st.lists(st.floats(0, 1), min_size=1, max_size=4, unique=True)))
    levels = sorted(draw(st.lists(st.floats(0.05, 0.995), min_size=1, max_size=4, unique=True)))
    steps = st.lists(st.floats(0, 1), min_size=len(knots), max_size=len(knots))
    latency = [1e-5] * len(knots)
    quantiles = []
    for level in levels:
        latency = [a + b for a, b in zip(latency, sorted(draw(steps)), strict=True)]
        quantiles.append(LatencyQuantile(level=level, latency_s=tuple(latency), exceeded=1 - level))
    return LatencyUnderLoad(outstanding_s=tuple(knots), quantiles=tuple(quantiles))


@st.composite
def options(draw: st.DrawFn, names: tuple[str, ...] = ("a", "b", "c")) -> Option:
    """Any kind of plan, of which a later answer is no worse than an earlier one."""
    kind = draw(st.sampled_from(["single", "cascade", "race", "rescue"]))
    plan: Plan
    if kind == "single":
        plan = Single(variant=names[0])
    elif kind == "cascade":
        length = draw(st.integers(2, len(names)))
        plan = Cascade(stages=names[:length], thresholds=(0.5,) * (length - 1))
    elif kind == "race":
        plan = Race(fast=names[0], accurate=names[1], threshold=0.5)
    else:
        plan = Rescue(primary=names[1], rescuer=names[0], after_s=draw(st.floats(0, 1)))
    count = len(plan.variants)
    qualities = st.lists(st.floats(0, 1), min_size=count, max_size=count)
    weights = draw(st.lists(st.floats(0.01, 1), min_size=count, max_size=count))
    stops = []
    for index, weight in enumerate(weights):
        # A rescuer stands in for its primary; in a race either answer of the confident is as good.
        quality = sorted(draw(qualities), reverse=kind == "rescue")
        if kind == "race" and index == 0:
            quality = [quality[0]] * 2
        stops.append(Stop(share=weight / sum(weights), quality=tuple(quality)))
    return Option(plan=plan, stops=tuple(stops), work_s=0.01)

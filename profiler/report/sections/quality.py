"""Quality against deadline: of every variant, and of every plan that is promised."""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from profiler.report import palette
from profiler.report.content import Block, Figure, Figures, Section, Table
from profiler.report.curves import Curve, plan_curve
from profiler.report.facts import Facts
from profiler.report.plot import NARROW, WIDE, Margins, Plot, in_percent, log_time, plot
from profiler.report.words import listed, ms, percent
from tailq.plan import Plan, Single
from tailq.tier import Promise

_TIPS = 12  # deadlines that a pointer is told the figures at


def quality(facts: Facts) -> Section:
    """Mean of all variants in one figure; each variant's tail, and each plan's, in its own."""
    blocks: list[Block] = [
        Figures(
            [_overview(facts, zoomed=False), _overview(facts, zoomed=True)],
            legend=facts.legend,
            labelled=True,
        ),
        Figures(
            [_variant(facts, name) for name in facts.names],
            "The tail of each variant, the upper end",
        ),
        *_plans(facts),
        _numbers(facts),
    ]
    return Section(
        "quality",
        "Quality against deadline",
        "A late answer counts as none. The line is the mean over rounds at the load that costs "
        "most; shaded below it, ever lighter, what all but 5 % of rounds reach, all but 1 %, and "
        "the worst. ◆ is what a tier promises.",
        blocks,
    )


def _overview(facts: Facts, *, zoomed: bool) -> Figure:
    what = "Mean quality by deadline" + (", the upper end" if zoomed else "")
    narrow, wide = (_overview_svg(facts, what, width, zoomed=zoomed) for width in (NARROW, WIDE))
    return Figure(what, narrow, wide)


def _overview_svg(facts: Facts, what: str, width: int, *, zoomed: bool) -> Markup:
    named = width == WIDE
    label = f"{what}, a line a variant, at its worst load. {_final(facts)}"
    height = 340 if named else 260
    with plot(label, width, height, Margins(right=110 if named else 14)) as drawn:
        low = _axes(drawn, facts, zoomed=zoomed)
        for name, curve in facts.worst.items():
            drawn.line(curve.deadline_s, curve.mean, facts.ranks[name])
        for name, curve in facts.worst.items():
            _tips(drawn, facts.names[name], curve, facts.ranks[name], low)
        if named:
            drawn.end_labels(
                [
                    (float(facts.worst[name].mean[-1]), facts.names[name], rank)
                    for name, rank in facts.ranks.items()
                ]
            )
        return drawn.svg()


def _final(facts: Facts) -> str:
    return "Without a deadline: " + listed(
        [f"{facts.names[s.variant]} {percent(s.quality)}" for s in facts.standings]
    )


def _variant(facts: Facts, name: str) -> Figure:
    curve, shown, rank = facts.worst[name], facts.names[name], facts.ranks[name]
    others = [other for other in facts.curves[name] if other.load != curve.load]
    made = [
        (tier.name, promise)
        for tier, promise in facts.promises
        if isinstance(promise.plan, Single) and promise.plan.variant == name
    ]
    grey = [(other, f"{shown}, mean with {other.load} in flight") for other in others]
    beside = f"; grey: mean with {listed([str(other.load) for other in others])}" if others else ""
    return _tail(facts, shown, rank, curve, grey, made, f"{curve.load} in flight{beside}")


def _plans(facts: Facts) -> Sequence[Block]:
    """A figure for each promised plan that is more than one variant."""
    promised: dict[Plan, list[tuple[str, Promise]]] = {}
    for tier, promise in facts.promises:
        if not isinstance(promise.plan, Single):
            promised.setdefault(promise.plan, []).append((tier.name, promise))
    if not promised or not facts.profile.metric.additive:
        return []
    figures = [
        _plan(facts, plan, number, made) for number, (plan, made) in enumerate(promised.items())
    ]
    return [Figures(figures, "The tail of each promised plan of several variants, the upper end")]


def _plan(facts: Facts, plan: Plan, rank: int, made: Sequence[tuple[str, Promise]]) -> Figure:
    load = max(promise.basis.load for _, promise in made)
    curve = plan_curve(plan, facts.evidence, load, facts.grid_s)
    grey = [
        (other, f"{facts.names[name]} alone, mean with {load} in flight")
        for name in plan.variants
        for other in facts.curves[name]
        if other.load == load
    ]
    beside = f"; grey: {listed([facts.names[name] for name in plan.variants])} alone"
    return _tail(facts, facts.plan(plan), rank, curve, grey, made, f"{load} in flight{beside}")


def _tail(
    facts: Facts,
    shown: str,
    rank: int,
    curve: Curve,
    grey: Sequence[tuple[Curve, str]],
    made: Sequence[tuple[str, Promise]],
    note: str,
) -> Figure:
    """Mean and tail of one variant or plan; in grey, to compare with, other means; promises."""
    said = [f"{name} {percent(p.quality)} within {ms(p.deadline_s)}" for name, p in made]
    note += f"; ◆\u00a0{listed(said)}" if made else ""
    with plot(f"Quality of {shown} by deadline, mean and tail: {note}.", NARROW, 230) as drawn:
        low = _axes(drawn, facts, zoomed=True)
        for other, text in grey:
            soft = palette.LIGHT["soft"]
            (line,) = drawn.axes.plot(other.deadline_s, other.mean, color=soft, linewidth=1)
            drawn.explain(line, text)
        _band(drawn, curve, rank)
        _tips(drawn, shown, curve, rank, low)
        for (_, promise), text in zip(made, said, strict=True):
            (mark,) = drawn.axes.plot(
                [promise.deadline_s],
                [promise.quality],
                "D",
                color=palette.LIGHT["ink"],
                markersize=7,
                zorder=10,
            )
            drawn.explain(mark, text)
        return Figure(shown, drawn.svg(), note=note)


def _axes(drawn: Plot, facts: Facts, *, zoomed: bool) -> float:
    """Deadline and quality; zoomed: the upper end, where variants differ. Returns the lowest y."""
    curves = facts.worst.values()
    best = facts.best.quality
    low = _upper_end(facts) if zoomed else 0.0
    # To the left of where the first variant reaches the lowest y there is nothing to see.
    every = [curve for of_variant in facts.curves.values() for curve in of_variant]
    shown = every if zoomed else list(curves)
    above = np.min([np.argmax(curve.mean > low) for curve in shown])
    deadline_s = shown[0].deadline_s
    log_time(drawn.axes, float(deadline_s[max(0, above - 1)]), float(deadline_s[-1]))
    drawn.axes.set_ylim(low, best + 0.05 * (best - low))
    in_percent(drawn.axes.yaxis)
    drawn.name_axes("deadline, ms", "quality, %")
    return low


def _upper_end(facts: Facts) -> float:
    """The lowest quality of interest: somewhat below the worst variant and the least promise."""
    promised = [promise.quality for _, promise in facts.promises]
    lowest = min([*(standing.quality for standing in facts.standings), *promised])
    return max(0.0, lowest - max(0.02, 0.5 * (facts.best.quality - lowest)))


def _band(drawn: Plot, curve: Curve, rank: int) -> None:
    """Mean, and shaded below it down to the 5 % and 1 % tails and the worst round."""
    colour = palette.colour(rank)
    high = curve.mean
    for tail, alpha in ((curve.tail_5, 0.45), (curve.tail_1, 0.28), (curve.worst, 0.14)):
        low = np.minimum(tail, high)  # a few bad rounds leave even the 5 % tail above the mean
        drawn.axes.fill_between(curve.deadline_s, low, high, color=colour, alpha=alpha, linewidth=0)
        high = low
    drawn.axes.plot(curve.deadline_s, curve.mean, color=colour)


def _tips(drawn: Plot, shown: str, curve: Curve, rank: int, low: float) -> None:
    seen = np.flatnonzero(curve.mean >= low)
    for at in seen[np.unique(np.linspace(0, len(seen) - 1, _TIPS).astype(int))]:
        deadline_s = float(curve.deadline_s[at])
        drawn.tip(
            deadline_s,
            float(curve.mean[at]),
            palette.colour(rank),
            f"{shown}, {curve.load} in flight, within {ms(deadline_s)}: "
            f"mean {percent(curve.mean[at])}, tail 5 % {percent(curve.tail_5[at])}, "
            f"1 % {percent(curve.tail_1[at])}, worst {percent(curve.worst[at])}",
        )


def _numbers(facts: Facts) -> Table:
    rows = [
        (
            facts.names[name],
            ms(deadline_s),
            str(load),
            percent(at.quality, 2),
            percent(at.tail_5, 2),
            percent(at.tail_1, 2),
            percent(at.worst, 2),
            "–" if at.predicted is None else percent(at.predicted.tail_5, 2),
            "–" if at.predicted is None else f"± {100 * at.predicted.half_width:.2f}",
        )
        for deadline_s in facts.deadlines_s
        for name in facts.names
        for load, at in (facts.at(name, deadline_s),)
    ]
    return Table(
        "The figures at the profiled deadlines, at the load that costs most",
        (
            "variant",
            "within",
            "in flight",
            "mean",
            "tail 5 %",
            "tail 1 %",
            "worst",
            "predicted tail 5 %",
            "90 % interval, points",
        ),
        rows,
        numbers=frozenset(range(1, 9)),
        folded=True,
    )

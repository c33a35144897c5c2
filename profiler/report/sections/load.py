"""Latency: by load, and against the work outstanding on the device."""

from markupsafe import Markup

from profiler.report.content import Absent, Block, Figure, Figures, Section, Table
from profiler.report.facts import Facts
from profiler.report.plot import NARROW, Margins, few_ticks, plot
from profiler.report.words import count, listed, ms, ms_number, percent
from tailq.load import LatencyUnderLoad
from tailq.profile import VariantProfile

_LATENCY = "latency, ms"


def load(facts: Facts) -> Section:
    """The model of latency under load with its error out of sample, and what was measured."""
    by_name = {variant.name: variant for variant in facts.profile.variants}
    modelled = [
        _figure(facts, name, model)
        for name in facts.names
        if (model := by_name[name].under_load) is not None
    ]
    under_load: Block = (
        Figures(modelled)
        if modelled
        else Absent(
            "Latency against the work outstanding was not modelled: too little was measured.",
            "tailq-profile run with more --loads and a larger --budget-s",
        )
    )
    return Section(
        "load",
        "Latency under load",
        "Quantiles of latency against the work outstanding on the device when a request is sent: "
        "the device time of all other requests in flight. Below each: the share of requests, none "
        "of them used for the fit, that were slower than the line; 1 % for p99 if the model is "
        "right.",
        [under_load, _numbers([by_name[name] for name in facts.names], facts)],
    )


def _figure(facts: Facts, name: str, model: LatencyUnderLoad) -> Figure:
    shown = facts.names[name]
    said = [f"p{100 * q.level:g} {percent(q.exceeded)}" for q in model.quantiles]
    note = f"slower out of sample than {listed(said)}"
    return Figure(shown, _svg(shown, model, note), note=note)


def _svg(shown: str, model: LatencyUnderLoad, note: str) -> Markup:
    x = [1000 * knot for knot in model.outstanding_s]
    with plot(
        f"Latency of {shown} against work outstanding. {note}.",
        NARROW,
        230,
        Margins(right=56),
    ) as drawn:
        axes = drawn.axes
        ends = []
        for rank, quantile in enumerate(model.quantiles):
            y = [1000 * value for value in quantile.latency_s]
            line = drawn.line(x, y, rank)
            level = f"p{100 * quantile.level:g}"
            drawn.explain(line, level)
            ends.append((y[-1], level, rank))
        axes.set_xlim(0, max(x[-1], 1e-3))
        axes.set_ylim(bottom=0)
        few_ticks(axes.xaxis)
        few_ticks(axes.yaxis)
        drawn.end_labels(ends)
        drawn.name_axes("work outstanding, ms of device time", _LATENCY)
        return drawn.svg()


def _numbers(variants: list[VariantProfile], facts: Facts) -> Table:
    loads = sorted(facts.profile.loads)
    rows = []
    for variant in variants:
        at = {profiled.load: profiled for profiled in variant.loads}
        cells = [f"{ms_number(at[n].p50_s)} / {ms_number(at[n].p99_s)}" for n in loads]
        rows.append((facts.names[variant.name], ms(variant.service_s), *cells))
    return Table(
        "Latency by load, p50 / p99 in ms",
        ("variant", "alone", *(f"{count(n)} in flight" for n in loads)),
        rows,
        numbers=frozenset(range(1, 2 + len(loads))),
    )

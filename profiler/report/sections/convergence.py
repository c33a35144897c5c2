"""How sure the figures were after how many inferences."""

from collections.abc import Sequence

from markupsafe import Markup
from matplotlib.ticker import LogLocator, NullFormatter

from profiler.report import palette
from profiler.report.content import Absent, Figure, Figures, Section
from profiler.report.facts import Facts
from profiler.report.plot import NARROW, WIDE, few_ticks, plot
from profiler.report.words import count

_RJSD = 0.05
_TITLE = "Convergence"


def convergence(facts: Facts) -> Section:
    """RJSD, the published measure, and the half-width of the tail quality, the one that matters."""
    steps = facts.profile.convergence
    rjsd = [(s.inferences, s.rjsd) for s in steps if s.rjsd]
    width = [(s.inferences, 100 * s.half_width) for s in steps if s.half_width]
    lead = "What more measuring still changed: the worst over all variants and loads, at each step."
    if len(rjsd) < 2 and len(width) < 2:
        last = steps[-1]
        known = "Too few rounds were measured to tell."
        if last.rjsd is not None:
            known = f"Only the end is known: rJSD {last.rjsd:.3f}, where {_RJSD:g} is asked for."
        absent = Absent(known, "tailq-profile run with a larger --budget-s")
        return Section("convergence", _TITLE, lead, [absent])
    figures = []
    if len(rjsd) > 1:
        figures.append(
            _figure(
                "Distance of latency densities (rJSD)",
                "rJSD",
                rjsd,
                f"now {rjsd[-1][1]:.3f}; the published rule ends at {_RJSD:g} (dashed)",
                limit=_RJSD,
            )
        )
    if len(width) > 1:
        figures.append(
            _figure(
                "Half-width of the 5 % tail quality",
                "± percentage points",
                width,
                f"now ± {width[-1][1]:.2f} points at the deadline where it is widest, "
                "at 90 % confidence",
            )
        )
    return Section("convergence", _TITLE, lead, [Figures(figures)])


def _figure(
    title: str, unit: str, steps: Sequence[tuple[int, float]], note: str, limit: float | None = None
) -> Figure:
    narrow, wide = (_svg(title, unit, steps, note, limit, size) for size in (NARROW, WIDE))
    return Figure(title, narrow, wide, note)


def _svg(
    title: str,
    unit: str,
    steps: Sequence[tuple[int, float]],
    note: str,
    limit: float | None,
    width: int,
) -> Markup:
    with plot(f"{title} against timed requests: {note}.", width, 240) as drawn:
        axes = drawn.axes
        axes.plot(*zip(*steps, strict=True), color=palette.colour(0))
        if limit is not None:
            axes.axhline(limit, color=palette.LIGHT["ink"], linewidth=1, linestyle=(0, (5, 3)))
        axes.set_yscale("log")
        low, high = axes.get_ylim()
        axes.set_ylim(min(low, 0.8 * (limit or low)), high)
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.set_xlim(left=0)
        few_ticks(axes.xaxis)
        axes.xaxis.set_major_formatter(lambda value, _: count(round(value)))
        drawn.name_axes("timed requests", unit)
        for x, y in steps[:: max(1, len(steps) // 12)]:
            drawn.tip(x, y, palette.colour(0), f"{count(x)} requests: {y:.3g}")
        return drawn.svg()

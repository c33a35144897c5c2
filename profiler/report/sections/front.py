"""Accuracy against latency, and who is not worth having."""

from markupsafe import Markup

from profiler.report import palette
from profiler.report.content import Beside, Figure, Figures, Section, Table
from profiler.report.facts import Facts
from profiler.report.plot import NARROW, WIDE, Margins, in_percent, log_time, plot
from profiler.report.words import ms, ms_number, percent

_TITLE = "Quality without a deadline, and latency"


def front(facts: Facts) -> Section:
    """Every variant at its median latency, a line to its 99th percentile."""
    load = max(facts.profile.loads)
    rows = [
        (
            facts.names[s.variant],
            percent(s.quality, 2),
            ms_number(s.p50_s),
            ms_number(s.p99_s),
            "" if s.dominated_by is None else f"by {facts.names[s.dominated_by]}",
        )
        for s in facts.standings
    ]
    return Section(
        "front",
        "Quality against latency",
        f"With {load} requests in flight. The marker is the median, the line leads to the 99th "
        "percentile. A hollow marker is dominated: another variant is at least as good and no "
        "slower at both, as measured.",
        [
            Beside(
                Figures(
                    [Figure(_TITLE, _svg(facts, NARROW), _svg(facts, WIDE))],
                    legend=facts.legend,
                    labelled=True,
                ),
                Table(
                    "The same in figures",
                    ("variant", "quality", "p50, ms", "p99, ms", "dominated"),
                    rows,
                    numbers=frozenset({1, 2, 3}),
                    dim=frozenset(i for i, s in enumerate(facts.standings) if s.dominated_by),
                ),
            )
        ],
    )


def _svg(facts: Facts, width: int) -> Markup:
    named = width == WIDE
    standings = facts.standings
    qualities = [s.quality for s in standings]
    room = max(0.01, 0.12 * (max(qualities) - min(qualities)))
    said = "; ".join(
        f"{facts.names[s.variant]} {percent(s.quality)}, {ms(s.p50_s)} to {ms(s.p99_s)}"
        + (", dominated" if s.dominated_by else "")
        for s in standings
    )
    with plot(
        f"{_TITLE}: {said}.", width, 340 if named else 280, Margins(right=110 if named else 14)
    ) as drawn:
        axes = drawn.axes
        log_time(axes, 0.8 * min(s.p50_s for s in standings), 1.2 * max(s.p99_s for s in standings))
        axes.set_ylim(min(qualities) - room, min(1.0, max(qualities) + room))
        in_percent(axes.yaxis)
        drawn.name_axes("latency, ms", "quality, %")
        for s in standings:
            rank = facts.ranks[s.variant]
            colour = palette.colour(rank)
            axes.plot([s.p50_s, s.p99_s], [s.quality] * 2, color=colour, linewidth=2)
            (mark,) = axes.plot(
                [s.p50_s],
                [s.quality],
                "o",
                markersize=10,
                markeredgewidth=2,
                markeredgecolor=colour,
                markerfacecolor=palette.LIGHT["paper"] if s.dominated_by else colour,
            )
            drawn.explain(
                mark,
                f"{facts.names[s.variant]}: {percent(s.quality, 2)}, p50 {ms(s.p50_s)}, "
                f"p99 {ms(s.p99_s)}"
                + (f", dominated by {facts.names[s.dominated_by]}" if s.dominated_by else ""),
            )
        if named:
            drawn.end_labels(
                [(s.quality, facts.names[s.variant], facts.ranks[s.variant]) for s in standings]
            )
        return drawn.svg()

"""What the fluctuation of quality comes from: the attribution of a sweep."""

from collections.abc import Sequence

from markupsafe import Markup

from profiler.report import palette
from profiler.report.content import Absent, Block, Figure, Figures, Points, Section, Table
from profiler.report.facts import Facts
from profiler.report.plot import NARROW, WIDE, Margins, in_percent, plot
from profiler.report.words import count, listed, ms, ms_number, percent
from tailq.sweep import Attribution, Sweep

_TITLE = "What makes quality fluctuate"
_BAR_PX = 30


def factors(facts: Facts) -> Section:
    """Shares of the variance of quality by factor, and quality with each factor held."""
    lead = (
        "Share of the variance of quality over all conditions and rounds that each factor explains."
    )
    if facts.sweep is None:
        absent = Absent(
            "No sweep was given.", "tailq-profile sweep, then report … --sweep sweep.json"
        )
        return Section("factors", _TITLE, lead, [absent])
    sweep = facts.sweep
    blocks: list[Block] = [
        Figures([_figure(attribution) for attribution in sweep.attribution]),
        _levels(sweep),
    ]
    if sweep.notes:
        blocks.append(Points([("Note.", note) for note in sweep.notes]))
    varied = [factor.name for factor in sweep.factors if len(factor.levels) > 1]
    lead += (
        f" Varied: {listed(varied)}; {count(len(sweep.cells))} conditions, "
        f"{count(sweep.rounds)} rounds of {count(sweep.requests_per_round)} requests each on "
        f"{sweep.server.name} {sweep.server.version}, {sweep.dataset.name}. Whiskers: "
        f"{percent(sweep.confidence, 0)} confidence."
    )
    return Section("factors", _TITLE, lead, blocks)


def _figure(attribution: Attribution) -> Figure:
    title = f"Within {ms(attribution.deadline_s)}"
    note = (
        f"mean {percent(attribution.mean)}, from {percent(attribution.lowest)} to "
        f"{percent(attribution.highest)}; standard deviation "
        f"{100 * attribution.deviation:.2f} points"
    )
    if not attribution.shares:
        note += "; it never fluctuated"
    narrow, wide = (_svg(title, attribution, note, width) for width in (NARROW, WIDE))
    return Figure(title, narrow, wide, note)


def _svg(title: str, attribution: Attribution, note: str, width: int) -> Markup:
    shares = attribution.shares
    said = listed([f"{s.label} {percent(s.share)}" for s in shares]) if shares else "nothing"
    left = 12 + 7 * max([len(s.label) for s in shares], default=0)
    with plot(
        f"{title}: {said}. {note}.",
        width,
        64 + _BAR_PX * max(1, len(shares)),
        Margins(left=min(left, width // 2), right=50),
    ) as drawn:
        axes = drawn.axes
        rows = range(len(shares))
        for row, share in zip(rows, shares, strict=True):
            own = share.source in ("factor", "interaction", "higher")
            colour = palette.colour(0) if own else palette.LIGHT["soft"]
            (bar,) = axes.barh([row], [share.share], color=colour, height=0.6)
            drawn.explain(
                bar,
                f"{share.label}: {percent(share.share)} "
                f"({percent(share.low)} to {percent(share.high)})",
            )
            axes.plot([share.low, share.high], [row, row], color=palette.LIGHT["ink"], linewidth=1)
            axes.annotate(
                percent(share.share),
                (max(share.share, share.high), row),
                xytext=(5, 0),
                textcoords="offset points",
                va="center",
            )
        axes.set_yticks(list(rows), [share.label for share in shares])
        axes.tick_params(axis="y", labelcolor=palette.LIGHT["ink"])
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.set_xlim(0, 1)
        in_percent(axes.xaxis)
        drawn.name_axes("share of the variance of quality, %", "")
        return drawn.svg()


def _levels(sweep: Sweep) -> Table:
    rows: Sequence[Sequence[str]] = [
        (
            factor.name,
            level.value,
            ms_number(level.p50_s),
            ms_number(level.p99_s),
            *(f"{percent(at.quality)} / {percent(at.tail_5)}" for at in level.at_deadlines),
        )
        for factor in sweep.factors
        for level in factor.levels
    ]
    return Table(
        "Critical quality: what is left with one factor held, mean / tail 5 %",
        (
            "factor",
            "held at",
            "p50, ms",
            "p99, ms",
            *(f"within {ms(deadline_s)}" for deadline_s in sweep.deadlines_s),
        ),
        rows,
        numbers=frozenset(range(2, 4 + len(sweep.deadlines_s))),
    )

"""A sweep as people read it in a terminal."""

from rich import box
from rich.console import Console
from rich.table import Table

from tailq.sweep import Attribution, Share, Sweep

_BAR = 24
# Smaller shares of interactions are only counted.
_SMALL = 0.01


def show(sweep: Sweep, console: Console) -> None:
    """Print the quality that is left at each level, and what explains its fluctuation."""
    _say(
        console,
        f"sweep of {', '.join(variant.name for variant in sweep.variants)}: {sweep.dataset.name}, "
        f"{sweep.metric.name}, on {sweep.server.name} {sweep.server.version}; {len(sweep.cells)} "
        f"cells, {sweep.rounds} rounds of {sweep.requests_per_round} requests",
    )
    console.print(_levels(sweep))
    _say(
        console,
        "mean over the cells and rounds at the level; tail: what 95 % of them reach. All others "
        "vary meanwhile.",
    )
    for attribution in sweep.attribution:
        _explain(attribution, sweep, console)
    for note in sweep.notes:
        _say(console, f"careful: {note}")


def _levels(sweep: Sweep) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("factor", no_wrap=True)
    table.add_column("level", no_wrap=True)
    table.add_column("p50/p99\nms", justify="right", no_wrap=True)
    for deadline_s in sweep.deadlines_s:
        header = f"in {_ms(deadline_s)}\n% (tail)"
        table.add_column(header, justify="right", no_wrap=True)
    for factor in sweep.factors:
        for at, level in enumerate(factor.levels):
            table.add_row(
                "" if at else factor.name,
                level.value,
                f"{1000 * level.p50_s:.1f}/{1000 * level.p99_s:.1f}",
                *(f"{100 * q.quality:.1f} ({100 * q.tail_5:.1f})" for q in level.at_deadlines),
                end_section=at == len(factor.levels) - 1,
            )
    return table


def _explain(attribution: Attribution, sweep: Sweep, console: Console) -> None:
    within = f"within {_ms(attribution.deadline_s)}"
    if not attribution.shares:
        _say(
            console,
            f"{within}: quality never fluctuated ({100 * attribution.mean:.1f} % in every cell and "
            "round), there is nothing to explain",
        )
        return
    _say(
        console,
        f"{within}: quality from {100 * attribution.lowest:.1f} to {100 * attribution.highest:.1f} "
        f"%, standard deviation {100 * attribution.deviation:.1f} points, explained by",
    )
    small = [one for one in attribution.shares if one.source == "interaction" and _is_small(one)]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_header=False)
    for justify in ("left", "left", "right", "left"):
        table.add_column(justify=justify, no_wrap=True)
    for share in attribution.shares:
        if share not in small:
            table.add_row(*_row(share))
    console.print(table)
    _say(console, f"in brackets: {100 * sweep.confidence:g} % confidence" + _others(len(small)))


def _row(share: Share) -> tuple[str, str, str, str]:
    return (
        share.label,
        "█" * round(_BAR * share.share),
        f"{100 * share.share:.1f} %",
        f"({100 * share.low:.1f}–{100 * share.high:.1f})",
    )


def _is_small(share: Share) -> bool:
    return share.share < _SMALL


def _others(count: int) -> str:
    return f"; {count} more interactions of less than {100 * _SMALL:g} % each" if count else ""


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:g} ms"


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)

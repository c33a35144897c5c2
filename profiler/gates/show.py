"""The verdicts of the gates as people read them."""

from rich import box
from rich.console import Console
from rich.table import Table

from profiler.gates.changes import Change, Compared
from profiler.gates.verdicts import Checked, Claim

# Columns of a terminal that hold the table of promises with a figure and its interval on one line.
_WIDE = 100
_STYLE = {"kept": "green", "broken": "red", "better": "green", "worse": "red"}


def show_checked(checked: Checked, console: Console) -> None:
    """Print a row for each plan of a promise, then what to know before trusting it."""
    between = "\n" if console.width < _WIDE else " "
    loads = ", ".join(map(str, checked.loads))
    table = _table(
        f"{checked.service}: promises held against profile {checked.profile}, load {loads}",
        f"intervals: {checked.confidence:.0%} together",
    )
    table.add_column("tier", no_wrap=True)
    for heading in ("within\nms", "promised\n%", "measured\n%", "limit kept\nby %"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("plan", overflow="fold")
    above: Claim | None = None
    for quality, limit in zip(checked.claims[::2], checked.claims[1::2], strict=True):
        promise = _promise(quality) if _other_promise(above, quality) else [""] * 3
        plan = _short(str(quality.plan), checked.service)
        table.add_row(*promise, *_plan(quality, limit, between), plan)
        above = quality
    console.print(table)
    _say(console, checked.notes)


def _other_promise(one: Claim | None, other: Claim) -> bool:
    return one is None or (one.tier, one.deadline_s) != (other.tier, other.deadline_s)


def _promise(claim: Claim) -> list[str]:
    return [claim.tier, f"{claim.deadline_s * 1000:g}", f"{100 * claim.promised:.1f}"]


def _plan(quality: Claim, limit: Claim, between: str) -> list[str]:
    """What was measured of a plan. between: what stands between a figure and its interval."""

    def measured(end: float) -> str:
        return f"{100 * (quality.promised + end):.1f}"

    worst = min((quality, limit), key=lambda claim: (claim.high >= 0, claim.low >= 0))
    by = f" by {-100 * worst.high:.2g}" if worst.verdict == "broken" else ""
    return [
        f"{measured(quality.margin)}{between}({measured(quality.low)}–{measured(quality.high)})",
        f"{100 * limit.low:+.1f}{between}to {100 * limit.high:+.1f}",
        f"[{_STYLE.get(worst.verdict, 'yellow')}]{worst.verdict}{by}[/]",
    ]


def show_compared(compared: Compared, console: Console) -> None:
    """Print a row a figure that changed, then the rest in words."""
    changed = [c for c in compared.changes if c.direction != "not shown"]
    if changed:
        console.print(_changes(compared, changed))
    same = len(compared.changes) - len(changed)
    console.print(
        f"{same} of {len(compared.changes)} figures are not shown to have changed, with "
        f"{compared.confidence:.0%} confidence in all together",
        highlight=False,
    )
    for what, names in (
        ("new", compared.added),
        ("gone", compared.gone),
        ("other fingerprint", compared.other_fingerprint),
    ):
        if names:
            console.print(f"{what}: {', '.join(names)}", highlight=False, markup=False)
    _say(console, compared.notes)


def _changes(compared: Compared, changed: list[Change]) -> Table:
    table = _table(
        f"{compared.service}: profile {compared.new} against {compared.old}",
        "same samples, compared pair by pair" if compared.paired else "other samples",
    )
    for heading in ("variant", "figure"):
        table.add_column(heading, overflow="fold")
    for heading in ("load", "was", "is", "changed by"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for change in sorted(changed, key=lambda c: c.direction == "better"):
        table.add_row(_short(change.variant, compared.service), *_row(change))
    return table


def _row(change: Change) -> list[str]:
    within = "" if change.deadline_s is None else f" in {change.deadline_s * 1000:g} ms"
    percent = "quality" in change.figure
    scale, form, unit = (100, ".2f", "%") if percent else (1000, ".3g", "ms")

    def signed(value: float | None) -> str:
        return "?" if value is None else f"{scale * value:+{form}}"

    return [
        f"{change.figure}{within}, {unit}",
        "" if change.load is None else str(change.load),
        f"{scale * change.old:{form}}",
        f"{scale * change.new:{form}}",
        f"{signed(change.low)} to {signed(change.high)}",
        f"[{_STYLE[change.direction]}]{change.direction}[/]",
    ]


def _table(title: str, caption: str) -> Table:
    return Table(
        title=title, caption=caption, box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0)
    )


def _short(text: str, service: str) -> str:
    """Names without what they have in common, as there are 80 columns."""
    return text.replace(f"{service}_", "")


def _say(console: Console, notes: tuple[str, ...]) -> None:
    for note in notes:
        console.print(f"careful: {note}", highlight=False, markup=False, soft_wrap=True)

"""The view as something rich prints; it fits 80 columns and says more on wider terminals."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gateway.live.view import LiveView, TierView, VariantView
from gateway.top import words
from gateway.top.picture import History, Lane, scale

_WIDE: Final = 132
_NAME: Final = 16  # columns of a tier's name; what is longer goes on below
_VARIANT: Final = 24
_LEGEND: Final = (
    "Quality in %: ┃ promised  ● delivered  ▲ worst 5 % of rounds  ━ mean since the start  "
    "░ below the promise. Evidence of 1 or more proves a promise broken."
)


def screen(view: LiveView, width: int, silence: str | None = None) -> RenderableType:
    """All of it. width: of the terminal, columns. silence: why the figures are no newer ones."""
    when = datetime.fromtimestamp(view.now, UTC).astimezone().strftime("%H:%M:%S")
    parts: list[RenderableType] = [
        _text(f"{view.service}, {view.metric}, last {words.span(view.window_s)}, at {when}", "dim")
    ]
    if silence is not None:
        parts.append(_text(f"✕ These figures are old: {silence}", "bold red"))
    verdicts = {tier.verdict for tier in view.tiers}
    parts += [_text(words.headline(view), "bold red" if "broken" in verdicts else "bold"), ""]
    if view.troubles:
        parts += [_troubles(view), ""]
    wide = width >= _WIDE
    parts += [_tiers(view, wide), _text(_LEGEND, "dim"), "", _variants(view, wide), "", _foot(view)]
    return Group(*parts)


def _text(content: str, style: str = "") -> Text:
    """As it is: neither markup nor control characters do anything."""
    return Text("".join(sign if sign.isprintable() else "�" for sign in content), style)


def _table(name: str, most: int, *, expand: bool = False, wide: bool) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD,
        expand=expand,
        pad_edge=False,
        padding=(0, 1 if wide else 0, 0, 0),
        show_edge=False,
    )
    table.add_column(name, overflow="fold", max_width=3 * most // 2 if wide else most)
    table.add_column("", no_wrap=True)
    return table


def _troubles(view: LiveView) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    for trouble in view.troubles:
        style = "bold red" if trouble.severity == "page" else "yellow"
        what = _text(f"{trouble.what} ({trouble.runbook}.md)")
        table.add_row(_text(trouble.severity, style), what)
    return table


def _tiers(view: LiveView, wide: bool) -> Table:
    table = _table("tier", _NAME, expand=True, wide=wide)
    for title in ("in", "promised", "delivered"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("", ratio=2, min_width=24 if wide else 11)
    table.add_column("evidence", justify="right", no_wrap=True)
    table.add_column("in time", justify="right", no_wrap=True)
    if wide:
        table.add_column("worst 5 %", justify="right", no_wrap=True)
        table.add_column("judged", justify="right", no_wrap=True)
        table.add_column("history", ratio=1)
    for tier in view.tiers:
        for row in _rows(tier):
            table.add_row(*(row if wide else row[:8]))
    return table


def _rows(tier: TierView) -> Iterator[list[RenderableType]]:
    """A tier by its expected quality, and below it what labels say."""
    means = tier.window.delivered
    told = [tier.promise, tier.window.tail_5, *means.values()]
    reach = max(0.03, *(abs(value - tier.promise) * 1.5 for value in told if value is not None))
    # As on the page: a wide interval is cut, not the picture zoomed out for it.
    ends = [
        min(tier.promise + reach, max(tier.promise - reach, end))
        for interval in tier.interval.values()
        for end in interval
    ]
    zoomed = scale([*told, *ends])
    said, style = words.VERDICTS[tier.verdict]
    for source, name in words.SOURCES.items():
        expected = source == "expected"
        judged = tier.since_start.judged.get(source)
        if not expected and not judged:
            continue
        interval = tier.interval.get(source) if judged else None
        tail = tier.window.tail_5 if expected else None
        mean = means.get(source)
        row: list[RenderableType] = [
            _text(tier.name, "bold") if expected else _text(f"  {name}"),
            _text(said, style) if expected else "",
            words.deadline(tier.deadline_s) if expected else "",
            words.percent(tier.promise) if expected else "",
            words.percent(mean),
            Lane(zoomed, tier.promise, mean, tail, interval),
            words.evidence(tier.evidence.get(source)),
            words.percent(tier.window.on_time) if expected else "",
            words.percent(tail, 1),
            f"{tier.window.judged.get(source, 0):,.0f}",
            History(scale([tier.promise, *tier.history]), tier.history) if expected else "",
        ]
        yield row


def _variants(view: LiveView, wide: bool) -> Table:
    table = _table("variant", _VARIANT, wide=wide)
    for title in ("share %", "in flight", "latency", "slow %", "drift"):
        table.add_column(title, justify="right", no_wrap=True)
    for variant in view.variants:
        limit = words.NONE if variant.limit is None else f"{variant.limit:.0f}"
        slower = words.percent(variant.slower, 1)
        if variant.expected_slower is not None:
            slower += f" of {words.percent(variant.expected_slower, 1)}"
        table.add_row(
            _text(variant.name),
            _served(variant),
            words.percent(variant.share, 1),
            f"{variant.in_flight:.0f} of {limit}",
            words.NONE if variant.correction is None else f"× {variant.correction:.2f}",
            slower,
            words.NONE if variant.drift is None else f"{variant.drift:.2f}",
        )
    return table


def _served(variant: VariantView) -> Text:
    if variant.absent:
        return _text("✕ absent", "bold red")
    if variant.as_profiled is None:
        return _text("? unknown", "dim")
    if variant.as_profiled:
        return _text("✓ profiled")
    return _text("✕ another", "bold red")


def _foot(view: LiveView) -> Text:
    ends = [
        f"{name} {'answers' if up else '✕ does not answer'}" for name, up in view.endpoints.items()
    ]
    age = words.span(max(0.0, view.now - view.measured))
    return _text(
        f"Triton: {', '.join(ends) or 'no endpoint'}. Profile {view.profile}, {age} old. "
        f"{words.corrections(view.tiers)}",
        "dim",
    )

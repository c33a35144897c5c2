"""Numbers and sentences, the same as on the live page (gateway/admin/page/words.js).

A ratio is in [0, 1]; None: not known.
"""

from collections.abc import Sequence
from typing import Final

from gateway.live.names import Source
from gateway.live.view import LiveView, TierView, Verdict

NONE: Final = "–"
VERDICTS: Final[dict[Verdict, tuple[str, str]]] = {
    "kept": ("✓ kept", "green"),
    "below": ("▽ below", "yellow"),
    "broken": ("✕ broken", "bold red"),
    "idle": ("○ idle", "dim"),
}
SOURCES: Final[dict[Source, str]] = {
    "expected": "expected",
    "feedback": "feedback",
    "probe": "probes",
}
_NAMED: Final = 3  # of a list, before the rest is only counted
_SPANS: Final = (("day", 86400), ("hour", 3600), ("minute", 60))


def percent(ratio: float | None, digits: int = 2) -> str:
    """93.31 of 0.9331; the column says that it is per cent."""
    return NONE if ratio is None else f"{100 * ratio:.{digits}f}"


def evidence(value: float | None) -> str:
    """Two digits where they matter."""
    return NONE if value is None else f"{value:.{2 if value < 10 else 0}f}"


def several(number: float, what: str) -> str:
    """1 label, 2 labels."""
    return f"{number:,.0f} {what}{'' if number == 1 else 's'}"


def span(seconds: float) -> str:
    """In the greatest unit of which there are two, or exactly one."""
    for unit, length in _SPANS:
        if seconds >= 2 * length or seconds == length:
            return several(seconds / length, unit)
    return several(seconds, "second")


def deadline(seconds: float) -> str:
    """200 ms, 10 s."""
    return f"{1000 * seconds:.3g} ms" if seconds < 10 else f"{seconds:.3g} s"


def headline(view: LiveView) -> str:
    """Whether every promise is kept, in a sentence."""

    def named(verdict: Verdict) -> list[str]:
        return [tier.name for tier in view.tiers if tier.verdict == verdict]

    broken, below, idle = named("broken"), named("below"), named("idle")
    if broken:
        of, are = several(len(view.tiers), "promise"), "is" if len(broken) == 1 else "are"
        return f"{len(broken)} of {of} {are} broken: {_listed(broken)}."
    if below:
        return f"Less than promised in the last {span(view.window_s)}: {_listed(below)}."
    if len(idle) == len(view.tiers):
        return f"Nothing was held to a promise in the last {span(view.window_s)}."
    return f"Every promise is kept; idle: {_listed(idle)}." if idle else "Every promise is kept."


def corrections(tiers: Sequence[TierView]) -> str:
    """What labels say about what was expected without them."""
    known = "The delivered quality is expected from confidences, without labels"
    found = [
        f"{'probes say' if one.source == 'probe' else f'{one.source} says'} it is off by "
        f"{'−' if one.error < 0 else '+'}{abs(100 * one.error):.1f} points for {tier.name} "
        f"({several(one.judged, 'label')})"
        for tier in tiers
        for one in tier.corrections
    ]
    return "; ".join([known, *found]) + "."


def _listed(names: Sequence[str]) -> str:
    if len(names) <= _NAMED:
        return ", ".join(names)
    return f"{', '.join(names[: _NAMED - 1])} and {len(names) - _NAMED + 1} more"

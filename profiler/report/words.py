"""Figures as people read them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from tailq.plan import Cascade, Plan, Race, Rescue, Single

_NO_BREAK = "\u00a0"  # so that a number stays on a line with its unit


def percent(share: float, digits: int = 1) -> str:
    """A share as a percentage: 0.9412 is "94.1 %"."""
    return f"{100 * share:.{digits}f}{_NO_BREAK}%"


def points(share: float) -> str:
    """A difference of two qualities, in percentage points: 0.013 is "1.3 points"."""
    return f"{100 * share:.1f}{_NO_BREAK}points"


def ms(seconds: float) -> str:
    """Seconds as milliseconds, three digits: 0.0217 is "21.7 ms"."""
    return f"{ms_number(seconds)}{_NO_BREAK}ms"


def ms_number(seconds: float) -> str:
    """The number of milliseconds alone, three digits."""
    value = 1000 * seconds
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def count(number: int) -> str:
    """A number with thousands apart: 12345 is "12,345"."""
    return f"{number:,}"


def moment(when: datetime) -> str:
    """A moment to the minute, with its time zone."""
    return f"{when:%Y-%m-%d %H:%M} {when:%Z}".rstrip()


def span(first: datetime, last: datetime) -> str:
    """From when to when, to the minute; the day once if it is the same."""
    if first.date() != last.date() or first.tzinfo != last.tzinfo:
        return f"{moment(first)} to {moment(last)}"
    return f"{first:%Y-%m-%d}, {first:%H:%M} to {last:%H:%M} {last:%Z}".rstrip()


def duration(length: timedelta) -> str:
    """How long something went: "2 h 05 min", "14 min", "40 s"."""
    seconds = round(length.total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest:02d} min" if hours else f"{minutes} min"


def listed(names: Sequence[str], last: str = "and") -> str:
    """Names in a sentence: "a, b and c"."""
    return f" {last} ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def short_names(names: Sequence[str], service: str) -> dict[str, str]:
    """The variants' names without `SERVICE_` where all begin with it."""
    prefix = f"{service}_"
    cut = len(prefix) if all(n.startswith(prefix) and n != prefix for n in names) else 0
    return {name: name[cut:] for name in names}


def plan_in_words(plan: Plan, names: Mapping[str, str]) -> str:
    """What a plan does with a request. names: as shown, by variant."""

    def shown(variant: str) -> str:
        return names.get(variant, variant)

    match plan:
        case Single():
            return f"asks {shown(plan.variant)}"
        case Cascade():
            steps = [
                f"; below confidence {threshold:.2f}, {shown(variant)}"
                for variant, threshold in zip(plan.stages[1:], plan.thresholds, strict=True)
            ]
            return f"asks {shown(plan.stages[0])}" + "".join(steps)
        case Race():
            kept = f"keeps {shown(plan.fast)}'s answer from confidence {plan.threshold:.2f} on"
            ended = "" if plan.terminate else "; lets the other run to its end"
            return f"asks {shown(plan.fast)} and {shown(plan.accurate)} at once; {kept}{ended}"
        case Rescue():
            late = f"if it has not answered after {ms(plan.after_s)}, {shown(plan.rescuer)} too"
            return f"asks {shown(plan.primary)}; {late}"

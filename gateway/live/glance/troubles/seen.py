"""What troubles are told from, and how they are worded."""

from dataclasses import dataclass

from gateway.live.glance.numbers import Numbers
from gateway.live.view import Trouble
from tailq.tier import TierTable


@dataclass(frozen=True, slots=True)
class Seen:
    """What troubles are told from.

    numbers: as of now. recent, longer: added in the last 5 and in the last 15 minutes. now: Unix
    time.
    """

    table: TierTable
    numbers: Numbers
    recent: Numbers
    longer: Numbers
    now: float


def page(what: str, runbook: str) -> Trouble:
    """Somebody is to be called."""
    return Trouble(what, runbook, "page")


def ticket(what: str, runbook: str) -> Trouble:
    """It can wait until tomorrow."""
    return Trouble(what, runbook, "ticket")


def percent(ratio: float) -> str:
    """As people read it."""
    return f"{100 * ratio:.3g} %"


def by_tier(counts: dict[tuple[str, ...], float]) -> dict[str, dict[str, float]]:
    """Counts by tier and something else; those without a tier are left out."""
    tiers: dict[str, dict[str, float]] = {}
    for (tier, name), count in counts.items():
        if tier:
            tiers.setdefault(tier, {})[name] = count
    return tiers

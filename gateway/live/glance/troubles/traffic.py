"""How requests end: rules/traffic.yml."""

from collections.abc import Iterator
from typing import Final

from gateway.dataplane import NOT_COUNTED
from gateway.live import names
from gateway.live.glance.numbers import Numbers
from gateway.live.glance.spans import share
from gateway.live.glance.troubles.seen import Seen, by_tier, percent, ticket
from gateway.live.view import Trouble

_REQUESTS: Final = 100.0  # fewer tell nothing
_RESCUED: Final = 0.2
_SHED: Final = 0.05
_BEST_EFFORT: Final = 0.1


def found(seen: Seen) -> Iterator[Trouble]:
    """Too many are rescued, shed, or held to no promise."""
    recent, longer = _ended(seen.recent), _ended(seen.longer)
    for tier, slow in longer.items():
        if sum(slow.values()) < _REQUESTS:
            continue
        fast = recent.get(tier, {})
        for end, limit, runbook, text in (
            ("rescued", _RESCUED, "TailqRescueRate", "were answered by the rescuer"),
            ("shed", _SHED, "TailqShedRate", "were shed"),
            ("unasked", _BEST_EFFORT, "TailqBestEffortRate", "were held to no promise"),
        ):
            ratio, lately = _share_of(end, slow), _share_of(end, fast)
            if ratio > limit and lately > limit:
                yield ticket(
                    f"{percent(ratio)} of the requests for {tier} {text} in the last 15 minutes; "
                    f"the limit is {percent(limit)}.",
                    runbook,
                )


def _ended(numbers: Numbers) -> dict[str, dict[str, float]]:
    """Requests by tier and outcome; best effort that the client did not ask for: `unasked`."""
    tiers = {
        tier: {end: n for end, n in ends.items() if end not in NOT_COUNTED | {"best_effort"}}
        | {"asked": ends.get("best_effort", 0.0), "unasked": 0.0}
        for tier, ends in by_tier(numbers.by(names.REQUESTS, "tier", "outcome")).items()
    }
    for (tier, reason), count in numbers.by(names.BEST_EFFORT, "tier", "reason").items():
        if reason != "deadline" and tier in tiers:
            tiers[tier]["unasked"] += count
            tiers[tier]["asked"] -= count
    return tiers


def _share_of(end: str, ends: dict[str, float]) -> float:
    return share(ends.get(end, 0.0), sum(ends.values())) or 0.0

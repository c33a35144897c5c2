"""What /v1/state says, whether one process serves or many."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from gateway.reload.reloader import Reloader
from gateway.settings import Settings
from tailq.tier import TierTable


def overview(
    settings: Settings, table: TierTable, reloader: Reloader, workers: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """All of it, as JSON has it. workers: Node.state() of each."""
    return {
        "service": table.service,
        "tiers": {
            "file": str(settings.tiers),
            "created": table.created.isoformat(),
            "profile": table.conditions.profile,
            "measured": table.conditions.measured.isoformat(),
            "max_outstanding": table.conditions.max_outstanding,
            "offered": {
                tier.name: {
                    "deadline_s": tier.deadline_s,
                    "plans": [str(promise.plan) for promise in tier.promises],
                    "priority": tier.priority,
                    "otherwise": tier.otherwise,
                }
                for tier in table.tiers
            },
        },
        "reloads": {name: asdict(verdict) for name, verdict in reloader.last.items()},
        "workers": list(workers),
    }

"""Two tiers on one variant of 18 ms: so heavy that the gateway is not what saturates.

`fashion_large.json` is what a real profile found out about it: of all seven variants of
model_repository/fashion, 200 s on two cores, 5184 timed requests of this variant at each load.
On another machine it takes another time: that is what the gateway corrects online.
"""

from pathlib import Path

from tailq import artefact
from tailq.tier import Reference, Served, Tier, TierTable
from tests.served import option, promise
from tests.tables import table, tier

LARGE = "fashion_large"
SERVED = artefact.read(Path(__file__).with_name(f"{LARGE}.json"), Served)
QUALITY, PROMISED = 0.9448, 0.92
IN_FLIGHT = 4  # the highest profiled load


def _tier(name: str, priority: int, deadline_s: float) -> Tier:
    by_large = option(LARGE, (1.0, QUALITY), work_s=SERVED.service_s)
    made = tier(name, 0.01 * priority, promise(deadline_s, PROMISED, by_large))
    return made.model_copy(update={"priority": priority, "otherwise": "shed"})


def overload_table() -> TierTable:
    """`gold` goes first, `silver` takes what is left; both refuse rather than disappoint."""
    made = table(_tier("gold", 1, 0.2), _tier("silver", 2, 0.3), max_outstanding=IN_FLIGHT)
    return made.model_copy(
        update={
            "served": {LARGE: SERVED},
            "reference": Reference(variant=LARGE, quality=QUALITY),
        }
    )

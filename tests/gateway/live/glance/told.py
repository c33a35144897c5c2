"""Numbers of a gateway, for tests of what is made of them."""

from collections.abc import Mapping

from gateway.live import families, names
from gateway.live.families import Families
from gateway.live.glance.numbers import Numbers, lately
from gateway.live.histogram import Histogram
from gateway.live.history import History
from gateway.live.names import Point, Spec
from tailq.tier import ConfidenceSpread, RoundQuality, Served
from tests.served import under_load
from tests.tables import promise, table, tier

ROUNDS = RoundQuality(quality=(0.8, 0.85, 0.9, 0.92, 0.94, 0.97, 0.99))
SPREAD = ConfidenceSpread(upper=(0.5, 0.8, 0.9, 1.0), share=(0.25, 0.25, 0.25, 0.25))
TABLE = table(
    tier("gold", 0.0, promise("large", 0.2, 0.93).model_copy(update={"rounds": ROUNDS})),
    tier("fast", 0.1, promise("small", 0.03, 0.87)),
).model_copy(
    update={
        "served": {
            name: Served(service_s=0.01, spread=SPREAD, under_load=under_load(0.01))
            for name in ("large", "small")
        }
    }
)


def points(spec: Spec, values: Mapping[tuple[str, ...], float | Histogram]) -> list[Point]:
    """Series of one metric."""
    return [(spec, labels, value) for labels, value in values.items()]


def of(told: list[Point]) -> Families:
    """As one process tells them."""
    return families.of(told, "fashion")


def numbers(told: list[Point]) -> Numbers:
    """All of them."""
    return Numbers({key: value for one in of(told).values() for key, value in one.samples.items()})


def history(*told: list[Point]) -> History:
    """Of so many steps."""
    found = History()
    for each in told:
        found.add(lately(of(each)))
    return found


def judged(
    count: float, quality: float, promised: float, tier: str = "gold", source: str = "expected"
) -> list[Point]:
    """Requests that were judged, all alike."""
    key = (tier, source)
    return [
        (names.JUDGED, key, count),
        (names.DELIVERED, key, count * quality),
        (names.PROMISED, key, count * promised),
    ]


def ended(counts: Mapping[str, float], tier: str = "gold", variant: str = "large") -> list[Point]:
    """Requests by outcome."""
    return points(names.REQUESTS, {(tier, variant, end): n for end, n in counts.items()})


def labelled(
    count: float, expected: float, delivered: float, variant: str = "large", source: str = "probe"
) -> list[Point]:
    """Answers whose quality was expected and is known, both on average."""
    key = (variant, source)
    return [
        (names.CALIBRATION_JUDGED, key, count),
        (names.CALIBRATION_EXPECTED, key, count * expected),
        (names.CALIBRATION_DELIVERED, key, count * delivered),
    ]

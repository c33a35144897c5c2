"""An hour of traffic with nothing wrong raises no alarm: every watch of a gateway, many seeds."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from tailq.guarantee import quality_lower, share
from tailq.sequential import PromiseWatch

Floats = NDArray[np.float64]

ALPHA = 0.05
RATE = 50  # requests a second, of each tier
LABELLED = 0.05  # share of requests whose label a client tells
LATE = 0.002
# Of each tier, the expected loss of the answer of which its model is least sure.
LEAST_SURE = {"gold": 0.5, "silver": 0.6, "bronze": 0.65, "express": 0.8}
SOURCES = 3  # expected, feedback, probe
EACH = share(ALPHA, len(LEAST_SURE) * SOURCES)


@dataclass(frozen=True)
class Traffic:
    """Judged requests: what was expected of each, its quality, and when it came, in seconds."""

    expected: Floats
    quality: Floats
    second: Floats

    def of(self, chosen: NDArray[np.bool_]) -> "Traffic":
        return Traffic(self.expected[chosen], self.quality[chosen], self.second[chosen])


def traffic(rng: np.random.Generator, tier: str, rate: float, seconds: int) -> Traffic:
    """Of a calibrated model: most answers are nearly sure, some are not; a few come late."""
    n = int(rate * seconds)
    expected = 1 - LEAST_SURE[tier] * rng.beta(0.25, 1.75, n)
    quality = (rng.random(n) < expected).astype(np.float64)
    in_time = rng.random(n) >= LATE
    return Traffic(expected * in_time, quality * in_time, np.arange(n) / rate)


def true_quality(tier: str) -> float:
    """The mean of both columns."""
    return (1 - LATE) * (1 - LEAST_SURE[tier] * 0.25 / 2.0)


def as_compiled(tier: str) -> float:
    """What a table of thousands of plans would promise after a profile of 5000 samples."""
    profiled = traffic(np.random.default_rng(0), tier, 5000, 1).quality
    return quality_lower(profiled, share(0.025, 3192))


def sources(rng: np.random.Generator, tier: str, seconds: int) -> Iterator[tuple[Floats, Floats]]:
    """Of each source the qualities that a watch is told, and their seconds."""
    of_clients = traffic(rng, tier, RATE, seconds)
    told = of_clients.of(rng.random(of_clients.quality.size) < LABELLED)
    probed = traffic(rng, tier, 1, seconds)
    yield of_clients.expected, of_clients.second
    yield told.quality, told.second
    yield probed.quality, probed.second


def raises_alarm(values: Floats, second: Floats, promised: float) -> bool:
    """Whether someone who looks once a second ever sees the promise broken."""
    watch = PromiseWatch(EACH)
    looks = np.searchsorted(second, np.arange(1, int(second[-1]) + 2))
    for part in np.split(values, looks):
        watch.observe_all(part, np.full(part.size, promised))
        if watch.evidence >= 1:
            return True
    return False


def alarms(seed: int, seconds: int, *, gap: float = 0.0, compiled: bool = False) -> int:
    """How many of the gateway's watches raise one; gap: promised beyond what is delivered."""
    rng = np.random.default_rng([7, seed])
    return sum(
        raises_alarm(
            values,
            second,
            as_compiled(tier) if compiled else true_quality(tier) + gap,
        )
        for tier in LEAST_SURE
        for values, second in sources(rng, tier, seconds)
    )


def test_minutes_in_which_nothing_is_wrong_raise_no_alarm() -> None:
    """Three minutes of four tiers that deliver just what they promised: no alarm in 20 seeds."""
    assert sum(alarms(seed, 180) for seed in range(20)) == 0


def test_a_promise_that_is_too_high_by_five_points_raises_an_alarm() -> None:
    """The same minutes, promised five points more than is delivered, raise some in every seed."""
    assert all(alarms(seed, 180, gap=0.05) > 0 for seed in range(3))


@pytest.mark.statistics
@pytest.mark.parametrize("compiled", [False, True], ids=["without slack", "as compiled"])
def test_an_hour_in_which_nothing_is_wrong_raises_no_alarm(
    compiled: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """An hour of four tiers, 200 seeds: fewer than alpha of them with any alarm of any watch."""
    seeds = 200
    found = [alarms(seed, 3600, compiled=compiled) for seed in range(seeds)]
    false = sum(count > 0 for count in found)
    with capsys.disabled():
        slack = "as compiled" if compiled else "without slack"
        print(f"\nhours with a false alarm, promises {slack}: {false} of {seeds}")
    assert false < ALPHA * seeds

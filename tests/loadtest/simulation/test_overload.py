"""Three times as much as the device can do, tiers mixed: what is admitted is in time."""

import pytest

from tests.loadtest.simulation.overload import LOAD, SCENES, World, measure

# Requests a second that the device bears, as overload.capacity() finds.
CAPACITY = {"as profiled": 140.0, "all unsure": 112.0}


@pytest.mark.parametrize(
    ("answers", "scene"),
    [
        ("as profiled", "steady"),
        ("as profiled", "foreign load"),
        ("all unsure", "steady"),
        ("all unsure", "bursts"),
        ("all unsure", "1.5 x slower"),
    ],
)
def test_what_is_admitted_is_in_time(answers: str, scene: str) -> None:
    """99 % of it, of each tier nearly as much; the rest hears at once that it is not admitted."""
    world = World() if answers == "as profiled" else World().unsure()
    got = measure(world, LOAD * CAPACITY[answers], SCENES[scene], seeds=(1, 2), seconds=5.0)
    assert got.in_time >= 0.99
    assert min(in_time for in_time, _ in got.by_tier.values()) >= 0.98
    assert got.refusal <= 0.05
    assert got.in_vain < 0.06
    # And that is not for want of trying: who goes first is served.
    assert got.by_tier["gold"][1] > 0.7

"""What becomes of requests to a fleet that nobody waits for any more."""

import pytest

from gateway.upstream.base import Failure, Payload
from tests.gateway.upstream.tritons import LOST, REFUSED, REPLY, Asker, World
from tests.gateway.virtual import Behaviour


@pytest.mark.parametrize("how", ["abandon", "cancel"])
def test_it_is_not_asked_elsewhere(how: str) -> None:
    """Though it was not begun on, and another endpoint is up; the endpoint hears of it."""
    world = World(2)
    for triton in world.tritons:
        triton.now = Behaviour(1.0, REFUSED, cancel_s=5.0)
    asker = Asker()
    call = world.fleet.infer("small", Payload((b"",)), 100.0, asker)
    getattr(call, how)()
    world.sleep(10.0)
    assert asker.result == REFUSED
    assert sum(world.asked()) == 1
    (asked,) = (one for triton in world.tritons for one in triton.calls)
    assert (asked.abandoned, asked.cancelled) == (how == "abandon", how == "cancel")
    assert world.fleet.retried == 0


def test_a_variant_that_no_endpoint_has_is_asked_where_one_is_up() -> None:
    """Not where none is, be it time to try that again: what is up says at least why not."""
    world = World(2)
    world.fleet.members[0].down("no answer")
    world.fleet.members[1].serves({"small": True, "large": False})
    world.sleep(10.0)
    assert world.fleet.absent == {"large"}
    for _ in range(5):
        world.ask("large")
    assert world.asked() == [0, 5]


def test_what_is_refused_at_once_ends_once() -> None:
    """With no endpoint to ask, whether it is cancelled before it hears of that or not."""
    world = World(1)
    world.fleet.members[0].down("no answer")
    askers = [Asker(), Asker()]
    calls = [world.fleet.infer("small", Payload((b"",)), 9.0, asker) for asker in askers]
    calls[0].cancel()
    calls[1].abandon()
    world.sleep(1.0)
    for asker in askers:
        assert isinstance(asker.result, Failure)
        assert "no answer" in asker.result.detail
    assert world.asked() == [0]


def test_a_trial_that_was_abandoned_counts_as_none_when_it_ends() -> None:
    """The one that was let go in its place is the trial: what the other brings closes nothing."""
    world = World(2)
    world.tritons[0].always(LOST)
    for _ in range(20):
        world.get()
    assert world.fleet.endpoints == 1
    world.sleep(3.0)
    world.tritons[0].always(REPLY, after_s=1.0)
    world.tritons[1].always(REPLY, after_s=1.0)
    calls = [world.fleet.infer("small", Payload((b"",)), 100.0, Asker()) for _ in range(2)]
    before = world.asked()[0]
    for call in calls:
        call.abandon()
    world.tritons[0].always(LOST, after_s=5.0)
    for _ in range(2):
        world.ask()
    assert world.asked()[0] == before + 1
    breaker = world.fleet.members[0].breaker
    world.sleep(2.0)  # the abandoned one has been answered, the trial is under way
    assert breaker.state == "half_open"
    world.sleep(4.0)
    assert not breaker.calm

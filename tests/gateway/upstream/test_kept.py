"""What a fleet keeps of its endpoints, and what it takes from requests that were not to tell."""

import logging

import pytest

from gateway.upstream.base import Failure, Payload, Result
from gateway.upstream.breaker import Breaker
from tests.gateway.upstream.tritons import (
    FULL,
    GONE,
    ILL,
    LOST,
    REFUSED,
    REPLY,
    WORK,
    Asker,
    World,
)
from tests.gateway.virtual import Behaviour


def down(world: World) -> None:
    """Let the first Triton be found unreachable; its requests take a second to fail."""
    world.fleet.members[0].down("no answer")
    world.tritons[0].always(REFUSED, after_s=1.0)


def blamed(world: World, failure: Failure) -> Breaker:
    """The breaker that such failures of `large` at the first Triton speak to."""
    member = world.fleet.members[0]
    return member.breaker if failure is LOST else member.offers["large"].breaker


def leave_out(world: World, failure: Failure) -> None:
    """Have the first Triton fail so for as long as it takes to believe it."""
    world.tritons[0].always(failure)
    for _ in range(40):
        world.get("large")


def test_one_request_tries_what_is_down_however_many_come() -> None:
    """The others fail at once, although that one does not know yet."""
    world = World(1)
    down(world)
    world.sleep(5.0)
    askers = [world.ask() for _ in range(10)]
    world.sleep(0.0)
    assert world.asked() == [1]
    assert sum(bool(asker.results) for asker in askers) == 9


def test_an_answer_shows_that_a_missing_variant_is_there() -> None:
    """Who insists on it finds out, though nobody else looks."""
    world = World(1)
    world.tritons[0].always(GONE)
    assert world.get("large") == GONE
    assert world.fleet.absent == {"large"}
    returns = world.fleet.returns
    world.tritons[0].always(REPLY)
    assert world.get("large") == REPLY
    assert world.fleet.absent == frozenset()
    assert world.fleet.returns == returns + 1


def test_the_same_variants_again_are_no_better_than_before() -> None:
    """A reload of the tiers forgets no failure, nor what is in flight."""
    world = World(1)
    world.tritons[0].always(ILL)
    for _ in range(200):
        assert world.get("large") == ILL
    world.tritons[0].always(REPLY)
    world.ask("small")
    before = world.fleet.absent, dict(world.fleet.ejected["triton:8000"])
    world.fleet.serve(WORK)
    assert (world.fleet.absent, world.fleet.ejected["triton:8000"]) == before
    assert not world.fleet.members[0].offers["large"].admits
    assert world.fleet.members[0].offers["small"].in_flight == 1


@pytest.mark.parametrize("other", [ILL, REPLY])
def test_that_an_endpoint_is_up_is_logged_once(
    caplog: pytest.LogCaptureFixture, other: Result
) -> None:
    """Not again with each request while not all is well with it."""
    caplog.set_level(logging.INFO)
    world = World(1)
    for result in (ILL, other) * 5:
        world.tritons[0].always(result)
        world.get("large")
    assert [one.getMessage() for one in caplog.records].count("Triton at triton:8000 is up") == 1


def test_what_was_asked_before_it_was_left_out_does_not_keep_it_out_for_longer() -> None:
    """Five failures do; those of the others, asked at the same time, tell nothing new."""
    world = World(2)
    for number in range(10):
        world.tritons[0].script.append(Behaviour(1.0 + number / 100, LOST))
    for _ in range(20):
        world.ask()
    breaker = world.fleet.members[0].breaker
    world.sleep(1.045)
    assert (breaker.state, world.fleet.endpoints) == ("open", 1)
    retry_at = breaker.retry_at
    world.sleep(0.06)
    assert not world.fleet.members[0].work
    assert breaker.retry_at == retry_at


def test_what_is_not_known_to_cost_anything_counts_as_the_mean_of_the_others() -> None:
    """So that calls of it are spread, and weighed against the others."""
    world = World(1, work={"small": 0.01, "large": 0.1, "new": 0.0})
    worth = world.fleet.worth
    assert worth["new"] == (worth["small"] + worth["large"]) / 2
    assert worth["large"] == 10 * worth["small"]


def test_comings_and_goings_are_counted_and_nothing_else() -> None:
    """Whoever looks again after each is told by a number that never falls."""
    world = World(2)
    first, second = world.tritons
    before = world.fleet.returns
    world.fleet.become([first, second])
    assert world.fleet.returns == before
    world.fleet.become([first])
    assert world.fleet.returns == before + 1
    world.fleet.become([first, second])
    assert world.fleet.returns == before + 2
    member = world.fleet.members[1]
    for _ in range(3):
        member.down("no answer")
        member.up()
    came_back = world.fleet.returns
    world.fleet.become([first])
    assert world.fleet.returns > came_back


def test_many_that_find_it_down_together_are_one_ejection() -> None:
    """Those that were asked before it was known neither count again nor put off the next try."""
    world = World(1)
    world.tritons[0].always(REFUSED, after_s=1.0)
    for _ in range(10):
        world.ask()
    member = world.fleet.members[0]
    world.sleep(1.0)
    assert member.ejected[""] == 1
    assert world.tritons[0].dropped == 1
    assert member.retry_at <= world.clock.now() + 0.2


def test_one_that_was_up_again_is_tried_again_soon() -> None:
    """However often it could not be reached before."""
    world = World(1)
    member = world.fleet.members[0]
    for _ in range(10):
        for _ in range(10):
            world.clock.run_until(member.retry_at)
            member.down("no answer")
        member.up()
        member.down("no answer")
        assert member.retry_at <= world.clock.now() + 0.2


@pytest.mark.parametrize(
    ("failure", "called"), [(ILL, "large at triton:8000"), (LOST, "Triton at triton:8000")]
)
def test_the_log_tells_who_fails_and_when_that_is_over(
    caplog: pytest.LogCaptureFixture, failure: Failure, called: str
) -> None:
    """Once each, for what is left out: the variant, or the endpoint; a failed trial is no news."""
    world = World(2)
    caplog.set_level(logging.INFO)
    world.tritons[0].always(failure)
    for _ in range(400):
        world.get("large")
    assert sum(world.fleet.members[0].ejected.values()) == 1
    assert world.asked()[0] > 5  # it was tried again
    world.tritons[0].always(REPLY)
    for _ in range(400):
        world.get("large")
    told = [one.getMessage() for one in caplog.records]
    assert [text.split(",")[0] for text in told] == [f"{called} fails", f"{called} is well again"]


@pytest.mark.parametrize("failure", [LOST, ILL])
def test_one_that_was_away_is_not_blamed_for_what_was_before(failure: Failure) -> None:
    """It is another process, as like as not: it is asked at once, and for every variant."""
    world = World(2)
    breaker = blamed(world, failure)
    leave_out(world, failure)
    assert not breaker.calm
    member = world.fleet.members[0]
    member.down("no answer")
    member.serves(dict.fromkeys(WORK, True))
    assert (world.fleet.endpoints, breaker.calm) == (2, True)


def test_a_variant_that_was_away_is_not_blamed_for_what_was_before() -> None:
    """It was loaded again; that it was away is one ejection, however many found it out."""
    world = World(1)
    member = world.fleet.members[0]
    world.tritons[0].always(ILL)
    for _ in range(5):
        world.get("large")
    assert (member.offers["large"].admits, member.ejected["large"]) == (False, 1)
    world.tritons[0].always(GONE)
    for _ in range(5):
        world.get("large")
    assert member.ejected["large"] == 2
    member.serves(dict.fromkeys(WORK, True))
    assert member.offers["large"].admits


def test_why_it_is_down_is_what_was_last_seen() -> None:
    """Each try that fails tells anew, and puts off the next one."""
    world = World(1)
    member = world.fleet.members[0]
    member.down("no answer")
    world.sleep(5.0)
    member.down("connection refused")
    assert member.why == "connection refused"
    assert member.retry_at > world.clock.now()


def test_where_all_is_well_nobody_reports_it() -> None:
    """Reports of good answers are wanted only from what has failed, or is away."""
    world = World(1)
    small, large = (world.fleet.members[0].offers[variant] for variant in ("small", "large"))
    assert (small.calm, large.calm) == (True, True)
    world.tritons[0].always(ILL)
    world.get("large")
    assert (small.calm, large.calm) == (True, False)
    world.tritons[0].always(LOST)
    world.get("small")
    assert (small.calm, large.calm) == (False, False)


def test_an_error_shows_that_an_endpoint_is_there() -> None:
    """It was down, or lost connections: its own answer, were it a bad one, ends both."""
    world = World(1)
    member = world.fleet.members[0]
    member.down("no answer")
    world.tritons[0].always(ILL)
    world.sleep(5.0)
    assert world.get("large") == ILL
    assert member.is_up
    leave_out(world, LOST)
    assert not member.breaker.calm
    world.sleep(3.0)
    world.tritons[0].always(ILL)
    assert world.get("large") == ILL
    assert member.breaker.calm


def test_a_full_queue_is_no_fault_of_the_variant() -> None:
    """Not even one that would matter if others followed."""
    world = World(1)
    world.tritons[0].always(FULL)
    for _ in range(20):
        assert world.get() == FULL
    assert world.fleet.members[0].offers["small"].breaker.calm


@pytest.mark.parametrize("failure", [LOST, ILL])
def test_a_request_that_is_no_trial_makes_no_room_for_one(failure: Failure) -> None:
    """It was asked before it was left out, and is left by its client while the trial goes on."""
    world = World(2)
    breaker = blamed(world, failure)
    world.tritons[0].always(REPLY, after_s=None)
    world.tritons[1].always(REPLY, after_s=None)
    old = [world.fleet.infer("large", Payload((b"",)), 100.0, Asker()) for _ in range(2)]
    world.tritons[0].always(failure)
    world.tritons[1].always(REPLY)
    for _ in range(20):
        world.get("large")
    world.sleep(3.0)
    assert breaker.admits
    world.tritons[0].always(REPLY, after_s=None)
    for _ in range(4):
        world.ask("large")
    assert not breaker.admits
    for call in old:
        call.cancel()
    world.sleep(0.1)
    assert not breaker.admits


@pytest.mark.parametrize("failure", [LOST, ILL])
def test_a_trial_that_is_cancelled_makes_room_for_another(failure: Failure) -> None:
    """It tells nothing, and what it was to try would be left out for ever."""
    world = World(2)
    breaker = blamed(world, failure)
    leave_out(world, failure)
    world.sleep(3.0)
    assert breaker.admits
    world.tritons[0].always(REPLY, after_s=None)
    calls = [world.fleet.infer("large", Payload((b"",)), 100.0, Asker()) for _ in range(2)]
    assert not breaker.admits
    for call in calls:
        call.cancel()
    world.sleep(0.1)
    assert breaker.admits


@pytest.mark.parametrize("failure", [LOST, ILL])
def test_an_answer_begun_before_it_was_left_out_does_not_bring_it_back(failure: Failure) -> None:
    """Only the trial's does."""
    world = World(2)
    breaker = blamed(world, failure)
    for triton in world.tritons:
        triton.script.append(Behaviour(1.0, REPLY))
    asked = [world.ask("large") for _ in range(2)]
    leave_out(world, failure)
    assert not breaker.calm
    world.sleep(1.0)
    assert [asker.result for asker in asked] == [REPLY, REPLY]
    assert not breaker.calm

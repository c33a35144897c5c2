"""Which endpoint is asked, and what becomes of failures, in virtual time."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.upstream.base import Call, Failure, Payload, Refusal
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

RETRIED_S = 3.0  # longer than any backoff


def fail(world: World) -> None:
    """Let every request for `large` fail for as long as it takes to believe it."""
    world.tritons[0].always(ILL)
    until = world.clock.now() + 2.0
    while world.clock.now() < until:
        assert world.get("large") == ILL


def test_requests_go_where_the_least_work_is() -> None:
    """In device-seconds: ten small requests weigh as much as a large one."""
    world = World(2)
    world.ask("large")
    for _ in range(10):
        world.ask("small")
    assert sorted(world.asked()) == [1, 10]
    world.ask("large")
    world.ask("large")
    assert sorted(world.asked()) == [2, 11]


@given(
    st.lists(st.tuples(st.sampled_from(sorted(WORK)), st.floats(0, 0.3)), max_size=50),
    st.integers(2, 4),
)
def test_no_endpoint_with_more_work_is_asked(asks: list[tuple[str, float]], count: int) -> None:
    """Whatever comes and goes, and however long it takes, it is one of the least busy ones."""
    world = World(count)
    for number, triton in enumerate(world.tritons):
        triton.always(REPLY, after_s=0.1 * (number + 1))
    for variant, wait_s in asks:
        world.sleep(wait_s)
        work = [member.work for member in world.fleet.members]
        before = world.asked()
        world.ask(variant)
        (asked,) = (i for i, n in enumerate(world.asked()) if n > before[i])
        assert work[asked] == min(work)


def test_equal_endpoints_take_turns() -> None:
    """An idle fleet is used evenly."""
    world = World(3)
    for _ in range(30):
        assert world.get() == REPLY
    assert world.asked() == [10, 10, 10]


def test_without_known_work_requests_are_counted() -> None:
    """A table that tells no device-seconds still spreads what is in flight."""
    world = World(2, work={"small": 0.0, "large": 0.0})
    for _ in range(8):
        world.ask()
    assert world.asked() == [4, 4]


def test_abandoned_work_counts_until_it_ends() -> None:
    """Nobody waits for it, and yet the endpoint is busy with it."""
    world = World(2)
    for triton in world.tritons:
        triton.always(REPLY, after_s=5.0)
    calls = [world.fleet.infer("large", Payload((b"",)), 1.0, Asker()) for _ in range(2)]
    calls[0].abandon()
    busy = [member.work for member in world.fleet.members]
    assert busy[0] == busy[1] > 0
    world.sleep(6.0)
    assert [member.work for member in world.fleet.members] == [0, 0]


def test_an_unreachable_endpoint_is_left_out_and_the_request_asked_elsewhere() -> None:
    """The client notices nothing; later requests do not try it; its idle connections are closed."""
    world = World(2)
    world.tritons[0].always(REFUSED)
    for _ in range(20):
        assert world.get() == REPLY
    assert world.asked() == [1, 20]
    assert world.tritons[0].dropped == 1
    assert world.fleet.retried == 1
    assert world.fleet.endpoints == 1
    assert world.fleet.absent == frozenset()


def test_a_variant_that_one_endpoint_lacks_is_asked_elsewhere() -> None:
    """Only that variant: the others stay there."""
    world = World(2)
    world.tritons[0].script = [Behaviour(result=GONE)]
    for _ in range(10):
        assert world.get("large") == REPLY
    assert world.asked() == [1, 10]
    for _ in range(10):
        assert world.get("small") == REPLY
    assert world.asked() == [6, 15]
    world.fleet.members[0].serves({"small": True, "large": True})
    for _ in range(10):
        assert world.get("large") == REPLY
    assert world.asked() == [11, 20]


@pytest.mark.parametrize("failure", [LOST, ILL, FULL, Failure("broken", "not HTTP")])
def test_what_upstream_may_have_begun_is_not_repeated(failure: Failure) -> None:
    """Only requests that were not begun on go elsewhere."""
    world = World(2)
    for triton in world.tritons:
        triton.always(failure)
    assert world.get() == failure
    assert sum(world.asked()) == 1


def test_it_is_asked_elsewhere_once() -> None:
    """Two endpoints are tried, not all of them."""
    world = World(3)
    for triton in world.tritons:
        triton.always(REFUSED)
    assert world.get() == REFUSED
    assert sum(world.asked()) == 2


def test_nothing_is_asked_elsewhere_after_the_deadline() -> None:
    """Nor for a request that nobody waits for."""
    world = World(2)
    for triton in world.tritons:
        triton.always(REFUSED, after_s=1.0)
    asker = world.ask(within_s=0.5)
    left = Asker()
    world.fleet.infer("small", Payload((b"",)), 9.0, left).abandon()
    world.sleep(2.0)
    assert asker.result == left.result == REFUSED
    assert world.asked() == [1, 1]


def test_what_is_down_is_not_hammered() -> None:
    """All are down: requests fail at once, saying why, and one in a backoff tries."""
    world = World(1)
    world.tritons[0].always(REFUSED, after_s=0.0)
    for _ in range(1000):
        result = world.get()
        assert isinstance(result, Failure)
        assert result.kind == "unreachable"
        assert "connection refused" in result.detail
    assert world.clock.now() > 9.9
    assert world.asked()[0] < 50
    assert world.fleet.endpoints == 1
    assert world.fleet.absent == {"small", "large"}


def test_one_that_was_down_is_back_within_a_second() -> None:
    """Even if nobody but requests looks after it."""
    world = World(1)
    world.tritons[0].always(REFUSED, after_s=0.0)
    for _ in range(1000):
        world.get()
    world.tritons[0].always(REPLY)
    back_at = world.clock.now()
    while isinstance(world.get(), Failure):
        pass
    assert world.clock.now() <= back_at + 1.1
    assert world.fleet.absent == frozenset()
    assert world.fleet.returns == 1 + 1  # it has come, and come back
    assert all(world.get() == REPLY for _ in range(10))


@pytest.mark.parametrize("failure", [LOST, ILL])
def test_one_that_fails_is_left_out_and_back_soon(failure: Failure) -> None:
    """Five failures in a row, then the others serve; it is tried again within two seconds."""
    world = World(2)
    world.tritons[0].always(failure)
    failed = sum(isinstance(world.get(), Failure) for _ in range(40))
    assert failed == 5
    world.tritons[0].always(REPLY)
    world.sleep(RETRIED_S)
    before = world.asked()[0]
    assert all(world.get() == REPLY for _ in range(40))
    assert world.asked()[0] > before + 10


def test_one_request_tries_at_a_time() -> None:
    """An endpoint that goes on failing costs one request a backoff."""
    world = World(2)
    world.tritons[0].always(LOST)
    for _ in range(40):
        world.get()
    before = world.asked()[0]
    failed = 0
    for _ in range(1000):
        failed += isinstance(world.get(), Failure)
    assert world.clock.now() > 10.0
    assert failed == world.asked()[0] - before < 30


def test_a_failing_variant_is_absent_until_one_request_succeeds() -> None:
    """Where no endpoint serves it well, the router is to know; another variant is untouched."""
    world = World(1)
    fail(world)
    assert world.fleet.absent == {"large"}
    world.tritons[0].always(REPLY)
    assert world.get("small") == REPLY
    world.sleep(RETRIED_S)
    assert world.fleet.absent == frozenset()  # one may try
    asker = world.ask("large")
    assert world.fleet.absent == {"large"}
    world.sleep(1.0)
    assert asker.result == REPLY
    assert world.fleet.absent == frozenset()


def test_a_variant_that_fails_now_and_then_is_not_absent() -> None:
    """Half of its requests are answered, more than if none was asked; it may be the requests."""
    world = World(1)
    for _ in range(50):
        for result in (ILL, REPLY):
            world.tritons[0].always(result)
            assert world.get("large") == result
            assert world.fleet.absent == frozenset()
    assert world.fleet.members[0].ejected["large"] > 0


def test_a_text_of_tritons_is_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """What a client wrote may stand in it, and must not pass for a line of ours."""
    world = World(1)
    text = "no such token: \n2026-01-01 INFO all is well\x1b[2J" + "x" * 10_000
    for failure in (Failure("unavailable", text), Failure("unavailable", text, "missing")):
        caplog.clear()
        world.tritons[0].always(failure)
        for _ in range(5):
            world.get("large")
        (told,) = [one.getMessage() for one in caplog.records if "no such token" in one.message]
        assert told.isprintable()
        assert len(told) < 1000


def test_a_client_cannot_take_a_variant_from_others() -> None:
    """Its requests fail, a hundred for each of theirs, and theirs are served as before."""
    world = World(1)
    for _ in range(20):
        world.tritons[0].always(ILL)
        asked = [world.ask("large") for _ in range(100)]
        for _ in asked:
            world.sleep(0.001)
            assert world.fleet.absent == frozenset()
        assert all(one.result == ILL for one in asked)
        world.tritons[0].always(REPLY)
        assert world.get("large") == REPLY


def test_it_is_left_out_where_another_endpoint_serves_it_well() -> None:
    """There the failures are the endpoint's."""
    world = World(2)
    failed = 0
    for count in range(200):
        world.tritons[0].always(REPLY if count % 2 else LOST)
        failed += world.get("large") == LOST
    assert failed < 30


def test_a_trial_that_nobody_waits_for_leaves_room_for_another() -> None:
    """It may go on for long, and meanwhile the variant would stay absent."""
    world = World(1)
    fail(world)
    world.sleep(RETRIED_S)
    world.tritons[0].always(REPLY, after_s=None)
    call = world.fleet.infer("large", Payload((b"",)), 100.0, Asker())
    assert world.fleet.absent == {"large"}
    call.abandon()
    assert world.fleet.absent == frozenset()
    world.tritons[0].always(REPLY)
    assert world.get("large") == REPLY
    call.cancel()


def test_what_is_absent_is_asked_all_the_same_by_those_who_insist() -> None:
    """Triton is there: its own answer is no worse than ours."""
    world = World(1)
    world.tritons[0].always(ILL)
    for _ in range(50):
        assert world.get("large") == ILL
    assert world.asked() == [50]


def test_if_all_endpoints_fail_all_are_asked() -> None:
    """Ejecting every endpoint that is up would make an outage of half an outage."""
    world = World(2)
    for triton in world.tritons:
        triton.always(LOST)
    for _ in range(100):
        assert world.get() == LOST
    assert world.fleet.endpoints == 2
    assert world.fleet.absent == frozenset()
    assert sum(world.asked()) == 100


def test_a_full_queue_and_a_cancelled_request_are_no_failures() -> None:
    """Slow is not ill: that is the router's to handle."""
    world = World(1)
    world.tritons[0].always(FULL)
    for _ in range(20):
        assert world.get() == FULL
    world.tritons[0].always(REPLY, after_s=None)
    for _ in range(20):
        asker = Asker()
        call = world.fleet.infer("small", Payload((b"",)), 1e9, asker)
        call.cancel()
        world.sleep(0.1)
        assert isinstance(asker.result, Failure)
    assert world.fleet.absent == frozenset()
    assert world.fleet.members[0].work == 0


def test_a_refusal_shows_that_all_is_well() -> None:
    """The request is at fault, and the variant has said so."""
    world = World(1)
    for result, count in ((ILL, 4), (Refusal("bad shape"), 1), (ILL, 4)):
        world.tritons[0].always(result)
        assert all(world.get() == result for _ in range(count))
    assert world.fleet.absent == frozenset()


def test_an_answer_shows_that_a_silent_endpoint_is_back() -> None:
    """It was stopped and goes on: work begun before ends well."""
    world = World(1)
    world.tritons[0].always(REPLY, after_s=5.0)
    asker = world.ask()
    world.fleet.members[0].down("no answer within 2 s")
    assert world.fleet.absent == {"small", "large"}
    world.sleep(6.0)
    assert asker.result == REPLY
    assert world.fleet.absent == frozenset()


def test_other_variants_may_be_served_from_now_on() -> None:
    """A reload: new ones are asked, removed ones are absent from `absent`."""
    world = World(1)
    world.fleet.members[0].serves({"small": False, "large": True})
    assert world.fleet.absent == {"small"}
    world.fleet.serve({"large": 0.1, "huge": 1.0})
    assert world.fleet.absent == frozenset()
    assert world.get("huge") == REPLY
    assert world.get("small") == REPLY  # decided before


RESULTS = st.sampled_from([REPLY, REPLY, Refusal("no"), LOST, REFUSED, GONE, ILL, FULL])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.sampled_from(sorted(WORK)), st.floats(0, 2)),
        st.tuples(st.just("abandon"), st.integers(0, 50), st.none()),
        st.tuples(st.just("cancel"), st.integers(0, 50), st.none()),
        st.tuples(st.just("wait"), st.floats(0, 1), st.none()),
        st.tuples(st.just("behave"), st.integers(0, 2), st.tuples(st.floats(0, 2), RESULTS)),
        st.tuples(st.just("down"), st.integers(0, 2), st.none()),
        st.tuples(st.just("serves"), st.integers(0, 2), st.booleans()),
    ),
    max_size=60,
)


@settings(max_examples=200)
@given(STEPS, st.integers(1, 3), st.integers())
def test_whatever_happens_every_call_ends_once_and_nothing_is_left(
    steps: list[tuple[str, Any, Any]], count: int, seed: int
) -> None:
    """Random requests, faults and repairs: one result each, no work left, and all is well again."""
    world = World(count, seed)
    calls: list[tuple[Asker, Call]] = []
    for what, one, other in steps:
        _step(world, calls, what, one, other)
    for triton in world.tritons:
        triton.always(REPLY)
    world.sleep(5.0)
    for asker, _ in calls:
        assert len(asker.results) == 1
    for member in world.fleet.members:
        assert member.work == 0
        assert all(offer.in_flight == 0 for offer in member.offers.values())
        member.serves(dict.fromkeys(WORK, True))
    for _ in range(10):
        for variant in WORK:
            assert world.get(variant) == REPLY
    assert world.fleet.absent == frozenset()


def _step(world: World, calls: list[tuple[Asker, Call]], what: str, one: Any, other: Any) -> None:
    if what == "ask":
        asker = Asker()
        deadline = world.clock.now() + other
        calls.append((asker, world.fleet.infer(one, Payload((b"x",)), deadline, asker)))
        assert not asker.results
    elif what == "wait":
        world.sleep(one)
    elif what in ("abandon", "cancel"):
        if calls:
            asker, call = calls[one % len(calls)]
            if not asker.results:
                getattr(call, what)()
    else:
        _fault(world, what, one % len(world.tritons), other)


def _fault(world: World, what: str, number: int, other: Any) -> None:
    member = world.fleet.members[number]
    if what == "behave":
        after_s, result = other
        world.tritons[number].always(result, after_s)
    elif what == "down":
        member.down("no answer")
    else:
        member.serves(dict.fromkeys(WORK, other))

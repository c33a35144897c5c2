"""The circuit breaker and its backoff, in virtual time."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstream.backoff import Backoff
from gateway.upstream.breaker import Breaker, Threshold

CAP_S = 2.0


def breaker(chance: Callable[[], float] = lambda: 0.999, **threshold: float) -> Breaker:
    return Breaker(Backoff(0.5, CAP_S, chance), Threshold(**threshold))  # type: ignore[arg-type]


def opened() -> Breaker:
    """One that five failures at time 0 opened."""
    one = breaker()
    for _ in range(5):
        one.failed(0.0)
    assert one.state == "open"
    return one


@given(st.integers(1, 200), st.floats(0.01, 5), st.floats(0, 10), st.integers())
def test_backoff_is_jittered_and_bounded(count: int, base: float, more: float, seed: int) -> None:
    """Every wait is between 0 and min(cap, base times 2 to the failures before)."""
    backoff = Backoff(base, base + more, random.Random(seed).random)
    for failures in range(count):
        assert 0 <= backoff.next_s() <= min(base + more, base * 2.0 ** min(failures, 64))


def test_backoff_grows_to_its_cap_and_begins_anew() -> None:
    """Twice as long each time, and short again once it has worked."""
    backoff = Backoff(0.5, 2.0, lambda: 1.0)
    assert [backoff.next_s() for _ in range(4)] == [0.5, 1.0, 2.0, 2.0]
    backoff.reset()
    assert backoff.next_s() == 0.5


def test_failures_in_a_row_open_it() -> None:
    """The fifth without a success between them."""
    one = breaker()
    for _ in range(4):
        one.failed(0.0)
    assert one.admits
    one.succeeded(0.0)
    for _ in range(4):
        one.failed(0.0)
    assert one.admits
    one.failed(0.0)
    assert one.state == "open"
    assert not one.admits


def test_failures_in_a_row_may_lie_far_apart() -> None:
    """A rare request that always fails opens it too, whatever the window."""
    one = breaker()
    for at in range(5):
        one.failed(at * 100.0)
    assert one.state == "open"


def test_a_burst_of_failures_is_not_all_there_is() -> None:
    """One client's requests may be at fault; nothing succeeds only if nothing did for a while."""
    one = breaker()
    for _ in range(50):
        one.failed(1.0)
    assert not one.admits
    assert not one.entirely
    one.failed(2.0)
    assert one.entirely
    one.succeeded(2.1)  # begun before, or sent since nothing else was left
    assert one.state == "open"
    assert not one.entirely
    one.failed(9.0)
    assert not one.entirely


def test_a_share_of_failures_opens_it() -> None:
    """Every other request of ten, though never two failures in a row."""
    one = breaker()
    for _ in range(5):
        one.failed(1.0)
        assert one.state == "closed"
        one.succeeded(1.0)
    one.failed(1.0)
    assert one.state == "open"


def test_failures_are_forgotten_after_the_window() -> None:
    """Every other request fails, but slowly: never ten within five seconds."""
    one = breaker()
    for at in range(100):
        one.failed(2.0 * at)
        one.succeeded(2.0 * at + 1.0)
    assert one.admits
    one.succeeded(1000.0)
    assert one.calm


def test_one_request_tries_when_the_backoff_is_over() -> None:
    """Half open admits the trial and nobody else until that has ended."""
    one = opened()
    one.wake(one.retry_at - 0.001)
    assert not one.admits
    one.wake(one.retry_at)
    assert one.admits
    assert one.begin()
    assert not one.admits
    assert not one.begin()
    one.succeeded(1.0, trial=True)
    assert one.state == "closed"
    assert one.calm


def test_a_failed_trial_opens_it_for_longer() -> None:
    """The backoff doubles, up to its cap."""
    one = opened()
    waits = [one.retry_at]
    for _ in range(4):
        now = one.retry_at
        one.wake(now)
        assert one.begin()
        one.failed(now, trial=True)
        waits.append(one.retry_at - now)
    assert waits == pytest.approx([0.4995, 0.999, 1.998, 1.998, 1.998])


def test_a_trial_that_tells_nothing_leaves_room_for_another() -> None:
    """It was cancelled: the next request is the trial."""
    one = opened()
    one.wake(one.retry_at)
    assert one.begin()
    one.dropped(trial=True)
    assert one.begin()


def test_only_the_trial_counts_while_it_is_not_closed() -> None:
    """What was under way when it opened neither closes it nor opens it for longer."""
    one = opened()
    before = one.retry_at
    one.succeeded(0.1)
    one.failed(0.1)
    assert one.state == "open"
    assert one.retry_at == before


STEPS = st.lists(
    st.tuples(st.sampled_from(["begin", "good", "bad", "dropped", "wait"]), st.floats(0, 3)),
    max_size=200,
)


@given(STEPS, st.integers())
def test_it_never_locks_up(steps: list[tuple[str, float]], seed: int) -> None:
    """Whatever happens: at most one trial at once, and within the cap it admits a request again.

    One trial is under way or none; after its end and at most the backoff's cap, a request may go.
    """
    one = Breaker(Backoff(0.5, CAP_S, random.Random(seed).random), Threshold())
    now, trials = 0.0, 0
    for what, wait_s in steps:
        if what == "wait":
            now += wait_s
            one.wake(now)
        elif what == "begin":
            admitted = one.admits
            if one.begin():
                trials += 1
                assert admitted
        else:
            trial, trials = bool(trials), 0
            if what == "good":
                one.succeeded(now, trial=trial)
            elif what == "bad":
                one.failed(now, trial=trial)
            else:
                one.dropped(trial=trial)
        assert trials <= 1
        assert one.state != "open" or one.retry_at <= now + CAP_S
    one.dropped(trial=bool(trials))
    one.wake(now + CAP_S)
    assert one.admits


@given(st.lists(st.booleans(), max_size=100))
def test_it_opens_by_its_two_rules_and_no_other(results: list[bool]) -> None:
    """Within one window: five failures in a row, or half of ten and more since the first one."""
    one = breaker()
    row, since = 0, list[bool]()
    for good in results:
        row = 0 if good else row + 1
        if since or not good:
            since.append(good)
        one.succeeded(0.0) if good else one.failed(0.0)
        share = len(since) >= 10 and 2 * since.count(False) >= len(since)
        assert (one.state == "open") == (not good and (row >= 5 or share))
        if one.state == "open":
            return


LATER_S = 1000.0  # the clock's zero is long past


def test_the_share_counts_within_the_window_whenever_that_began() -> None:
    """Every other request of ten in a second, after a quarter of an hour."""
    one = breaker()
    for at in range(10):
        one.succeeded(LATER_S + at / 10) if at % 2 else one.failed(LATER_S + at / 10)
    one.failed(LATER_S + 1.0)
    assert one.state == "open"


def test_a_share_of_long_ago_does_not_count() -> None:
    """Nine requests, five of them failed; the next failure after the window begins a new one."""
    one = breaker()
    for _ in range(4):
        one.failed(0.0)
        one.succeeded(0.0)
    one.failed(0.0)
    one.failed(100.0)
    assert one.state == "closed"


def test_two_failures_that_lie_apart_are_not_all_there_is() -> None:
    """It takes a row of five to say that nothing succeeds, however long it lasts."""
    one = breaker()
    for at in range(4):
        one.failed(100.0 * at)
        assert not one.entirely
    one.failed(400.0)
    assert one.entirely


def test_a_new_one_in_its_place_is_not_blamed() -> None:
    """After reset() four failures of the old one and one of the new are no row of five."""
    one = breaker()
    for _ in range(4):
        one.failed(0.0)
    one.reset()
    one.failed(0.0)
    assert one.state == "closed"


def test_once_it_has_worked_the_backoff_is_short_again() -> None:
    """Whatever it had grown to."""
    one = opened()
    for _ in range(4):
        one.wake(one.retry_at)
        one.begin()
        one.failed(one.retry_at, trial=True)
    one.wake(one.retry_at)
    one.begin()
    one.succeeded(LATER_S, trial=True)
    for _ in range(5):
        one.failed(LATER_S)
    assert one.retry_at - LATER_S == pytest.approx(0.4995)


def test_a_request_that_was_no_trial_leaves_no_room_for_one() -> None:
    """It was cancelled while the trial is under way."""
    one = opened()
    one.wake(one.retry_at)
    assert one.begin()
    one.dropped(trial=False)
    assert not one.admits


def test_one_that_has_closed_meanwhile_is_not_woken() -> None:
    """Its alarm was set before; all requests go, not one."""
    one = opened()
    at = one.retry_at
    one.reset()
    one.wake(at)
    assert one.state == "closed"

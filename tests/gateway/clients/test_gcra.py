"""Quotas: the generic cell rate algorithm."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.clients.gcra import Rate

RATES = st.builds(Rate, st.integers(1, 10_000), st.integers(1, 7 * 86_400))
STARTS = st.floats(0, 1e7)


@given(
    RATES,
    STARTS,
    st.lists(st.tuples(st.integers(1, 30), st.floats(0, 2)), min_size=1, max_size=40),
)
def test_never_more_than_the_burst_and_the_rate(
    rate: Rate, start: float, bursts: list[tuple[int, float]]
) -> None:
    """Between any two moments no more get in than the whole quota and what time has brought."""
    cell, now, admitted = [0.0], start, list[float]()
    for count, pause_windows in bursts:
        admitted += [now for _ in range(count) if rate.take(cell, now)]
        now += pause_windows * rate.window_s / 10
    for first, since in enumerate(admitted):
        for last in range(first, len(admitted)):
            brought = rate.requests * (admitted[last] - since) / rate.window_s
            assert last - first + 1 <= rate.requests + brought + 0.05


@given(st.builds(Rate, st.integers(1, 300), st.integers(1, 1000)), STARTS, st.integers(0, 400))
def test_what_remains_is_true(rate: Rate, start: float, used: int) -> None:
    """As many as are said to remain get in, and then no more."""
    cell = [0.0]
    for _ in range(used):
        rate.take(cell, start)
    said = rate.quota(cell, start).remaining
    assert said == max(0, rate.requests - used)
    assert [rate.take(cell, start) for _ in range(said + 3)] == [True] * said + [False] * 3


@given(
    st.builds(Rate, st.integers(1, 300), st.integers(1, 1000)),
    st.floats(0, 1e6),
    st.integers(1, 400),
)
def test_what_is_said_of_the_future_is_true(rate: Rate, start: float, used: int) -> None:
    """After `retry_s` one gets in and not before; after `reset_s` all are there again."""
    cell = [0.0]
    for _ in range(used):
        rate.take(cell, start)
    quota = rate.quota(cell, start)
    assert rate.quota(cell, start + quota.reset_s + 1e-6).remaining == rate.requests
    assert (quota.retry_s > 0) == (quota.remaining == 0)
    if quota.retry_s > 0.001:
        assert not rate.take(list(cell), start + quota.retry_s * 0.99)
        assert rate.take(list(cell), start + quota.retry_s + 1e-6)


def test_a_steady_client_at_the_rate_is_never_refused() -> None:
    """Who asks as often as is allowed is served for ever."""
    rate, cell = Rate(10, 60), [0.0]
    assert all(rate.take(cell, 6.0 * number) for number in range(10_000))


def test_a_shorter_window_is_not_bound_by_what_a_longer_one_left() -> None:
    """Settings may change: who has used up a week waits a second if it is 1 in 1 s now."""
    cell = [0.0]
    week, second = Rate(5, 7 * 86_400), Rate(1, 1)
    while week.take(cell, 100.0):
        pass
    assert second.quota(cell, 100.0).retry_s == 1.0
    assert not second.take(cell, 100.0)
    assert second.take(cell, 101.0)

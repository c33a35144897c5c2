"""Work outstanding by its definition, and the model of latency on simulated devices."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from profiler.record.observations import Observations
from profiler.record.under_load import outstanding_work, under_load
from tests.profiler.columns import observations

Floats = NDArray[np.float64]

SERVICE_S = np.array([0.010, 0.002])


def timed(
    sent_s: Sequence[float] | Floats,
    latency_s: Sequence[float] | Floats,
    *,
    variant: Sequence[int] | NDArray[np.int64],
    rounds: int = 10,
) -> Observations:
    """Requests in an open loop, in rounds of as many consecutive ones."""
    n = len(sent_s)
    made = observations(list(latency_s), [True] * n, list(np.arange(n) * rounds // n))
    return replace(
        made,
        variant=np.asarray(variant, dtype=np.int32),
        sent_s=np.asarray(sent_s, dtype=np.float64),
        load=np.zeros(n, dtype=np.int32),
        rate=np.full(n, 50.0),
    )


def queue(n: int, seed: int, *, rate: float = 110.0) -> Observations:
    """A device that does one thing at a time, in order of arrival; arrivals are Poisson."""
    rng = np.random.default_rng(seed)
    sent = np.cumsum(rng.exponential(1 / rate, n))
    variant = rng.integers(2, size=n)
    done = np.empty(n)
    free = 0.0
    service_s = SERVICE_S[variant] * rng.uniform(0.9, 1.1, n)
    for index, (at, service) in enumerate(zip(sent, service_s, strict=True)):
        free = done[index] = max(free, at) + service
    return timed(sent, done - sent, variant=variant)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 50),
            st.integers(1, 50) | st.just(np.inf),
            st.sampled_from([0, 1]),
        ),
        min_size=1,
        max_size=30,
        unique_by=lambda request: request[0],
    )
)
def test_work_outstanding_is_the_service_of_all_others_in_flight(
    requests: list[tuple[int, float, int]],
) -> None:
    """By the definition, request by request; what was never answered counts for nothing."""
    sent, latency, variant = (list(column) for column in zip(*requests, strict=True))
    expected = [
        sum(
            SERVICE_S[kind]
            for begun, lasted, kind in requests
            if lasted < np.inf and begun < at < begun + lasted
        )
        for at in sent
    ]
    seen = timed(sent, latency, variant=variant, rounds=1)
    assert outstanding_work(seen, SERVICE_S).tolist() == pytest.approx(expected)


def test_an_idle_device_has_exactly_no_work() -> None:
    """However many requests came before; a sum of seconds would leave a rounding error."""
    sent = np.arange(100_000) * 0.1
    seen = timed(sent, np.full(sent.size, 0.05), variant=np.arange(sent.size) % 2)
    assert (outstanding_work(seen, np.array([0.1, 0.7])) == 0).all()


def test_a_known_queue_is_recovered() -> None:
    """One thing at a time: latency is the work before it, less what is done of it, and its own."""
    seen = queue(20_000, seed=1)
    work = outstanding_work(seen, SERVICE_S)
    model = under_load(seen, work, 1)
    assert model is not None
    assert model.outstanding_s[0] == 0
    assert model.quantile(0.5, 0) == pytest.approx(0.002, rel=0.01)
    # Service times vary by 10 %, and a bin of work is up to 10 ms wide.
    for outstanding_s in np.arange(0.004, 0.042, 0.002):
        median, highest = model.quantile(0.5, outstanding_s), model.quantile(0.99, outstanding_s)
        assert 0.9 * outstanding_s - 0.009 - 0.010 <= median <= 1.1 * outstanding_s + 0.002 + 0.010
        assert highest <= 1.1 * outstanding_s + 0.002 + 0.010
    assert model.quantile(0.99, 0.04) > 0.036


@pytest.mark.parametrize("seed", range(4))
def test_the_stated_error_is_that_on_another_run(seed: int) -> None:
    """Shares of slower requests, cross-validated and on fresh ones, are close to nominal."""
    seen, fresh = queue(8000, seed=seed), queue(8000, seed=seed + 100)
    model = under_load(seen, outstanding_work(seen, SERVICE_S), 0)
    assert model is not None
    assert [quantile.level for quantile in model.quantiles] == [0.5, 0.9, 0.95, 0.99]
    own = fresh.variant == 0
    work = outstanding_work(fresh, SERVICE_S)[own]
    for quantile in model.quantiles:
        told = [model.quantile(quantile.level, at) for at in work]
        slower = float((fresh.latency_s[own] > told).mean())
        nominal = 1 - quantile.level
        assert slower == pytest.approx(nominal, abs=0.3 * nominal + 0.005)
        assert quantile.exceeded == pytest.approx(nominal, abs=0.3 * nominal + 0.005)


def test_the_stated_error_is_out_of_sample() -> None:
    """A machine that became slower in its last fifth: the error shows it, the fit would not."""
    rng = np.random.default_rng(5)
    latency = rng.uniform(0.01, 0.02, 2000)
    latency[1600:] += 0.1
    seen = timed(np.arange(2000.0), latency, variant=[0] * 2000)
    model = under_load(seen, np.zeros(2000), 0)
    assert model is not None
    assert [quantile.exceeded_open for quantile in model.quantiles] == [
        quantile.exceeded for quantile in model.quantiles
    ]
    at_90 = next(quantile for quantile in model.quantiles if quantile.level == 0.9)
    assert at_90.exceeded > 0.15
    assert (latency > at_90.latency_s[0]).mean() == pytest.approx(0.1, abs=0.001)


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1), st.integers(20, 1500), st.sampled_from([0.0, 0.3, 1.0]))
def test_it_is_monotone_in_work_and_quantiles_do_not_cross(seed: int, n: int, ties: float) -> None:
    """For any latencies, those that fall with the work too: the schema refuses anything else."""
    rng = np.random.default_rng(seed)
    work = np.where(rng.random(n) < ties, rng.integers(3, size=n), rng.exponential(1, n))
    latency = rng.lognormal(0, 1, n) * rng.choice([1 / (0.1 + work), 1 + work])
    seen = timed(np.arange(float(n)), latency, variant=[0] * n)
    model = under_load(seen, work, 0)
    assert model is not None
    assert len(model.outstanding_s) <= 2 * 33
    assert model.outstanding_s[0] == work.min()
    assert model.outstanding_s[-1] == work.max()
    for quantile in model.quantiles:
        assert latency.min() <= quantile.latency_s[0] <= quantile.latency_s[-1] <= latency.max()


def test_a_level_needs_ten_slower_requests() -> None:
    """With 200 requests the 95 % quantile is told, with 199 only the 90 %."""
    for n, highest in ((20, 0.5), (199, 0.9), (200, 0.95), (1000, 0.99), (10_000, 0.999)):
        seen = timed(np.arange(float(n)), np.linspace(0.01, 0.02, n), variant=[0] * n)
        model = under_load(seen, np.zeros(n), 0)
        assert model is not None
        assert model.quantiles[-1].level == highest


def test_the_error_in_an_open_loop_is_told_by_itself() -> None:
    """A tenth of the requests, in an open loop, are slower than all others: nearly all exceed."""
    n = 1000
    latency = np.random.default_rng(6).uniform(0.01, 0.02, n)
    seen = timed(np.arange(float(n)), latency, variant=[0] * n)
    is_open = np.arange(n) % 10 == 0
    closed = replace(
        seen,
        rate=np.where(is_open, 5.0, 0.0),
        latency_s=np.where(is_open, latency + 1, latency),
    )
    model = under_load(closed, np.zeros(n), 0)
    assert model is not None
    median = model.quantiles[0]
    assert median.exceeded == pytest.approx(0.5, abs=0.05)
    assert median.exceeded_open == 1.0
    without = under_load(replace(seen, rate=np.zeros(n)), np.zeros(n), 0)
    assert without is not None
    assert without.quantiles[0].exceeded_open is None


def test_too_little_is_no_model() -> None:
    """Fewer than twenty answers, or a single round, in which nothing is out of sample."""
    few = timed(np.arange(19.0), np.ones(19), variant=[0] * 19)
    assert under_load(few, np.zeros(19), 0) is None
    one_round = timed(np.arange(99.0), np.ones(99), variant=[0] * 99, rounds=1)
    assert under_load(one_round, np.zeros(99), 0) is None
    assert under_load(few, np.zeros(19), 1) is None


def test_failed_requests_have_no_latency() -> None:
    """The quantiles are of those answered, as the shares of failures are told elsewhere."""
    latency = np.where(np.arange(100) % 4 == 0, np.inf, 0.01)
    seen = timed(np.arange(100.0), latency, variant=[0] * 100)
    model = under_load(seen, np.zeros(100), 0)
    assert model is not None
    assert model.quantile(0.5, 0) == 0.01


def test_equal_latencies_are_known_exactly() -> None:
    """No spread: every quantile is the one latency, and nothing exceeds it."""
    seen = timed(np.arange(400.0), np.full(400, 0.01), variant=[0] * 400)
    model = under_load(seen, np.zeros(400), 0)
    assert model is not None
    assert model.outstanding_s == (0.0,)
    assert [quantile.latency_s for quantile in model.quantiles] == [(0.01,)] * 3
    assert [quantile.exceeded for quantile in model.quantiles] == [0.0] * 3

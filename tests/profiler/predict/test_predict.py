"""Predicting from a record, by any method."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.predict.predict import METHODS, Method, predict, predict_record
from profiler.predict.record import Record, record_of
from profiler.record.evidence import Evidence, Timed
from tests.profiler.predict.streams import bursts

DEADLINES = [0.012, 0.02, 0.1]


def record(latency_s: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Record:
    """Timed requests of 100 samples in turn, every tenth answered wrong."""
    score = (np.arange(100) % 10 > 0).astype(np.float64)
    return Record(score, np.arange(len(latency_s)) % 100, latency_s)


def slow_in_bursts(size: int) -> Record:
    """3 times slower 5 % of the time, in bursts of about 20 requests."""
    return record(bursts(0.05, 20.0)(np.random.default_rng(0), size))


@pytest.mark.parametrize("method", METHODS)
def test_all_deadlines_at_once_are_each_by_itself(method: Method) -> None:
    """And a deadline that allows more time has no less quality."""
    seen = slow_in_bursts(1500)
    together = predict_record(seen, DEADLINES, requests=500, method=method)
    for deadline, predicted in zip(DEADLINES, together, strict=True):
        [alone] = predict_record(seen, [deadline], requests=500, method=method)
        assert alone.model_dump() == pytest.approx(predicted.model_dump(), abs=1e-6)
    assert [p.mean for p in together] == sorted(p.mean for p in together)


@pytest.mark.parametrize("method", METHODS)
def test_prediction_is_the_same_every_time(method: Method) -> None:
    """No randomness but the seeded one."""
    seen = slow_in_bursts(1000)
    first = predict_record(seen, DEADLINES, requests=200, method=method, seed=5)
    assert first == predict_record(seen, DEADLINES, requests=200, method=method, seed=5)


@given(
    st.lists(st.sampled_from([0.01, 0.015, 0.05, np.inf]), min_size=1, max_size=60),
    st.integers(1, 300),
    st.sampled_from(METHODS),
)
def test_any_record_gives_an_ordered_prediction(
    latency: list[float], requests: int, method: Method
) -> None:
    """0 <= 1 % tail <= 5 % tail <= quality without a deadline, whatever was measured."""
    seen = record(np.array(latency))
    for predicted in predict_record(seen, DEADLINES, requests=requests, method=method):
        assert 0 <= predicted.tail_1 <= predicted.tail_5 <= 1
        assert predicted.mean <= 1
        assert predicted.requests == requests


def test_more_measuring_narrows_the_interval() -> None:
    """By about the root of the requests."""
    wide, narrow = (
        predict_record(slow_in_bursts(size), [0.02], requests=1000)[0].half_width
        for size in (5000, 80_000)
    )
    assert narrow < wide / 2


def test_short_rounds_have_lower_tails() -> None:
    """One burst is a greater share of them."""
    seen = slow_in_bursts(20_000)
    tails = [predict_record(seen, [0.02], requests=n)[0].tail_5 for n in (100, 1000, 10_000)]
    assert tails == sorted(tails)


def test_what_was_never_late_is_not_promised_never_to_be() -> None:
    """After 100 requests in time the 1 % tail still allows for late ones, after a million not."""
    few, many = (
        predict_record(record(np.full(size, 0.01)), [0.02], requests=1000)[0]
        for size in (100, 1_000_000)
    )
    assert few.mean == pytest.approx(0.9)
    assert few.tail_1 < 0.89
    assert many.tail_1 == pytest.approx(0.9, abs=1e-3)


def evidence(order: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> Evidence:
    """Two variants at load 1; requests sent in `order`, those sent last late for the second."""
    size = len(order)
    sent = np.stack([order, order], axis=1).astype(np.float64)
    late = np.where(sent >= size - 100, 0.05, 0.01)
    late[:, 0] = 0.01
    rounds = np.arange(size) // 10
    return Evidence(
        ("fast", "slow"),
        np.ones((size, 2)),
        np.ones((size, 2)),
        np.ones(2),
        {1: Timed(rounds, np.arange(size), sent, late)},
    )


def test_the_record_is_in_the_order_of_sending() -> None:
    """However the rows were kept: late neighbours stay neighbours."""
    order = np.random.default_rng(0).permutation(2000)
    shuffled = record_of(evidence(order), 1, 1)
    assert np.all(shuffled.latency_s[:-100] == 0.01)
    assert np.all(shuffled.latency_s[-100:] == 0.05)


def test_prediction_of_a_profile_is_for_as_many_requests_as_samples() -> None:
    """If nothing else is asked; of the variant and load asked for."""
    measured = evidence(np.arange(2000))
    [fast], [slow] = (predict(measured, variant, 1, [0.02]) for variant in (0, 1))
    assert fast.requests == 2000
    assert (fast.mean, slow.mean) == pytest.approx((1.0, 0.95))
    assert slow.tail_5 < predict(measured, 1, 1, [0.02], method="independent")[0].tail_5 - 0.05

"""How each variant does."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.live import names
from gateway.live.glance import variants
from gateway.live.glance.variants import stability_index
from tests.gateway.live.glance.told import TABLE, ended, numbers, points

SHARES = st.lists(st.floats(0.01, 1), min_size=4, max_size=4).map(
    lambda weights: [weight / sum(weights) for weight in weights]
)


def confidences(*bins: float, variant: str = "large") -> list[names.Point]:
    return points(names.CONFIDENCE, {(variant, str(n)): count for n, count in enumerate(bins)})


def test_a_variant_is_told_beside_its_profile() -> None:
    """Now: load, limit, correction, fingerprint. In the window: share, latency, confidence."""
    now = numbers(
        [
            (names.IN_FLIGHT, ("large",), 3),
            (names.LIMIT, ("large",), 8),
            (names.CORRECTION, ("large",), 1.25),
            (names.FINGERPRINT, ("large",), 0),
            (names.ABSENT, ("large",), 0),
            (names.ABSENT, ("small",), 1),
        ]
    )
    recent = numbers(
        [
            *ended({"on_time": 20, "rescued": 5, "best_effort": 5, "late": 100}),
            *ended({"on_time": 90}, tier="fast", variant="small"),
            (names.COMPARED, ("large",), 200),
            (names.BEYOND, ("large", "0.99"), 8),
            (names.BEYOND, ("large", "0.5"), 120),
            *confidences(300, 300, 300, 300),
        ]
    )
    large, small = variants.views(now, recent, TABLE)
    assert (large.name, large.share, large.in_flight, large.limit) == ("large", 0.25, 3, 8)
    assert (large.correction, large.as_profiled, large.absent) == (1.25, False, False)
    assert large.slower == 0.04
    assert large.expected_slower == pytest.approx(0.01)
    assert large.drift == 0
    assert (small.share, small.limit, small.correction) == (0.75, None, None)
    assert (small.as_profiled, small.absent) == (None, True)
    assert (small.slower, small.drift) == (None, None)


def test_few_answers_do_not_tell_of_drift() -> None:
    """With 499 it may be chance; with 500 it is told."""
    recent = numbers([*confidences(499, 0, 0, 0), *confidences(500, 0, 0, 0, variant="small")])
    assert variants.drifts(recent, TABLE).keys() == {"small"}


@given(SHARES, SHARES)
def test_the_stability_index_is_no_distance_but_like_one(a: list[float], b: list[float]) -> None:
    """Not negative, 0 of the same, symmetric: Jeffreys' divergence."""
    assert stability_index(a, a) == 0
    assert stability_index(a, b) == pytest.approx(stability_index(b, a))
    jeffreys = sum(p * np.log(p / q) + q * np.log(q / p) for p, q in zip(a, b, strict=True))
    assert stability_index(a, b) == pytest.approx(jeffreys, abs=1e-12)
    assert stability_index(a, b) >= -1e-12


def test_the_stability_index_of_no_drift_is_as_theory_has_it() -> None:
    """(bins - 1) / answers on average, as of chi-squared; so 500 answers are far from a quarter."""
    draw = np.random.default_rng(1)
    share = [1 / 15] * 15
    found = [
        stability_index((draw.multinomial(500, share) / 500).tolist(), share) for _ in range(2000)
    ]
    assert np.mean(found) == pytest.approx(14 / 500, rel=0.1)
    assert max(found) < 0.25


def test_an_empty_bin_counts_as_a_thousandth() -> None:
    """Otherwise it would be infinite."""
    moved = [stability_index((1 - share, share), (0.5, 0.5)) for share in (0.1, 0.01, 0.0)]
    assert all(less < more for less, more in pairwise(moved))
    assert moved[-1] == pytest.approx(0.5 * np.log(2) - 0.5 * np.log(0.002))

"""All that /v1/live says."""

from dataclasses import replace

import pytest

from gateway.live import families, names
from gateway.live.glance import glance
from gateway.live.histogram import Histogram
from gateway.live.history import History
from gateway.live.names import Point
from gateway.live.view import LiveView
from tests.gateway.live.glance.told import TABLE, ended, history, judged, of

NOW = TABLE.conditions.measured.timestamp() + 86400


def rounds(*qualities: float) -> list[Point]:
    filled = Histogram((0.8, 0.9, 0.95, 1.0))
    for quality in qualities:
        filled.observe(quality)
    return [(names.ROUND, ("gold", "expected"), filled)]


def held(evidence: float, lower: float = 0.9, upper: float = 0.95) -> list[Point]:
    key = ("gold", "expected")
    return [(names.EVIDENCE, key, evidence), (names.LOWER, key, lower), (names.UPPER, key, upper)]


BEFORE = [
    *ended({"on_time": 900, "late": 0, "cancelled": 0}),
    *judged(900, 0.95, 0.93),
    *rounds(*[0.94] * 9),
    *held(0.1),
]
AFTER = [
    *ended({"on_time": 980, "late": 20, "cancelled": 7}),
    *judged(1000, 0.94, 0.93),
    *rounds(*[0.94] * 9, 0.85),
    *held(0.5),
]


def seen(*told: list[Point]) -> LiveView:
    """After a history of these steps, all but the last, which is how things stand now."""
    return glance(of(told[-1]), history(*told[:-1]), TABLE, NOW)


def test_a_tier_is_told_since_the_start_and_in_the_window() -> None:
    """What was added: 80 answers in time and 20 late ones, of which 85 % were worth something."""
    gold, fast = seen(BEFORE, BEFORE, AFTER).tiers
    assert (gold.name, gold.deadline_s, gold.promise) == ("gold", 0.2, 0.93)
    assert gold.profiled == pytest.approx(0.94)
    assert gold.profiled_tail_5 == 0.85
    start, window = gold.since_start, gold.window
    assert start.by_outcome == {"on_time": 980, "late": 20, "cancelled": 7}
    assert (start.judged["expected"], start.on_time) == (1000, 0.98)
    assert start.delivered == {
        "expected": pytest.approx(0.94, abs=1e-6),
        "feedback": None,
        "probe": None,
    }
    assert window.by_outcome == {"on_time": 80, "late": 20, "cancelled": 7}
    assert (window.judged["expected"], window.on_time) == (100, 0.8)
    assert window.delivered["expected"] == pytest.approx(0.85, abs=1e-6)
    assert window.promised == pytest.approx(0.93, abs=1e-6)
    # One round, between 0.8 and 0.9; since the start it is one of ten, the others up to 0.95.
    assert window.tail_5 == pytest.approx(0.805)
    assert start.tail_5 == pytest.approx(0.85)
    assert gold.evidence == {"expected": 0.5}
    assert gold.interval == {"expected": (0.9, 0.95)}
    assert fast.profiled_tail_5 == 0.87  # no rounds are foretold: the profile's own


def test_the_history_is_of_a_quarter_of_an_hour() -> None:
    """A point a step, the mean of the minute before it; None where nothing was judged."""
    steps = [judged(10.0 * n, 0.9, 0.93) for n in range(20)]
    better = judged(200, 0.905, 0.93)
    gold, _ = seen(*steps, *[better] * 15).tiers
    assert gold.history == [None] * 147 + [
        *[pytest.approx(0.9, abs=1e-6)] * 19,
        # Ten right ones more, beside what 11, 10, ... 0 steps before them brought; then nothing.
        *[pytest.approx((10 + 9 * n) / (10 + 10 * n), abs=1e-6) for n in range(11, -1, -1)],
        *[None] * 2,
    ]


def test_the_history_has_no_more_points_however_long_it_went() -> None:
    """And the oldest one is of a whole minute, as all others are."""
    brought = [0.0] * 20 + [12.0] + [0.0] * 190
    counts = [sum(brought[:n]) for n in range(len(brought) + 1)]
    points = [
        seen(*(judged(n, 0.9, 0.93) for n in counts[:end])).tiers[0].history
        for end in (190, 203, 204, 205)
    ]
    assert {len(line) for line in points} == {180}
    known = [sum(value is not None for value in line) for line in points]
    assert known == [12, 11, 10, 9]


@pytest.mark.parametrize(
    ("told", "verdict"),
    [
        (AFTER, "below"),
        ([*AFTER[:-3], *held(1.0)], "broken"),
        (BEFORE, "idle"),
        ([*ended({"on_time": 950}), *judged(950, 0.95, 0.93), *held(0.9)], "kept"),
        # Of one whose deadline was tighter than any that is promised.
        ([*ended({"on_time": 901}), *judged(900, 0.95, 0.93), *held(0.9)], "idle"),
    ],
)
def test_the_verdict(told: list[Point], verdict: str) -> None:
    """Broken is proven; below is of the window; idle is nobody; kept is the rest."""
    gold = seen(BEFORE, told).tiers[0]
    assert gold.verdict == verdict
    assert gold.told_by == (["expected"] if verdict in ("below", "broken") else [])


def test_labels_alone_can_prove_it_broken() -> None:
    """Whatever is expected without them."""
    told = [*AFTER, (names.EVIDENCE, ("gold", "probe"), 2.0)]
    told += [(names.LOWER, ("gold", "probe"), 0.5), (names.UPPER, ("gold", "probe"), 0.6)]
    gold = seen(BEFORE, told).tiers[0]
    assert (gold.verdict, gold.told_by) == ("broken", ["probe"])


def test_of_two_processes_it_is_the_sum() -> None:
    """Requests, judged ones and rounds add up; evidence is the mean, the interval holds both."""
    one, other = of(AFTER), of([*BEFORE[:-3], *held(0.1, 0.91, 0.97)])
    gold, _ = glance(families.merge((one, other)), History(), TABLE, NOW).tiers
    assert gold.since_start.by_outcome == {"on_time": 1880, "late": 20, "cancelled": 7}
    assert gold.since_start.judged["expected"] == 1900
    expected = (1000 * 0.94 + 900 * 0.95) / 1900
    assert gold.since_start.delivered["expected"] == pytest.approx(expected, abs=1e-6)
    assert gold.evidence == {"expected": pytest.approx(0.3)}
    assert gold.interval == {"expected": (0.9, 0.97)}


def test_a_gateway_that_has_just_started_tells_what_it_is_to_do() -> None:
    """Promises, no figures, no troubles, and no division by nothing."""
    view = glance({}, History(), TABLE, NOW)
    assert [tier.verdict for tier in view.tiers] == ["idle", "idle"]
    assert view.tiers[0].window.on_time is None
    assert view.tiers[0].history == [None] * 180
    assert (view.service, view.confidence, view.troubles) == ("fashion", 0.95, [])
    assert (view.window_s, view.step_s, view.point_s) == (300, 5, 60)


def test_what_other_tiers_left_behind_is_not_shown() -> None:
    """A tier that a reload took away has counters, and no place in the view."""
    told = [*AFTER, *ended({"on_time": 10}, tier="gone"), *judged(10, 0.9, 0.9, tier="gone")]
    view = seen(BEFORE, told)
    assert [tier.name for tier in view.tiers] == ["gold", "fast"]
    assert replace(view.tiers[0]) == seen(BEFORE, AFTER).tiers[0]

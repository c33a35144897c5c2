"""The verdict: promise beside delivery, late and failed answers counting as none."""

import pytest

from loadtest.openloop import Reply
from loadtest.report import judge
from tests.tables import promise, table, tier

TABLE = table(tier("gold", 0.01, promise("large", 0.1, quality=0.9)))


def replies(right: int, wrong: int = 0, late: int = 0, failed: int = 0) -> list[Reply]:
    """So many replies of each kind."""
    return (
        [Reply("gold", 0.05, True, "large", "on_time")] * right
        + [Reply("gold", 0.05, False, "large", "on_time")] * wrong
        + [Reply("gold", 0.15, True, "large", "on_time")] * late
        + [Reply("gold", 0.1, False, None, "error", "[504] late")] * failed
    )


def test_only_right_answers_in_time_are_delivered() -> None:
    """Wrong, late and failed requests stay in the denominator and deliver nothing."""
    gold = judge(TABLE, replies(right=95, wrong=2, late=2, failed=1), 60).tiers["gold"]
    assert (gold.requests, gold.delivered, gold.on_time) == (100, 0.95, 0.97)
    assert gold.interval[0] < 0.95 < gold.interval[1]
    assert gold.variants == {"large": 99}
    assert gold.kept


def test_a_delivery_that_refutes_the_promise_breaks_it() -> None:
    """A promise is broken when even the upper end of the interval falls short of it."""
    report = judge(TABLE, replies(right=850, wrong=150), 60)
    assert not report.tiers["gold"].kept
    assert not report.kept


def test_lateness_alone_breaks_a_promise() -> None:
    """Right answers that come late do not count."""
    assert not judge(TABLE, replies(right=800, late=200), 60).kept


@pytest.mark.parametrize("sent", [[], replies(right=0, failed=50)])
def test_a_tier_without_answers_is_not_kept(sent: list[Reply]) -> None:
    """No requests prove nothing, and no answers break everything."""
    report = judge(TABLE, sent, 60)
    assert not report.kept
    assert report.tiers["gold"].p50_s is None


def test_errors_are_counted_by_their_text() -> None:
    """The report says what went wrong and how often."""
    assert judge(TABLE, replies(right=1, failed=3), 60).errors == {"[504] late": 3}

"""The verdict: promise beside delivery, late and failed answers counting as none."""

from io import StringIO

import pytest
from rich.console import Console

from loadtest.openloop import Reply
from loadtest.report import Report, as_table, judge
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


def test_a_rescued_answer_counts_and_a_shed_request_does_not() -> None:
    """What matters is what was answered and when, not which part of a plan answered."""
    rescued = [Reply("gold", 0.09, True, "small", "rescued")] * 90
    shed = [Reply("gold", 0.001, False, None, "error", "[503] too many")] * 10
    gold = judge(TABLE, [*rescued, *shed], 60).tiers["gold"]
    assert gold.delivered == gold.on_time == 0.9
    assert gold.outcomes == {"rescued": 90, "error": 10}


def shown(report: Report) -> str:
    """The table on a terminal of 80 columns."""
    console = Console(width=80, file=StringIO())
    console.print(as_table(report))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("live", [None, {"gold": {"expected": 0.987, "feedback": 0.9}}])
def test_the_table_fits_a_terminal_of_80_columns(live: dict[str, dict[str, float]] | None) -> None:
    """However many variants answered: figures and verdict are legible, the most frequent named."""
    names = ("large", "medium_int8", "medium", "small")
    replies = [
        Reply("gold", 0.0123, True, f"fashion_{name}", "on_time")
        for times, name in zip((8, 6, 4, 2), names, strict=True)
        for _ in range(times)
    ]
    text = shown(judge(TABLE, replies, 60, live))
    for whole in ("promised", "delivered", "100.0 (83.2–100.0)", "12/12", "kept", *names[:3]):
        assert whole in text
    assert "small" not in text
    assert ("98.7" in text) == (live is not None)


def test_what_the_gateway_says_stands_beside_what_its_clients_saw() -> None:
    """An answer that was in time for the gateway is right, though it reached a client late."""
    live = {"gold": {"expected": 0.93, "probe": 1.0}, "gone": {"expected": 0.1}}
    report = judge(TABLE, replies(right=90, late=5, failed=5), 60, live, {"taken": 3})
    gold = report.tiers["gold"]
    assert (gold.delivered, gold.right) == (0.9, 0.95)
    assert gold.live == {"expected": 0.93, "probe": 1.0}
    assert report.feedback == {"taken": 3}
    assert "93.0" in shown(report)


def test_a_tier_of_which_the_gateway_says_nothing_has_a_dash() -> None:
    """Where others have a figure."""
    two = table(*TABLE.tiers, tier("silver", 0.05, promise("large", 0.1)))
    text = shown(judge(two, replies(right=10), 60, {"gold": {"expected": 0.5}}))
    assert "50.0" in text
    assert "–" in text.split("silver")[1].split("BROKEN")[0].split(")")[1]


def test_errors_are_counted_by_their_text() -> None:
    """The report says what went wrong and how often."""
    assert judge(TABLE, replies(right=1, failed=3), 60).errors == {"[504] late": 3}

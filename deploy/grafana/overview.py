"""Is each tier's promise kept? The first dashboard an operator looks at."""

from grafana_foundation_sdk.builders import common, stat, table, timeseries
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.models.common import ScaleDistribution

from deploy.grafana import traffic
from deploy.grafana.frame import OF_TIERS, OVERVIEW, PROFILE, RUNBOOK, framed, sources, tiers
from deploy.grafana.panels import (
    CALM,
    PLAIN,
    RATIO,
    SECONDS,
    Query,
    Said,
    colored,
    column,
    dashed,
    leading,
    lines,
    number,
    rows,
)

_BY = f'{OF_TIERS},source=~"$source"'
_EXPECTED = f'{OF_TIERS},source="expected"'
_FEEDBACK = f'{OF_TIERS},source="feedback"'
_PROBE = f'{OF_TIERS},source="probe"'
_OR_NONE = 'service=~"$service|"'  # some alerts are of no service
_IDLE = "Nothing was judged in this time"
_DELIVERED = "service_tier_source:tailq_quality_delivered:ratio_rate5m"
_PROMISED = "service_tier_source:tailq_quality_promised:ratio_rate5m"
_EVIDENCE = "service_tier_source:tailq_promise_evidence:avg"
_BURN = "service_tier_source:tailq_error_budget:burn_rate30m"
_BUDGET = [(None, "red"), (0, "yellow"), (0.25, "green")]


def dashboard() -> builders.Dashboard:
    """Promise beside delivery."""
    board = framed(
        OVERVIEW,
        "What each tier promised and what its clients got, within seconds and without labels.",
        tiers(),
        sources(),
    )
    board = board.with_row(builders.Row("Now")).with_panel(_tiers()).with_panel(_alerts())
    board = board.with_panel(_budget()).with_row(builders.Row("Promise and delivery"))
    board = board.with_panel(_promise()).with_panel(_evidence()).with_panel(_burning())
    board = board.with_row(builders.Row("The tail: the worst rounds of 100 requests"))
    board = board.with_panel(_tail("5 %", "05")).with_panel(_tail("1 %", "01"))
    return traffic.onto(board)


def _tiers() -> table.Panel:
    said = Said(
        "Tiers in the last 5 minutes (good: delivered at or above promised)",
        "What each tier promises, and the mean quality at the deadline that its clients got: "
        "expected by the confidence of every answer, known by feedback and by probes. Late, shed "
        "and failed requests count 0. Evidence of 1 or more proves that the promise is broken; "
        "below promised without evidence may be chance.",
        RATIO,
        "No tier has been served in this time",
        width=24,
    )
    panel = rows(
        said,
        {"tier": "Tier"},
        Query(f"max by (tier) (tailq_promise_ratio{{{OF_TIERS}}})", "Promised"),
        Query(f"max by (tier) ({_DELIVERED}{{{_EXPECTED}}})", "Delivered (expected)"),
        Query(f"max by (tier) ({_DELIVERED}{{{_FEEDBACK}}})", "Delivered (feedback)"),
        Query(f"max by (tier) ({_DELIVERED}{{{_PROBE}}})", "Delivered (probes)"),
        Query(f"max by (tier) ({_EVIDENCE}{{{_BY}}})", "Evidence against"),
        Query(f"max by (tier) ({traffic.IN_TIME})", "In time"),
        Query(f"max by (tier) ({_tail_quality('05')})", "Tail 5 %"),
        Query(f"max by (tier) ({_tail_quality('01')})", "Tail 1 %"),
        Query(_budget_left(), "Budget left"),
        Query(f"max by (tier) (tailq_tier_deadline_seconds{{{OF_TIERS}}})", "Deadline"),
    )
    panel = column(panel, "Evidence against", PLAIN, CALM)
    panel = column(panel, "Budget left", RATIO, _BUDGET)
    panel = column(panel, "Deadline", SECONDS)
    url = f"/d/{PROFILE}?var-service=${{service}}&var-tier=${{__value.text}}&${{__url_time_range}}"
    return leading(panel, "Tier", "What the profile foretells of it", url)


def _alerts() -> table.Panel:
    said = Said(
        "Alerts that fire now (good: none)",
        "Page: look now. Ticket: in working hours. The name links to its runbook.",
        PLAIN,
        "No alert fires",
        height=6,
    )
    by = {"alertname": "alert", "severity": "severity", "tier": "tier", "variant": "variant"}
    labels = f"({', '.join(by)})"
    since = f'ALERTS_FOR_STATE{{alertname=~"Tailq.+",{_OR_NONE}}}'
    firing = f'ALERTS{{alertname=~"Tailq.+",alertstate="firing",{_OR_NONE}}}'
    lasting = f"time() - min by {labels} ({since} and ignoring (alertstate) {firing})"
    panel = column(rows(said, by, Query(lasting, "for")), "for", SECONDS)
    return leading(panel, "alert", "Runbook", RUNBOOK)


def _budget() -> stat.Panel:
    said = Said(
        "Error budget left in the time shown (good: above 0)",
        "Of the quality that a tier's promise allows to be lost (1 - promised), the share not lost "
        "yet, by expected quality. Below 0 the promise was not kept in this time, which may still "
        "be chance: see the evidence.",
        RATIO,
        _IDLE,
        height=6,
    )
    return number(said, Query(_budget_left(), "{{tier}}"), _BUDGET)


def _promise() -> timeseries.Panel:
    said = Said(
        "Promise and delivery of $tier (good: delivered at or above promised)",
        "Mean quality at the deadline over the last 5 minutes, by how it is known, and what was "
        "promised to the same requests. Feedback is of the requests that clients told the label "
        "of, so it is of others, and later. Red marks are alerts.",
        RATIO,
        _IDLE,
        width=24,
        height=9,
    )
    panel = lines(
        said,
        Query(f"{_PROMISED}{{{_EXPECTED}}}", "promised"),
        Query(f"{_DELIVERED}{{{_BY}}}", "delivered, {{source}}"),
    )
    return colored(panel).repeat("tier").repeat_direction("h").max_per_row(2)


def _evidence() -> timeseries.Panel:
    said = Said(
        "Evidence that a promise is broken (good: below 1)",
        "Grows while less is delivered than promised and shrinks again. At 1 the promise is "
        "broken: however long one watches, that is said falsely with at most the probability "
        "that the tier table leaves (1 - its confidence), all tiers and sources together. Of "
        "several gateways it is the mean.",
        PLAIN,
        _IDLE,
    )
    panel = lines(said, Query(f"{_EVIDENCE}{{{_BY}}}", "{{tier}}, {{source}}"), limits=CALM)
    logarithmic = common.ScaleDistributionConfig().type(ScaleDistribution.LOG).log(10)
    return panel.scale_distribution(logarithmic)


def _burning() -> timeseries.Panel:
    said = Said(
        "Error budget that is used, times what is allowed (good: 1 or below)",
        "Quality that was lost over what the promise allows to be lost, in the last 30 minutes. "
        "Above 2, and still, it pages; chance is ruled out by a least number of requests.",
        PLAIN,
        _IDLE,
    )
    limits = [(None, "green"), (1, "yellow"), (2, "red")]
    return lines(said, Query(f"{_BURN}{{{_BY}}}", "{{tier}}, {{source}}"), limits=limits)


def _tail(name: str, level: str) -> timeseries.Panel:
    said = Said(
        f"Tail quality: the worst {name} of rounds (good: at or above the profile's)",
        f"All but the worst {name} of rounds of 100 requests had at least this expected quality in "
        "the last hour; beside it what the profile foretells of the tier's own plan at the load "
        "that is worst for it. The mean may be kept while the tail is not.",
        RATIO,
        "No round of 100 requests has ended in the last hour",
    )
    foretold = f'tailq_profiled_round_quality_ratio{{{OF_TIERS},level="0.{level}"}}'
    panel = lines(
        said,
        Query(f"max by (tier) ({foretold})", "profile, {{tier}}"),
        Query(_tail_quality(level), "delivered, {{tier}}"),
    )
    return dashed(panel, "profile")


def _tail_quality(level: str) -> str:
    """Quality that all but the worst rounds of the last hour reached."""
    return f"service_tier_source:tailq_round_quality:p{level}_rate1h{{{_EXPECTED}}}"


def _budget_left() -> str:
    """Of the quality that may be lost, the share that is not, over the time shown."""
    judged, delivered, promised = (
        f"sum by (tier) (increase(tailq_quality_{name}_total{{{_EXPECTED}}}[$__range]))"
        for name in ("judged", "delivered", "promised")
    )
    return f"1 - ({judged} - {delivered}) / ({judged} - {promised} > 0)"

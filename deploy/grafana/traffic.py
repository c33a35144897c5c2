"""How requests end, by tier: panels of the overview."""

from typing import Final

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.builders import timeseries

from deploy.grafana.frame import OF_TIERS
from deploy.grafana.panels import RATIO, SECONDS, Query, Said, dashed, lines, shares

IN_TIME: Final = f"service_tier:tailq_requests_in_time:ratio_rate5m{{{OF_TIERS}}}"
_IDLE = "No requests in this time"


def onto(board: builders.Dashboard) -> builders.Dashboard:
    """With these panels below."""
    board = board.with_row(builders.Row("Requests"))
    board = board.with_panel(_in_time()).with_panel(_outcomes()).with_panel(_mix())
    return board.with_panel(_exceptions()).with_panel(_latency()).with_panel(_rate())


def _in_time() -> timeseries.Panel:
    said = Said(
        "Answered by the deadline (good: nearly 100 %)",
        "Share of requests with an answer in time, under a promise or on best effort. Invalid "
        "and cancelled requests are left out.",
        RATIO,
        _IDLE,
    )
    return lines(said, Query(IN_TIME, "{{tier}}")).max(1)


def _outcomes() -> timeseries.Panel:
    said = Said(
        "How requests end (good: on_time)",
        "Outcomes of all tiers shown, as shares. Rescued ones are kept promises, too.",
        RATIO,
        _IDLE,
    )
    ended = f'rate(tailq_requests_total{{{OF_TIERS},outcome!~"invalid|cancelled"}}[5m])'
    share = f"sum by (outcome) ({ended}) / on () group_left () (sum ({ended}) > 0)"
    return shares(said, Query(share, "{{outcome}}"))


def _mix() -> timeseries.Panel:
    said = Said(
        "Which variants answer (good: those that are planned)",
        "Share of the answers in time by variant. It moves with the load: what is foreseen to be "
        "late is left for another plan that keeps the promise.",
        RATIO,
        _IDLE,
    )
    answered = f'tailq_requests_total{{{OF_TIERS},outcome=~"on_time|rescued|best_effort"}}'
    rate = f"rate({answered}[5m])"
    share = f"sum by (variant) ({rate}) / on () group_left () (sum ({rate}) > 0)"
    return shares(said, Query(share, "{{variant}}"))


def _exceptions() -> timeseries.Panel:
    said = Said(
        "Rescued, shed, on best effort (good: below 20 %, 5 %, 10 %)",
        "Shares of requests whose first variant was late, that were not tried, and that were held "
        "to no promise though there is one at their deadline. Above the limits there are tickets.",
        RATIO,
        _IDLE,
    )
    unasked = f"service_tier:tailq_best_effort_unasked:ratio_rate5m{{{OF_TIERS}}}"
    return lines(
        said,
        Query(
            f'service_tier_outcome:tailq_requests:ratio_rate5m{{{OF_TIERS},outcome=~"rescued|shed"}}',
            "{{outcome}}, {{tier}}",
        ),
        Query(unasked, "best effort, {{tier}}"),
    ).min(0)


def _latency() -> timeseries.Panel:
    said = Said(
        "Response time: 99 % of requests (good: below the deadline)",
        "From the head of a request to its answer; late ones are answered at their deadline. "
        "Each deadline is an edge of the histogram. Points are single requests that were traced.",
        SECONDS,
        _IDLE,
    )
    taken = f"rate(tailq_request_duration_seconds_bucket{{{OF_TIERS}}}[5m])"
    quantile = f"histogram_quantile(0.99, sum by (tier, le) ({taken}))"
    deadline = f"max by (tier) (tailq_tier_deadline_seconds{{{OF_TIERS}}})"
    panel = lines(
        said, Query(deadline, "deadline, {{tier}}"), Query(quantile, "99 %, {{tier}}", traced=True)
    )
    return dashed(panel.min(0), "deadline")


def _rate() -> timeseries.Panel:
    said = Said(
        "Requests a second (good: as many as expected)",
        "Of each tier; invalid and cancelled requests are left out.",
        "reqps",
        _IDLE,
    )
    rate = f"service_tier:tailq_requests_counted:rate5m{{{OF_TIERS}}}"
    return lines(said, Query(rate, "{{tier}}")).min(0)

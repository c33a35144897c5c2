"""What all dashboards share: variables, links to each other, alerts drawn in, ranges of time."""

from typing import Final

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from deploy.grafana.panels import DATASOURCE

OVERVIEW: Final = "tailq-overview"
VARIANT: Final = "tailq-variant"
PROFILE: Final = "tailq-profile"
_TITLES: Final = {
    OVERVIEW: "tailq: promise and delivery",
    VARIANT: "tailq: a variant",
    PROFILE: "tailq: the profile and what is live",
}
# What the variables pick.
OF_TIERS: Final = 'service="$service",tier=~"$tier"'
OF_VARIANT: Final = 'service="$service",variant="$variant"'
# Where Grafana itself serves docs/runbooks: mounted into its public folder (deploy/compose).
RUNBOOK: Final = "/public/tailq-runbooks/${__data.fields.alert}.md"


def framed(uid: str, text: str, *variables: builders.QueryVariable) -> builders.Dashboard:
    """An empty dashboard with these variables beside the service."""
    board = builders.Dashboard(_TITLES[uid]).uid(uid).description(text).tags(["tailq"])
    board = board.time("now-1h", "now").refresh("10s").timezone("browser").readonly()
    board = board.tooltip(DashboardCursorSync.CROSSHAIR)
    service = _variable("service", "Service", "label_values(tailq_promise_ratio, service)")
    for variable in (service, *variables):
        board = board.with_variable(variable)
    for other, title in _TITLES.items():
        if other != uid:
            board = board.link(_to(other, title))
    return board.annotation(_alerts())


def tiers() -> builders.QueryVariable:
    """Which tiers to show; all of them at first."""
    query = 'label_values(tailq_promise_ratio{service="$service"}, tier)'
    return _all(_variable("tier", "Tier", query))


def variants() -> builders.QueryVariable:
    """Which variant to show."""
    query = 'label_values(tailq_asks_total{service="$service"}, variant)'
    return _variable("variant", "Variant", query)


def sources() -> builders.QueryVariable:
    """How quality is known: expected, feedback, probe; all of them at first."""
    query = 'label_values(tailq_quality_judged_total{service="$service"}, source)'
    return _all(_variable("source", "Quality by", query))


def _variable(name: str, label: str, query: str) -> builders.QueryVariable:
    variable = builders.QueryVariable(name).label(label).query(query).datasource(DATASOURCE)
    variable = variable.refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
    return variable.sort(VariableSort.ALPHABETICAL_ASC)


def _all(variable: builders.QueryVariable) -> builders.QueryVariable:
    everything = VariableOption(selected=True, text=["All"], value=["$__all"])
    return variable.multi(True).include_all(True).current(everything)


def _to(uid: str, title: str) -> builders.DashboardLink:
    link = builders.DashboardLink(title).type(DashboardLinkType.LINK).url(f"/d/{uid}")
    return link.include_vars(True).keep_time(True).icon("dashboard").tooltip(title)


def _alerts() -> builders.AnnotationQuery:
    """When alerts fired, across the panels."""
    annotation = builders.AnnotationQuery().name("Alerts").datasource(DATASOURCE).enable(True)
    return annotation.icon_color("red").expr(
        'ALERTS{alertname=~"Tailq.+",alertstate="firing",service=~"$service|"}'
    )

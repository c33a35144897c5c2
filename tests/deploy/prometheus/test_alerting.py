"""What alerts look like on the dashboards, on a real Prometheus in which one fires."""

from collections.abc import Iterator

import pytest

from tests.deploy.grafana.dashboards import DASHBOARDS, filled, queries
from tests.prometheus import Prometheus, QueryError
from tests.promql import RULE_FILES

NOBODY = "127.0.0.1:9"  # the port `discard`: nothing listens there


@pytest.fixture(scope="module")
def down(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus whose only gateway is down, and whose alerts do not wait."""
    folder = tmp_path_factory.mktemp("down")
    with Prometheus(folder, {"tailq-gateway": [NOBODY]}, RULE_FILES, hold="0s") as prometheus:
        # Until it knows of the target, there is none at all, which is told as well.
        prometheus.until_true(f'up{{instance="{NOBODY}"}} == 0')
        prometheus.evaluated()
        prometheus.until_firing("TailqGatewayDown")
        yield prometheus


def test_a_gateway_that_is_down_fires_its_alert_only(down: Prometheus) -> None:
    """Where nothing is scraped nothing else is claimed."""
    [alert] = down.alerts()
    assert alert["alertname"] == "TailqGatewayDown"
    assert alert["severity"] == "page"
    assert down.targets() == {NOBODY: "down"}


@pytest.mark.parametrize("where", ["Alerts", "Alerts that fire now (good: none) (A)"])
def test_alerts_that_fire_are_on_the_overview(down: Prometheus, where: str) -> None:
    """The list of alerts and the marks on panels have it, whichever service is looked at."""
    found = [expr for name, expr in queries(DASHBOARDS["tailq-overview"]) if name == where]
    assert len(found) == 1
    expression = filled(found[0], service="fashion")
    down.until_true(expression)
    [sample] = down.query(expression)
    assert sample.labels["alertname"] == "TailqGatewayDown"


def test_a_query_that_is_no_promql_is_refused(down: Prometheus) -> None:
    """The fixture tells of a refused query with Prometheus' own words."""
    with pytest.raises(QueryError, match="unclosed left parenthesis"):
        down.query("sum(")

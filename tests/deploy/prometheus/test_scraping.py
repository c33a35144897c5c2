"""A real Prometheus, real gateways, a real Triton: what dashboards and rules ask for is there."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.live import families
from gateway.live.families import Families
from gateway.live.glance.quantile import quantile
from tests.deploy.grafana.dashboards import DASHBOARDS, filled, queries
from tests.deploy.prometheus.clients import Clients
from tests.deploy.prometheus.conftest import Profiled
from tests.gateway.process import GatewayProcess
from tests.prometheus import Prometheus
from tests.promql import RULE_FILES
from tests.promql import rules as written

pytestmark = pytest.mark.triton

JOB = "tailq-gateway"
TIERS = ("gold", "silver")
# What has no data as long as nothing is wrong; the tests of the rules show that it has, otherwise.
QUIET = {
    *(f"Alerts of {uid}" for uid in DASHBOARDS),
    "Alerts that fire now (good: none) (A) of tailq-overview",
}
# Whatever else runs on this machine may make Triton slower than it was profiled.
TRUE_HERE = {"TailqLatencyDrift"}


@pytest.fixture(scope="module")
def watched(
    profiled: Profiled, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Prometheus, Clients]]:
    """A gateway with probes, under load and with feedback, scraped every second."""
    folder = tmp_path_factory.mktemp("watched")
    options = (f"--probes={profiled.probes}",)
    with (
        GatewayProcess(folder, profiled.tiers, profiled.triton, *options) as gateway,
        Prometheus(folder, {JOB: [address(gateway)]}, RULE_FILES) as prometheus,
    ):
        prometheus.until_up()
        with Clients(gateway, profiled.unseen, TIERS) as clients:
            yield prometheus, clients


def test_every_panel_has_data(watched: tuple[Prometheus, Clients], profiled: Profiled) -> None:
    """Under load each query of each dashboard, for each variant of a tier, answers with numbers."""
    prometheus, _ = watched
    asked = {
        (where, expression)
        for variant in profiled.tiers.variants
        for where, expression in every_query(variant).items()
        if where not in QUIET
    }
    assert len(asked) > 60
    have_data(prometheus, asked)


def test_every_recording_rule_has_data(watched: tuple[Prometheus, Clients]) -> None:
    """Each recorded name has series."""
    prometheus, _ = watched
    recorded = {rule["name"] for rule in prometheus.rules() if rule["type"] == "recording"}
    assert len(recorded) > 40
    have_data(prometheus, {(name, name) for name in recorded - QUIET})


def test_every_rule_is_evaluated_and_none_fires(watched: tuple[Prometheus, Clients]) -> None:
    """With nothing wrong all rules are healthy, no alert fires, and every promise was kept."""
    prometheus, clients = watched
    prometheus.evaluated()
    rules = prometheus.rules()
    assert len(rules) == len(written())
    assert [rule for rule in rules if rule["health"] != "ok"] == []
    assert prometheus.firing() <= TRUE_HERE
    assert clients.outcomes["on_time"] >= 0.95 * clients.outcomes.total() > 0
    assert clients.told > 0


def test_two_gateways_add_up(profiled: Profiled, tmp_path: Path) -> None:
    """What PromQL says of two gateways together is what was sent, and what their pages say.

    Totals are sums, rounds are one histogram, evidence is the mean; no panel shows a gateway of its
    own, unless it says so.
    """
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    one, two = (GatewayProcess(folder, profiled.tiers, profiled.triton) for folder in folders)
    with (
        one,
        two,
        Prometheus(tmp_path, {JOB: [address(one), address(two)]}, RULE_FILES) as prometheus,
    ):
        prometheus.until_up()
        clients = [
            Clients(one, profiled.unseen, TIERS, count=220),
            Clients(two, profiled.unseen, TIERS[:1], count=120),
        ]
        with clients[0], clients[1]:
            for each in clients:
                each.finished()
        prometheus.evaluated()
        pages = [page(gateway) for gateway in (one, two)]
        together = families.merge(pages)
        sent = {"gold": 340.0, "silver": 220.0}
        told = sum(each.told for each in clients)

        assert by_tier(prometheus, "sum by (tier) (tailq_requests_total)") == sent
        assert prometheus.number('sum (tailq_feedback_total{result="taken"})') == told
        for tier in TIERS:
            of = f'tier="{tier}",source="expected"'
            assert prometheus.number(f"sum (tailq_quality_judged_total{{{of}}})") == sent[tier]
            for name in ("judged", "delivered", "promised"):
                total = prometheus.number(f"sum (tailq_quality_{name}_total{{{of}}})")
                assert total == pytest.approx(value(together, f"tailq_quality_{name}_total", tier))
            rounds = f"sum by (le) (tailq_round_quality_ratio_bucket{{{of}}})"
            for level in (0.01, 0.05, 0.5):
                assert prometheus.number(f"histogram_quantile({level}, {rounds})") == (
                    pytest.approx(quantile(level, list(buckets(together, tier).items())))
                )
            evidence = [value(page, "tailq_promise_evidence_ratio", tier) for page in pages]
            mean = prometheus.number(f"service_tier_source:tailq_promise_evidence:avg{{{of}}}")
            assert mean == pytest.approx(sum(evidence) / 2)
        for expression in every_query(min(profiled.tiers.variants)).values():
            apart = any("instance" in sample.labels for sample in prometheus.query(expression))
            assert not apart or "by (instance)" in expression, expression


def every_query(variant: str) -> dict[str, str]:
    """What Grafana asks for all dashboards, by what it is for."""
    return {
        f"{where} of {uid}": filled(expression, service="fashion", variant=variant)
        for uid, dashboard in DASHBOARDS.items()
        for where, expression in queries(dashboard)
    }


def address(gateway: GatewayProcess) -> str:
    """HOST:PORT that is scraped."""
    return gateway.admin.removeprefix("http://")


def have_data(prometheus: Prometheus, asked: set[tuple[str, str]]) -> None:
    """Wait until each of these has data: (what it is for, expression)."""
    missing = set(asked)

    def complete() -> bool:
        missing.difference_update({one for one in missing if prometheus.tells(one[1])})
        return not missing

    try:
        prometheus.until(complete, timeout_s=45)
    except AssertionError:
        pytest.fail("no data:\n" + "\n".join(sorted(f"{name}: {expr}" for name, expr in missing)))


def by_tier(prometheus: Prometheus, expression: str) -> dict[str, float]:
    """The values of an expression that gives one series a tier; no request was of none."""
    return {sample.labels["tier"]: sample.value for sample in prometheus.query(expression)}


def page(gateway: GatewayProcess) -> Families:
    """What a gateway's /metrics says, read by Prometheus' own client library."""
    with urlopen(f"{gateway.admin}/metrics", timeout=20) as answer:
        return families.collected(text_string_to_metric_families(answer.read().decode()))


def value(content: Families, name: str, tier: str) -> float:
    """Of a sample with the source `expected`."""
    [found] = [
        number
        for family in content.values()
        for (sample, labels), number in family.samples.items()
        if sample == name and {("tier", tier), ("source", "expected")} <= set(labels)
    ]
    return found


def buckets(content: Families, tier: str) -> dict[float, float]:
    """Cumulative counts of rounds by upper edge."""
    found: dict[float, float] = defaultdict(float)
    for (sample, labels), number in content["tailq_round_quality_ratio"].samples.items():
        named = dict(labels)
        if sample.endswith("_bucket") and (named["tier"], named["source"]) == (tier, "expected"):
            found[float(named["le"])] += number
    return dict(sorted(found.items()))

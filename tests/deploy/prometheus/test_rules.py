"""The rules are valid, do what their tests say, and ask for what the gateway tells."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from profiler.record.under_load import LEVELS
from tests.promql import FOLDER, RULE_FILES, aggregated, known_labels, rules, selected

TEST_FILES = sorted((FOLDER / "tests").glob("*.yml"))
RUNBOOKS = FOLDER.parents[1] / "docs" / "runbooks"
RULES = rules()
ALERTS = [rule for rule in RULES if "alert" in rule]
RECORDED = [rule for rule in RULES if "record" in rule]

every_rule = pytest.mark.parametrize(
    "rule", RULES, ids=[rule.get("alert") or rule["record"] for rule in RULES]
)
every_alert = pytest.mark.parametrize("alert", ALERTS, ids=[rule["alert"] for rule in ALERTS])


def tool(*command: str | Path) -> None:
    """One of Prometheus's own commands says that all is well."""
    if shutil.which(str(command[0])) is None:
        pytest.skip("needs apt-get install prometheus prometheus-alertmanager (Debian)")
    ended = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_prometheus_accepts_the_configuration() -> None:
    """The configuration, and every rule that it names."""
    tool("promtool", "check", "config", FOLDER / "prometheus.yml")


def test_the_configuration_names_every_file_of_rules() -> None:
    """No file of rules lies there unused."""
    [pattern] = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["rule_files"]
    assert sorted(FOLDER.glob(pattern)) == RULE_FILES


@pytest.mark.parametrize("file", TEST_FILES, ids=lambda path: path.stem)
def test_rules_do_what_their_tests_say(file: Path) -> None:
    """Fire and stay silent, sum over replicas, and survive restarts."""
    tool("promtool", "test", "rules", file)


def test_every_rule_has_a_test_of_its_own() -> None:
    """Each recorded name is queried, and each alert is seen firing with all that it says."""
    tests = [one for file in TEST_FILES for one in yaml.safe_load(file.read_text())["tests"]]
    queried = " ".join(each["expr"] for one in tests for each in one.get("promql_expr_test", ()))
    fired = {
        each["alertname"]
        for one in tests
        for each in one.get("alert_rule_test", ())
        if each.get("exp_alerts")
    }
    assert {rule["record"] for rule in RECORDED if rule["record"] not in queried} == set()
    assert fired == {rule["alert"] for rule in ALERTS}


@every_rule
def test_rules_ask_for_what_there_is(rule: dict[str, Any]) -> None:
    """Every metric is one of names.py or recorded, and has the labels that it is asked by.

    So has everything that is summed by them.
    """
    known = known_labels()
    tree = promql_parser.parse(str(rule["expr"]))
    for name, labels in selected(tree):
        assert name in known
        assert labels <= known[name], f"{name} has no {labels - known[name]}"
    for labels, inner in aggregated(tree):
        offered = set().union(*(known[name] for name, _ in selected(inner)))
        assert labels <= offered, f"nothing has {labels - offered}"


@pytest.mark.parametrize("rule", RECORDED, ids=[rule["record"] for rule in RECORDED])
def test_recorded_names_follow_the_convention(rule: dict[str, Any]) -> None:
    """`level:metric:operations`, the labels that are left first."""
    assert re.fullmatch(r"[a-z_]+:tailq_[a-z_]+:[a-z0-9_]+", rule["record"])


def test_what_is_foretold_is_known_for_every_quantile_of_the_profile() -> None:
    """PromQL cannot compute with a label, so the rules have 1 - quantile for each of them."""
    foretold = {
        rule["labels"]["level"]: rule["expr"]
        for rule in RECORDED
        if rule["record"] == "level:tailq_latency_beyond:foretold"
    }
    assert foretold == {f"{level:g}": f"vector({1 - level:g})" for level in LEVELS}


@every_alert
def test_alerts_say_how_bad_and_what_to_do(alert: dict[str, Any]) -> None:
    """Each has a severity, a line, a paragraph, a dashboard, and a page of what to do."""
    assert alert["labels"] in ({"severity": "page"}, {"severity": "ticket"})
    assert set(alert["annotations"]) == {"summary", "description", "runbook_url", "dashboard"}
    runbook = RUNBOOKS / f"{alert['alert']}.md"
    assert alert["annotations"]["runbook_url"] == f"docs/runbooks/{alert['alert']}.md"
    content = runbook.read_text("utf-8")
    assert content.startswith(f"# {alert['alert']}\n")
    for part in ("Clients", "Confirm", "Causes", "Do", "Silence"):
        assert f"\n**{part}.**" in content, part


def test_every_runbook_is_of_an_alert() -> None:
    """No page is left over from an alert that is gone."""
    assert {page.stem for page in RUNBOOKS.glob("*.md")} == {rule["alert"] for rule in ALERTS}


def test_the_documentation_lists_every_alert() -> None:
    """Each with its severity and a link to its runbook, in a row of docs/monitoring.md."""
    content = (RUNBOOKS.parent / "monitoring.md").read_text("utf-8")
    rows = set(re.findall(r"^\| \[(\w+)\]\(runbooks/\1\.md\) \| (\w+) \|", content, re.MULTILINE))
    assert rows == {(rule["alert"], rule["labels"]["severity"]) for rule in ALERTS}


def test_runbooks_ask_for_what_there_is() -> None:
    """Every query of a runbook is PromQL about metrics that there are."""
    known = known_labels()
    for page in RUNBOOKS.glob("*.md"):
        for query in re.findall(r"```promql\n(.+?)```", page.read_text("utf-8"), re.DOTALL):
            for name, labels in selected(promql_parser.parse(query)):
                assert name in known, f"{page.name}: {name}"
                assert labels <= known[name], f"{page.name}: {name} has no {labels - known[name]}"


@pytest.mark.parametrize(
    ("severity", "receiver"), [("page", "pager"), ("ticket", "tickets"), ("none", "nobody")]
)
def test_alertmanager_sends_by_severity(severity: str, receiver: str) -> None:
    """The configuration is valid, and leads what pages to the pager."""
    file = FOLDER / "alertmanager.yml"
    tool("amtool", "check-config", file)
    where = ("amtool", "config", "routes", "test", f"--config.file={file}")
    tool(*where, f"--verify.receivers={receiver}", f"severity={severity}")


def test_alertmanager_knows_the_alerts_that_it_inhibits() -> None:
    """Inhibitions name alerts that there are."""
    inhibited = yaml.safe_load((FOLDER / "alertmanager.yml").read_text())["inhibit_rules"]
    named = set(re.findall(r"Tailq\w+", str(inhibited)))
    assert named <= {rule["alert"] for rule in ALERTS}
    assert len(named) > 5

"""Dashboards are those of the code, valid, and ask for what there is."""

import copy
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import promql_parser
import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard
from jsonschema import Draft7Validator

from deploy.grafana.generate import FOLDER, contents
from tests.deploy.grafana.dashboards import (
    DASHBOARDS,
    PROVISIONING,
    filled,
    panels,
    queries,
    variables,
)
from tests.promql import aggregated, known_labels, rules, selected

# Grafana's own types as JSON Schema; see the file beside it.
SCHEMA = Draft7Validator(
    json.loads((Path(__file__).parent / "schema" / "dashboard.schema.json").read_text())
)
every = pytest.mark.parametrize("dashboard", DASHBOARDS.values(), ids=DASHBOARDS)


def test_the_files_are_what_the_code_says() -> None:
    """dashboards/ holds what is generated, and nothing else: else run `make dashboards`."""
    assert {path.name: path.read_text("utf-8") for path in FOLDER.iterdir()} == contents()


@every
def test_dashboards_are_of_grafanas_types(dashboard: dict[str, Any]) -> None:
    """Each file satisfies Grafana's published types, options of panels included."""
    assert [error.message for error in SCHEMA.iter_errors(dashboard)] == []


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (("panels", 1, "type"), "tabel"),
        (("panels", 1, "options", "cellHeight"), "tall"),
        (("panels", 1, "colour"), "red"),
        (("panels", 1, "gridPos", "w"), "12"),
        (("schemaVersion",), None),
        (("templating", "list", 0, "refresh"), 3),
    ],
)
def test_the_schema_refuses_what_grafana_does_not_know(path: tuple[Any, ...], wrong: Any) -> None:
    """A kind of panel, an option, a key, a type or a word that Grafana lacks is an error."""
    dashboard = copy.deepcopy(DASHBOARDS["tailq-overview"])
    inner = dashboard
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = wrong
    assert not SCHEMA.is_valid(dashboard)


@every
def test_the_sdk_reads_them_back(dashboard: dict[str, Any]) -> None:
    """The Foundation SDK decodes each file, and knows everything in it: nothing gets lost."""
    register_default_plugins()
    again = json.loads(JSONEncoder().encode(Dashboard.from_json(copy.deepcopy(dashboard))))
    assert list(lost(dashboard, again)) == []


@every
def test_panels_have_ids_and_places_of_their_own(dashboard: dict[str, Any]) -> None:
    """No two panels share an id or a place in the grid, which is 24 wide."""
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24, panel["title"]
        columns = range(at["x"], at["x"] + at["w"])
        cells = set(itertools.product(columns, range(at["y"], at["y"] + at["h"])))
        assert not cells & taken, panel["title"]
        taken |= cells


@every
def test_panels_say_what_they_are(dashboard: dict[str, Any]) -> None:
    """Each has a title that says what is good, a description, a unit, and words for no data."""
    for panel in panels(dashboard):
        assert re.search(r" \(good: .+\)$", panel["title"])
        assert len(panel["description"]) > 40, panel["title"]
        defaults = panel["fieldConfig"]["defaults"]
        assert defaults["unit"], panel["title"]
        assert defaults["noValue"], panel["title"]


@every
def test_states_are_painted_by_their_limits(dashboard: dict[str, Any]) -> None:
    """Grafana's own way to paint states makes the greatest one red, which is the good one here."""
    for panel in panels(dashboard):
        if panel["type"] == "state-timeline":
            assert panel["fieldConfig"]["defaults"]["color"]["mode"] == "thresholds"


@every
def test_single_values_are_those_of_now(dashboard: dict[str, Any]) -> None:
    """A large number or a cell shows nothing that was true earlier in the time shown."""
    for panel in panels(dashboard):
        if panel["type"] in ("stat", "table", "barchart"):
            assert all(target["instant"] and not target["range"] for target in panel["targets"])


@every
def test_data_comes_from_the_provisioned_source(dashboard: dict[str, Any]) -> None:
    """Panels, variables and annotations refer to the uid that provisioning gives Prometheus."""
    provisioned = yaml.safe_load((PROVISIONING / "datasources" / "prometheus.yaml").read_text())
    sources = {(one["type"], one["uid"]) for one in provisioned["datasources"]}
    users = [
        *panels(dashboard),
        *dashboard["templating"]["list"],
        *dashboard["annotations"]["list"],
    ]
    used = {(one["datasource"]["type"], one["datasource"]["uid"]) for one in users}
    assert used == sources


@every
def test_queries_ask_for_what_there_is(dashboard: dict[str, Any]) -> None:
    """Every metric of every query is the gateway's or a rule's, and has the labels it is asked by.

    So has everything that it is summed by, and every variable is one of the dashboard's.
    """
    known = known_labels()
    for where, expression in queries(dashboard):
        used = set(re.findall(r"\$(\w+)", expression)) - {"__rate_interval", "__range"}
        assert used <= set(variables(dashboard)), where
        tree = promql_parser.parse(filled(expression))
        for name, labels in selected(tree):
            assert name in known, f"{where}: {name}"
            assert labels <= known[name], f"{where}: {name} has no {labels - known[name]}"
        for labels, inner in aggregated(tree):
            offered = set().union(*(known[name] for name, _ in selected(inner)))
            assert labels <= offered, f"{where}: nothing has {labels - offered}"


@every
def test_variables_ask_for_what_there_is(dashboard: dict[str, Any]) -> None:
    """The metric of every variable has the label that its values are, and those it is chosen by."""
    known = known_labels()
    for name, query in variables(dashboard).items():
        found = re.fullmatch(r"label_values\((.+), (\w+)\)", query)
        assert found is not None
        assert found[2] == name
        [(metric, labels)] = selected(promql_parser.parse(filled(found[1])))
        assert labels | {name} <= known[metric]


def test_alerts_and_dashboards_lead_to_dashboards_there_are() -> None:
    """Links name dashboards that exist, and variables that these have."""
    links = [
        (rule["alert"], rule["annotations"]["dashboard"].partition("}}")[2])
        for rule in rules()
        if "alert" in rule
    ]
    assert len(links) >= 18
    for dashboard in DASHBOARDS.values():
        links += [(dashboard["uid"], link["url"]) for link in dashboard["links"]]
        links += [(dashboard["uid"], url) for url in data_links(dashboard) if "/d/" in url]
    for where, link in links:
        url = urlsplit(link)
        uid = url.path.removeprefix("/d/")
        assert uid in DASHBOARDS, where
        asked = {name.removeprefix("var-") for name in parse_qs(url.query, keep_blank_values=True)}
        assert {name for name in asked if "$" not in name} <= set(variables(DASHBOARDS[uid])), where


def lost(one: Any, other: Any, path: str = "") -> Iterator[str]:
    """Where `other` is not as `one`; it may hold more, which are defaults."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key, value in one.items():
            yield from lost(value, other.get(key), f"{path}/{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from lost(left, right, f"{path}/{index}")
    elif one != other:
        yield path


def data_links(content: Any) -> Iterator[str]:
    """The URLs behind cells of tables."""
    if isinstance(content, dict):
        if content.get("id") == "links":
            yield from (link["url"] for link in content["value"])
        content = list(content.values())
    if isinstance(content, list):
        for inner in content:
            yield from data_links(inner)

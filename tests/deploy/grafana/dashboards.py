"""The dashboards as they are provisioned, and what they ask Prometheus."""

import json
import re
from collections.abc import Iterator
from typing import Any

from deploy.grafana.generate import FOLDER

DASHBOARDS = {path.stem: json.loads(path.read_text("utf-8")) for path in FOLDER.glob("*.json")}
PROVISIONING = FOLDER.parent / "provisioning"


def panels(dashboard: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All panels that show something."""
    return (panel for panel in dashboard["panels"] if panel["type"] != "row")


def queries(dashboard: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every query with the panel that it is on, and those of annotations."""
    for panel in panels(dashboard):
        for target in panel["targets"]:
            yield f"{panel['title']} ({target['refId']})", target["expr"]
    for annotation in dashboard["annotations"]["list"]:
        yield annotation["name"], annotation["expr"]


def variables(dashboard: dict[str, Any]) -> dict[str, str]:
    """The query of each variable."""
    return {one["name"]: one["query"] for one in dashboard["templating"]["list"]}


def filled(expression: str, **values: str) -> str:
    """As Grafana sends it: with the values of variables, or anything where none is given."""
    known = {"__rate_interval": "20s", "__range": "1h"} | values
    return re.sub(r"\$(\w+)", lambda found: known.get(found[1], ".*"), expression)

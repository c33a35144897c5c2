"""What expressions of PromQL ask for, and what there is to be asked for."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import promql_parser
import yaml

from gateway.live import names

FOLDER = Path(__file__).parents[1] / "deploy" / "prometheus"
RULE_FILES = sorted((FOLDER / "rules").glob("*.yml"))
OF_PROMETHEUS = frozenset({"job", "instance"})
OF_ALERTS = OF_PROMETHEUS | {"alertname", "alertstate", "severity", "service", "tier", "variant"}


def rules(files: Iterable[Path] = tuple(RULE_FILES)) -> list[dict[str, Any]]:
    """Every rule as it is written, recording or alerting."""
    contents = [yaml.safe_load(path.read_text("utf-8")) for path in files]
    return [rule for content in contents for group in content["groups"] for rule in group["rules"]]


def known_labels() -> dict[str, set[str]]:
    """The labels of every sample of the gateway and of every recorded rule, by its name."""
    known = {"up": set(OF_PROMETHEUS)}
    known |= {name: set(OF_ALERTS) for name in ("ALERTS", "ALERTS_FOR_STATE")}
    for spec in names.SPECS:
        labels = {*OF_PROMETHEUS, *spec.labels} | ({"service"} if spec.labels else set())
        if spec.kind == "histogram":
            known[f"{spec.name}_bucket"] = labels | {"le"}
            known |= {f"{spec.name}_{part}": labels for part in ("sum", "count")}
        else:
            known[f"{spec.name}_total" if spec.kind == "counter" else spec.name] = labels
    for rule in rules():
        if "record" in rule:
            known[rule["record"]] = set(rule["record"].partition(":")[0].split("_"))
    return known


def selected(tree: promql_parser.Expr) -> Iterator[tuple[str, set[str]]]:
    """Every metric of an expression, with the labels that it is chosen by."""
    if isinstance(tree, promql_parser.MatrixSelector):
        tree = tree.vector_selector
    if isinstance(tree, promql_parser.VectorSelector):
        assert tree.name is not None
        yield tree.name, {matcher.name for matcher in tree.matchers.matchers}
    for inner in _parts(tree):
        yield from selected(inner)


def aggregated(tree: promql_parser.Expr) -> Iterator[tuple[set[str], promql_parser.Expr]]:
    """The labels of every `by`, and what is aggregated."""
    if isinstance(tree, promql_parser.AggregateExpr) and tree.modifier is not None:
        yield set(tree.modifier.labels), tree.expr
    for inner in _parts(tree):
        yield from aggregated(inner)


def _parts(tree: promql_parser.Expr) -> list[promql_parser.Expr]:
    if isinstance(tree, promql_parser.Call):
        return list(tree.args)
    if isinstance(tree, promql_parser.BinaryExpr):
        return [tree.lhs, tree.rhs]
    if isinstance(tree, promql_parser.AggregateExpr | promql_parser.ParenExpr):
        return [tree.expr]
    return []

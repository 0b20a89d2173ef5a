"""What the PromQL of dashboards and rules asks for: names of metrics, and labels of each."""

import re
from collections.abc import Iterator
from pathlib import Path

import promql_parser
import yaml

from tools.dashboards import DASHBOARDS, dashboard

PROMETHEUS = Path(__file__).resolve().parents[2] / "deploy" / "prometheus"
OF_PROMETHEUS = {"job", "instance", "le"}


def expressions() -> Iterator[tuple[str, str]]:
    """Where it stands, and the expression."""
    for name in ("rules.yml", "alerts.yml"):
        for group in yaml.safe_load((PROMETHEUS / name).read_text("utf-8"))["groups"]:
            for rule in group["rules"]:
                yield f"{name}: {rule.get('alert') or rule['record']}", rule["expr"]
    for name in DASHBOARDS:
        for panel in dashboard(name)["panels"]:
            for target in panel["targets"]:
                expr = target["expr"].replace("$__rate_interval", "5m")
                yield f"{name}: {panel['title']}", expr
                labels = re.findall(r"{{(\w+)}}", target["legendFormat"])
                if labels:  # a label of the legend must be there after the aggregation as well
                    yield (
                        f"{name}: legend of {panel['title']}",
                        f"sum by ({','.join(labels)}) ({expr})",
                    )


def recorded() -> dict[str, set[str]]:
    """Metrics that rules record, with the labels that their aggregation keeps."""
    rules = yaml.safe_load((PROMETHEUS / "rules.yml").read_text("utf-8"))
    return {
        rule["record"]: kept(promql_parser.parse(rule["expr"]), {})
        for group in rules["groups"]
        for rule in group["rules"]
    }


def selectors(node) -> Iterator[promql_parser.VectorSelector]:
    """Every selector in an expression."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node
    for child in _children(node):
        yield from selectors(child)


def aggregations(node) -> Iterator[promql_parser.AggregateExpr]:
    """Every aggregation in an expression."""
    if isinstance(node, promql_parser.AggregateExpr):
        yield node
    for child in _children(node):
        yield from aggregations(child)


def kept(node, known: dict[str, set[str]]) -> set[str]:
    """The labels that the series of an expression have."""
    if isinstance(node, promql_parser.VectorSelector):
        return known.get(node.name, set()) | OF_PROMETHEUS
    if isinstance(node, promql_parser.AggregateExpr):
        return set(node.modifier.labels) if node.modifier else set()
    return set().union(*(kept(child, known) for child in _children(node)))


def _children(node) -> list:
    found = [getattr(node, name, None) for name in ("lhs", "rhs", "expr", "vector_selector")]
    return [each for each in [*found, *(getattr(node, "args", None) or [])] if each is not None]

"""Writes the rules and alerts of deploy/prometheus as an object of the Prometheus operator.

python tools/prometheus_rules.py
"""

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
SOURCES = [ROOT / "deploy" / "prometheus" / name for name in ("rules.yml", "alerts.yml")]
TARGET = ROOT / "deploy" / "k8s" / "components" / "monitoring" / "rules.yaml"


def text() -> str:
    """Returns the object as YAML."""
    groups: list[Any] = []
    for source in SOURCES:
        groups += yaml.safe_load(source.read_text(encoding="utf-8"))["groups"]
    rule = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "wherefore"},
        "spec": {"groups": groups},
    }
    head = "# Written by `python tools/prometheus_rules.py` from deploy/prometheus.\n"
    return head + yaml.safe_dump(rule, sort_keys=False, width=120, allow_unicode=True)


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")

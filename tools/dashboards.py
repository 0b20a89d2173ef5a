"""Writes the Grafana dashboards of deploy/grafana: `python tools/dashboards.py`."""

import json
from pathlib import Path
from typing import Any

from tools.learning_panels import LEARNING
from tools.model_panels import MODELS, REASONS
from tools.panels import Panel
from tools.suite_panels import SUITE

FOLDER = Path(__file__).resolve().parents[1] / "deploy" / "grafana"
_WIDTH, _HEIGHT, _COLUMNS = 8, 8, 3
_SOURCE = {"type": "prometheus", "uid": "${source}"}

DASHBOARDS = {
    "suite": ("Wherefore: suite", SUITE),
    "reasons": ("Wherefore: reasons", REASONS),
    "triton": ("Wherefore: models in Triton", MODELS),
    "learning": ("Wherefore: learning and experiments", LEARNING),
}


def dashboard(name: str) -> dict[str, Any]:
    """Returns a dashboard in Grafana's JSON model, with a choice of source and of services."""
    title, panels = DASHBOARDS[name]
    return {
        "uid": f"wherefore-{name}",
        "title": title,
        "tags": ["wherefore"],
        "schemaVersion": 39,
        "refresh": "15s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [_source_choice(), _job_choice()]},
        "panels": [_panel(number, panel) for number, panel in enumerate(panels)],
    }


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    title, unit, queries = panel
    row, column = divmod(number, _COLUMNS)
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": title,
        "datasource": _SOURCE,
        "gridPos": {"h": _HEIGHT, "w": _WIDTH, "x": column * _WIDTH, "y": row * _HEIGHT},
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "targets": [
            {
                "refId": chr(ord("A") + at),
                "expr": expr,
                "legendFormat": legend,
                "datasource": _SOURCE,
            }
            for at, (expr, legend) in enumerate(queries)
        ],
    }


def _source_choice() -> dict[str, Any]:
    return {"name": "source", "label": "Source", "type": "datasource", "query": "prometheus"}


def _job_choice() -> dict[str, Any]:
    return {
        "name": "job",
        "label": "Service",
        "type": "query",
        "datasource": _SOURCE,
        "query": "label_values(wherefore_ready, job)",
        "includeAll": True,
        "multi": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
        "refresh": 2,
    }


def text(name: str) -> str:
    """Returns the file of a dashboard."""
    return json.dumps(dashboard(name), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for each in DASHBOARDS:
        (FOLDER / f"{each}.json").write_text(text(each), "utf-8")

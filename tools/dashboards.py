"""Writes the Grafana dashboards of deploy/grafana: `python tools/dashboards.py`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools.learning_panels import LEARNING, Panel

FOLDER = Path(__file__).resolve().parents[1] / "deploy" / "grafana"
_WIDTH, _HEIGHT, _COLUMNS = 8, 8, 3
_SOURCE = {"type": "prometheus", "uid": "${source}"}
_REQUESTS = 'wherefore_requests_total{job=~"$job"}'


def _quantile(share: float, metric: str, by: str, labels: str = "") -> str:
    return (
        f"histogram_quantile({share}, "
        f"sum by ({by}, le) (rate({metric}_bucket{{{labels}}}[$__rate_interval])))"
    )


def _rate(metric: str, by: str) -> str:
    return f"sum by ({by}) (rate({metric}[$__rate_interval]))"


SUITE: Sequence[Panel] = (
    ("Calls", "reqps", [(_rate(_REQUESTS, "method"), "{{method}}")]),
    (
        "Errors by code",
        "reqps",
        [
            (
                _rate('wherefore_requests_total{job=~"$job",code!="OK"}', "method, code"),
                "{{method}} {{code}}",
            )
        ],
    ),
    (
        "Duration",
        "s",
        [
            (_quantile(share, "wherefore_request_seconds", "method", 'job=~"$job"'), legend)
            for share, legend in ((0.5, "p50 {{method}}"), (0.99, "p99 {{method}}"))
        ],
    ),
    (
        "Stages, p95",
        "s",
        [(_quantile(0.95, "wherefore_stage_seconds", "job, stage", 'job=~"$job"'), "{{stage}}")],
    ),
    (
        "Answers without a stage, by cause",
        "percentunit",
        [("stage:wherefore_degraded:ratio5m", "{{stage}} {{cause}}")],
    ),
    (
        "Breakers: 0 closed, 1 half-open, 2 open",
        "none",
        [("max by (dependency) (wherefore_breaker_state)", "{{dependency}}")],
    ),
    (
        "In flight",
        "none",
        [('sum by (job) (wherefore_requests_in_flight{job=~"$job"})', "{{job}}")],
    ),
    (
        "Wait for a place, p99",
        "s",
        [(_quantile(0.99, "wherefore_admission_queue_seconds", "job", 'job=~"$job"'), "{{job}}")],
    ),
    (
        "Calls refused",
        "reqps",
        [
            (
                _rate('wherefore_admission_rejected_total{job=~"$job"}', "job, method, cause"),
                "{{method}} {{cause}}",
            )
        ],
    ),
    (
        "Pressure, and steps dropped",
        "none",
        [
            ('max by (job) (wherefore_pressure{job=~"$job"})', "{{job}}: how full the queue is"),
            ('max by (job) (wherefore_brown_out_level{job=~"$job"})', "{{job}}: steps dropped"),
        ],
    ),
    (
        "Second calls: hedges and retries",
        "reqps",
        [
            (
                _rate('wherefore_hedges_total{job=~"$job"}', "dependency, outcome"),
                "hedge {{dependency}} {{outcome}}",
            ),
            (
                _rate('wherefore_retries_total{job=~"$job"}', "dependency, outcome"),
                "retry {{dependency}} {{outcome}}",
            ),
        ],
    ),
    (
        "Budgets of stages",
        "s",
        [('min by (stage) (wherefore_stage_budget_seconds{job=~"$job"})', "{{stage}}")],
    ),
    (
        "Cache hits",
        "percentunit",
        [
            (
                _rate('wherefore_cache_lookups_total{outcome="hit"}', "cache")
                + " / "
                + _rate("wherefore_cache_lookups_total", "cache"),
                "{{cache}}",
            )
        ],
    ),
    (
        "Caches: what else happens",
        "reqps",
        [
            (
                _rate('wherefore_cache_events_total{job=~"$job"}', "cache, event"),
                "{{cache}} {{event}}",
            )
        ],
    ),
    (
        "Models in use",
        "none",
        [
            (
                "sum by (job, model, version, backend) (wherefore_models)",
                "{{job}}: {{model}}@{{version}} {{backend}}",
            )
        ],
    ),
    (
        "Memory",
        "bytes",
        [('process_resident_memory_bytes{job=~"$job"}', "{{job}} {{instance}}")],
    ),
    (
        "Error budget: burn rate of 99.9 %",
        "none",
        [
            ("slo:wherefore_errors:ratio1h / 0.001", "1 h"),
            ("slo:wherefore_errors:ratio6h / 0.001", "6 h"),
        ],
    ),
    (
        "Searches slower than 0.5 s",
        "percentunit",
        [("slo:wherefore_slow_searches:ratio1h", "1 h")],
    ),
    ("Ready", "none", [("min by (job, service) (wherefore_ready)", "{{service}}")]),
)

REASONS: Sequence[Panel] = (
    (
        "Reasons asked of the model, by outcome",
        "reqps",
        [(_rate("wherefore_reason_model_reasons_total", "outcome"), "{{outcome}}")],
    ),
    (
        "Claims rejected, by cause",
        "reqps",
        [(_rate('wherefore_reason_claims_total{verdict!="holds"}', "verdict"), "{{verdict}}")],
    ),
    (
        "Share of claims that stand",
        "percentunit",
        [
            (
                'sum (rate(wherefore_reason_claims_total{verdict="holds"}[$__rate_interval])) / '
                "sum (rate(wherefore_reason_claims_total[$__rate_interval]))",
                "",
            )
        ],
    ),
    (
        "First text that stands",
        "s",
        [
            (
                "histogram_quantile(0.95, sum by (le) "
                "(rate(wherefore_reason_first_text_seconds_bucket[$__rate_interval])))",
                "p95",
            )
        ],
    ),
    (
        "Words kept",
        "reqps",
        [(_rate("wherefore_reason_cache_total", "outcome"), "{{outcome}}")],
    ),
    (
        "Sentences of summaries, by outcome",
        "reqps",
        [(_rate("wherefore_reason_model_summary_sentences_total", "outcome"), "{{outcome}}")],
    ),
)

MODELS: Sequence[Panel] = (
    (
        "Inferences",
        "reqps",
        [(_rate("nv_inference_request_success", "model, version"), "{{model}}")],
    ),
    ("Failures", "reqps", [(_rate("nv_inference_request_failure", "model, version"), "{{model}}")]),
    (
        "Mean time in the queue",
        "µs",
        [
            (
                _rate("nv_inference_queue_duration_us", "model")
                + " / "
                + _rate("nv_inference_request_success", "model"),
                "{{model}}",
            )
        ],
    ),
    (
        "Mean time of a forward pass",
        "µs",
        [
            (
                _rate("nv_inference_compute_infer_duration_us", "model")
                + " / "
                + _rate("nv_inference_request_success", "model"),
                "{{model}}",
            )
        ],
    ),
    (
        "Rows in a batch",
        "none",
        [
            (
                _rate("nv_inference_count", "model")
                + " / "
                + _rate("nv_inference_exec_count", "model"),
                "{{model}}",
            )
        ],
    ),
    ("Waiting", "none", [("nv_inference_pending_request_count", "{{model}}")]),
)

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

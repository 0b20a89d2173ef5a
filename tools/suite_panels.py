"""Panels about calls, stages, load and memory of all services."""

from collections.abc import Sequence

from tools.panels import Panel, quantile, rate

_REQUESTS = 'wherefore_requests_total{job=~"$job"}'

SUITE: Sequence[Panel] = (
    ("Calls", "reqps", [(rate(_REQUESTS, "method"), "{{method}}")]),
    (
        "Errors by code",
        "reqps",
        [
            (
                rate('wherefore_requests_total{job=~"$job",code!="OK"}', "method, code"),
                "{{method}} {{code}}",
            )
        ],
    ),
    (
        "Duration",
        "s",
        [
            (quantile(share, "wherefore_request_seconds", "method", 'job=~"$job"'), legend)
            for share, legend in ((0.5, "p50 {{method}}"), (0.99, "p99 {{method}}"))
        ],
    ),
    (
        "Stages, p95",
        "s",
        [(quantile(0.95, "wherefore_stage_seconds", "job, stage", 'job=~"$job"'), "{{stage}}")],
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
        [(quantile(0.99, "wherefore_admission_queue_seconds", "job", 'job=~"$job"'), "{{job}}")],
    ),
    (
        "Calls refused",
        "reqps",
        [
            (
                rate('wherefore_admission_rejected_total{job=~"$job"}', "job, method, cause"),
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
                rate('wherefore_hedges_total{job=~"$job"}', "dependency, outcome"),
                "hedge {{dependency}} {{outcome}}",
            ),
            (
                rate('wherefore_retries_total{job=~"$job"}', "dependency, outcome"),
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
                rate('wherefore_cache_lookups_total{outcome="hit"}', "cache")
                + " / "
                + rate("wherefore_cache_lookups_total", "cache"),
                "{{cache}}",
            )
        ],
    ),
    (
        "Caches: what else happens",
        "reqps",
        [
            (
                rate('wherefore_cache_events_total{job=~"$job"}', "cache, event"),
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

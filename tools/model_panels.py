"""Panels about the reasons' model, and about models in Triton."""

from collections.abc import Sequence

from tools.panels import Panel, rate

REASONS: Sequence[Panel] = (
    (
        "Reasons asked of the model, by outcome",
        "reqps",
        [(rate("wherefore_reason_model_reasons_total", "outcome"), "{{outcome}}")],
    ),
    (
        "Claims rejected, by cause",
        "reqps",
        [(rate('wherefore_reason_claims_total{verdict!="holds"}', "verdict"), "{{verdict}}")],
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
        [(rate("wherefore_reason_cache_total", "outcome"), "{{outcome}}")],
    ),
    (
        "Sentences of summaries, by outcome",
        "reqps",
        [(rate("wherefore_reason_model_summary_sentences_total", "outcome"), "{{outcome}}")],
    ),
)

MODELS: Sequence[Panel] = (
    (
        "Inferences",
        "reqps",
        [(rate("nv_inference_request_success", "model, version"), "{{model}}")],
    ),
    ("Failures", "reqps", [(rate("nv_inference_request_failure", "model, version"), "{{model}}")]),
    (
        "Mean time in the queue",
        "µs",
        [
            (
                rate("nv_inference_queue_duration_us", "model")
                + " / "
                + rate("nv_inference_request_success", "model"),
                "{{model}}",
            )
        ],
    ),
    (
        "Mean time of a forward pass",
        "µs",
        [
            (
                rate("nv_inference_compute_infer_duration_us", "model")
                + " / "
                + rate("nv_inference_request_success", "model"),
                "{{model}}",
            )
        ],
    ),
    (
        "Rows in a batch",
        "none",
        [
            (
                rate("nv_inference_count", "model")
                + " / "
                + rate("nv_inference_exec_count", "model"),
                "{{model}}",
            )
        ],
    ),
    ("Waiting", "none", [("nv_inference_pending_request_count", "{{model}}")]),
)

"""Panels about learning while serving and about experiments."""

from collections.abc import Sequence

from tools.panels import Panel

LEARNING: Sequence[Panel] = (
    (
        "Choices learnt from: the version",
        "none",
        [("max by (serving_config) (wherefore_ranking_online_updates)", "{{serving_config}}")],
    ),
    (
        "Nats a choice against the frozen weights",
        "none",
        [
            (
                f"clamp_min({sign}min by (serving_config) (wherefore_ranking_online_gain_nats), 0)",
                f"{{{{serving_config}}}} {word}",
            )
            for sign, word in (("", "ahead"), ("-", "behind: not served"))
        ],
    ),
    (
        "Events to learn from",
        "eps",
        [
            (
                "sum by (outcome) (rate(wherefore_ranking_online_events_total[$__rate_interval]))",
                "{{outcome}}",
            )
        ],
    ),
    (
        "Events by whether their page was known",
        "eps",
        [
            (
                "sum by (outcome) (rate(wherefore_event_joins_total[$__rate_interval]))",
                "{{outcome}}",
            )
        ],
    ),
    (
        "Drift",
        "none",
        [("sum by (signal) (increase(wherefore_ranking_drift_total[1h]))", "{{signal}}")],
    ),
    (
        "Shift of features (PSI)",
        "none",
        [("max by (feature) (wherefore_ranking_feature_psi)", "{{feature}}")],
    ),
    (
        "First ten shared with the shadow, mean",
        "percentunit",
        [
            (
                "sum by (variant) (rate(wherefore_ranking_shadow_overlap_sum[$__rate_interval]))"
                " / sum by (variant)"
                " (rate(wherefore_ranking_shadow_overlap_count[$__rate_interval]))",
                "{{variant}}",
            )
        ],
    ),
    (
        "Arms: 1 served, 0 taken back",
        "none",
        [
            (
                "min by (experiment, arm) (wherefore_experiment_arm_served)",
                "{{experiment}} {{arm}}",
            )
        ],
    ),
    (
        "Trainings begun by drift",
        "none",
        [("sum by (outcome) (increase(wherefore_ranking_retraining_total[1d]))", "{{outcome}}")],
    ),
)

"""What learning while serving counts, for Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

EVENTS = Counter(
    "wherefore_ranking_online_events_total",
    "Events that the ranker was to learn from, by what became of them.",
    ("outcome",),
)
UPDATES = Gauge(
    "wherefore_ranking_online_updates",
    "Choices that the head of the ranker has learnt from: its version.",
    ("serving_config",),
)
GAIN = Gauge(
    "wherefore_ranking_online_gain_nats",
    "Nats a choice by which the learnt head tells choices better than the frozen weights, of late.",
    ("serving_config",),
)
DRIFTS = Counter(
    "wherefore_ranking_drift_total",
    'Times that shoppers or candidates changed, by where it shows: "surprise", "click_through" or'
    ' "features".',
    ("signal",),
)
STABILITY = Gauge(
    "wherefore_ranking_feature_psi",
    "Population stability index of a feature, of the latest pages against those before.",
    ("feature",),
)
RETRAININGS = Counter(
    "wherefore_ranking_retraining_total",
    'Trainings begun because of drift, by how they ended: "done", "failed" or "stopped".',
    ("outcome",),
)
SHADOW = Histogram(
    "wherefore_ranking_shadow_overlap",
    "Share of the first ten products that the shadow ranks among its first ten as well.",
    ("variant",),
    buckets=(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
)
SHADOW_FAILED = Counter(
    "wherefore_ranking_shadow_failed_total",
    "Rankings that the shadow could not make.",
    ("variant",),
)

"""What every service counts, for Prometheus.

Metrics live in the process's default registry and are made once, on import, so that several
services in one process (tests, embedding) share them instead of registering twice.
"""

from prometheus_client import Counter, Gauge, Histogram

from shared.call_notes import current_notes

_LATENCY_BUCKETS = (
    0.001,
    0.0025,
    0.005,
    0.01,
    0.02,
    0.04,
    0.06,
    0.1,
    0.15,
    0.25,
    0.5,
    1,
    2.5,
    5,
    10,
)
_FAST_BUCKETS = (0.0001, 0.0005, *_LATENCY_BUCKETS)
_QUEUE_BUCKETS = (0.0001, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5)

REQUESTS = Counter(
    "wherefore_requests_total",
    "Calls answered, by method and code.",
    ("method", "code"),
)
LATENCY = Histogram(
    "wherefore_request_seconds",
    "Seconds from accepting a call to its end.",
    ("method",),
    buckets=_LATENCY_BUCKETS,
)
STAGE = Histogram(
    "wherefore_stage_seconds",
    "Seconds of a stage of an answer, waiting included; services behind it are part of it.",
    ("stage",),
    buckets=_FAST_BUCKETS,
)
IN_FLIGHT = Gauge("wherefore_requests_in_flight", "Calls being answered now.", ("method",))
QUEUE = Histogram(
    "wherefore_admission_queue_seconds",
    "Seconds that calls waited for a place.",
    buckets=_QUEUE_BUCKETS,
)
REJECTED = Counter(
    "wherefore_admission_rejected_total",
    'Calls refused before any work: "queue_full", "too_late" by what is ahead, or "hopeless".',
    ("method", "cause"),
)
CERTIFICATE_EXPIRES = Gauge(
    "wherefore_certificate_expires_seconds",
    "Unix time at which the certificate in use ends.",
    ("certificate",),
)
CONCURRENCY_LIMIT = Gauge(
    "wherefore_admission_concurrency_limit", "Calls that are worked on at once, at most."
)
DEGRADED = Counter(
    "wherefore_degraded_total",
    "Stages skipped or answered by a fallback, by cause.",
    ("stage", "cause"),
)
BREAKER_STATE = Gauge(
    "wherefore_breaker_state", "Circuit breakers: 0 closed, 1 half-open, 2 open.", ("dependency",)
)
BROWN_OUT_LEVEL = Gauge(
    "wherefore_brown_out_level",
    "Steps most answers go without: 1 reasons, 2 and the cross-encoder, 3 and personalisation.",
)
PRESSURE = Gauge(
    "wherefore_pressure",
    "How hard the service is pressed, from 0 (calls are alone) to 1 (they are refused), smoothed.",
)
HEDGES = Counter(
    "wherefore_hedges_total",
    'Late reads by what became of a second call: "won", "lost", or "refused" by the budget.',
    ("dependency", "outcome"),
)
RETRIES = Counter(
    "wherefore_retries_total",
    'Calls that reached nobody, by outcome: "sent" again, "refused" by the budget, "given_up".',
    ("dependency", "outcome"),
)
STAGE_BUDGET = Gauge(
    "wherefore_stage_budget_seconds",
    "Longest that a stage may take now, the deadline aside.",
    ("stage",),
)
CACHE = Counter(
    "wherefore_cache_lookups_total", 'Look-ups by outcome: "hit" or "miss".', ("cache", "outcome")
)
CACHE_EVENTS = Counter(
    "wherefore_cache_events_total",
    'Of caches: answers told "stale" and "renewed" or "not_renewed" behind, callers who "joined" '
    'one that was being made, answers of the "second_level", and calls of it that were "lost".',
    ("cache", "event"),
)
MODELS = Gauge(
    "wherefore_models",
    'Open handles on models, by version and where they run: "triton" or "onnx".',
    ("model", "version", "backend"),
)
READY = Gauge("wherefore_ready", "1 while the service answers SERVING, else 0.", ("service",))
STANDBY = Gauge(
    "wherefore_standby", "1 while the process waits for another one's folder, else 0.", ("service",)
)
REFUSED = Counter(
    "wherefore_refused_total",
    "Calls refused at the door (no credential, no right, too fast), by code.",
    ("code",),
)
AUDIT_SUPPRESSED = Counter(
    "wherefore_audit_suppressed_total", "Refused calls that the audit log only counts."
)


def count_degradation(stage: str, cause: str) -> None:
    """Counts one stage that was skipped or answered by a fallback.

    Args:
        stage: In dotted form, as in StageTiming.stage.
        cause: Name of a DegradationCause without its prefix, in lower case, such as "deadline".
    """
    DEGRADED.labels(stage, cause).inc()


def count_cache_event(cache: str, event: str) -> None:
    """Counts what happened in a cache beside look-ups; see `CACHE_EVENTS`."""
    CACHE_EVENTS.labels(cache, event).inc()


def count_lookup(cache: str, *, hit: bool) -> None:
    """Counts a look-up in a cache, and notes it for the line of the call.

    Args:
        cache: In dotted form, such as "nlu.parse".
        hit: Whether it held what was asked for.
    """
    CACHE.labels(cache, "hit" if hit else "miss").inc()
    if notes := current_notes():
        notes.looked_up(cache, hit=hit)

"""What happens around every call of every service, one layer a module."""

from collections.abc import Collection

from shared.admission import Admission
from shared.concurrency_limit import ConcurrencyLimit
from shared.interceptors.admission import AdmissionLayer
from shared.interceptors.deadline import DeadlineLayer
from shared.interceptors.errors import ErrorLayer
from shared.interceptors.logging import LoggingLayer
from shared.interceptors.metrics import MetricsLayer
from shared.interceptors.pipeline import Pipeline
from shared.interceptors.request_context import RequestContextLayer
from shared.interceptors.security import SecurityLayer
from shared.interceptors.tracing import TracingLayer
from shared.interceptors.validation import ValidationLayer
from shared.security.guard import Guard
from shared.settings import ServiceSettings


def service_pipeline(
    settings: ServiceSettings,
    lenient_methods: Collection[str] = frozenset(),
    guard: Guard | None = None,
    light_methods: Collection[str] = frozenset(),
) -> Pipeline:
    """Returns the layers that every service runs behind, outermost first.

    Logging and metrics are inside the error layer, so that they see the error itself and not what
    the client is told; admission is inside the deadline, so that waiting counts against it. Who may
    not call takes no place of those who may.
    """
    security = (SecurityLayer(guard),) if guard else ()
    # What health and reflection are sent may be no message either, and nobody needs to be known.
    outer = RequestContextLayer(), ErrorLayer()
    return Pipeline(
        (
            RequestContextLayer(),
            TracingLayer(),
            ErrorLayer(),
            LoggingLayer(),
            MetricsLayer(),
            *security,
            DeadlineLayer(settings.default_deadline_seconds),
            AdmissionLayer(
                calls=Admission(
                    ConcurrencyLimit(settings.max_concurrency, settings.latency_target_seconds),
                    settings.max_queue,
                ),
                streams=Admission(ConcurrencyLimit(settings.max_concurrency), settings.max_queue),
                light=Admission(ConcurrencyLimit(settings.max_concurrency), settings.max_queue),
                light_methods=light_methods,
            ),
            ValidationLayer(lenient_methods),
        ),
        reflection=(*outer, *security, ValidationLayer()),
        health=(*outer, ValidationLayer()),
        idle_seconds=settings.stream_idle_seconds,
    )


__all__ = ["Pipeline", "service_pipeline"]

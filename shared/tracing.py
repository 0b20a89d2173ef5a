"""Spans of calls and stages by OpenTelemetry, exported by OTLP. Off unless settings turn it on.

The library is in the extra `tracing` and is imported when tracing is turned on. While it is off, a
span costs one comparison. Spans never hold what was asked, by whom, or about which product.
"""

from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module
from typing import Any, Literal

import structlog

from shared.settings import ServiceSettings
from shared.trace_context import TraceParent, current_trace, set_current_trace

Kind = Literal["INTERNAL", "SERVER", "CLIENT"]
Value = str | bool | int | float

_log: structlog.stdlib.BoundLogger = structlog.get_logger()
_provider: Any = None
_tracer: Any = None


class Span:
    """What is told of a span while it lasts; does nothing when it is not recorded."""

    __slots__ = ("_span",)

    def __init__(self, span: Any = None) -> None:
        self._span = span

    def set(self, attributes: Mapping[str, Value]) -> None:
        """Adds attributes."""
        if self._span is not None:
            self._span.set_attributes(attributes)

    def fail(self, code: str) -> None:
        """Marks it as failed.

        Args:
            code: Name of the status code; never the message, which may quote the request.
        """
        if self._span is not None:
            from opentelemetry.trace import Status, StatusCode

            self._span.set_status(Status(StatusCode.ERROR, code))


_SILENT = Span()
_NOT_RECORDED = nullcontext(_SILENT)


def start_tracing(settings: ServiceSettings, service: str, exporter: Any = None) -> None:
    """Starts to record spans when the settings say so.

    Args:
        settings: `trace_target` and `trace_share` count.
        service: Name of the service in traces, such as "nlu".
        exporter: An OpenTelemetry SpanExporter in place of OTLP, for tests; turns tracing on.
    """
    if exporter is None and not settings.trace_target:
        return
    try:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

        provider = TracerProvider(
            resource=Resource.create({"service.name": f"wherefore.{service}"}),
            sampler=ParentBased(TraceIdRatioBased(settings.trace_share)),
            shutdown_on_exit=False,
        )
        provider.add_span_processor(
            BatchSpanProcessor(_otlp(settings.trace_target))
            if exporter is None
            else SimpleSpanProcessor(exporter)
        )
    except ImportError:
        _log.warning("no traces", reason="the extra is missing: pip install 'wherefore[tracing]'")
        return
    global _provider, _tracer
    _provider, _tracer = provider, provider.get_tracer("wherefore")


def stop_tracing() -> None:
    """Sends what is left and records nothing more."""
    global _provider, _tracer
    provider, _provider, _tracer = _provider, None, None
    if provider is not None:
        provider.shutdown()


@contextmanager
def call_span(
    name: str, caller: TraceParent | None, attributes: Mapping[str, Value]
) -> Generator[Span]:
    """Records the answering of one call; makes it the current trace.

    Args:
        name: Of the method, without leading slash.
        caller: Where the caller is in its trace; None starts one.
        attributes: What is known at the start.
    """
    if _tracer is None:
        set_current_trace(caller or TraceParent.new())
        yield _SILENT
        return
    with _recorded(name, "SERVER", caller, attributes) as span:
        yield span


def span(
    name: str, kind: Kind = "INTERNAL", attributes: Mapping[str, Value] | None = None
) -> AbstractContextManager[Span]:
    """Records a part of what the current call does; nothing outside a call.

    Args:
        name: Of the stage.
        kind: "CLIENT" for what asks another process.
        attributes: What is known at the start.
    """
    parent = current_trace()
    if _tracer is None or parent is None:
        return _NOT_RECORDED
    return _recorded(name, kind, parent, attributes or {})


@contextmanager
def _recorded(
    name: str, kind: Kind, parent: TraceParent | None, attributes: Mapping[str, Value]
) -> Generator[Span]:
    from opentelemetry.trace import SpanKind

    recorded = _tracer.start_span(
        name, context=_context(parent), kind=SpanKind[kind], attributes=attributes
    )
    told = recorded.get_span_context()
    before = current_trace()
    set_current_trace(
        TraceParent(
            f"{told.trace_id:032x}", f"{told.span_id:016x}", sampled=told.trace_flags.sampled
        )
    )
    try:
        yield Span(recorded)
    except BaseException as error:
        # The type alone: messages of errors may quote the request.
        Span(recorded).fail(type(error).__name__)
        raise
    finally:
        # Not by token: a generator may be closed in another context than it was begun in.
        set_current_trace(before)
        recorded.end()


def _context(parent: TraceParent | None) -> Any:
    from opentelemetry.context import Context
    from opentelemetry.trace import (
        NonRecordingSpan,
        SpanContext,
        TraceFlags,
        set_span_in_context,
    )

    if parent is None:
        return Context()
    return set_span_in_context(
        NonRecordingSpan(
            SpanContext(
                int(parent.trace_id, 16),
                int(parent.span_id, 16),
                is_remote=True,
                trace_flags=TraceFlags(int(parent.sampled)),
            )
        ),
        Context(),
    )


def _otlp(target: str) -> Any:
    exporter: Any = import_module("opentelemetry.exporter.otlp.proto.grpc.trace_exporter")
    return exporter.OTLPSpanExporter(endpoint=target, insecure=not target.startswith("https://"))

"""Makes every call a span of its caller's trace."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import grpc

from shared import tracing
from shared.errors import SERVER_FAULTS
from shared.interceptors.errors import at_end
from shared.interceptors.pipeline import Call, Context, Layer
from shared.trace_context import TRACEPARENT_KEY, TraceParent, current_trace

_SPAN_ERRORS = SERVER_FAULTS - {grpc.StatusCode.RESOURCE_EXHAUSTED}
"""Codes that are an error of a SERVER span (OpenTelemetry's conventions for RPC)."""


class TracingLayer(Layer):
    """Honours the caller's `traceparent` and sends the call's own back as trailing metadata."""

    @asynccontextmanager
    async def around(self, call: Call, context: Context) -> AsyncGenerator[None, None]:
        """See `Layer.around`."""
        caller = TraceParent.parse(dict(call.metadata).get(TRACEPARENT_KEY))
        service, _, method = call.method.removeprefix("/").partition("/")
        attributes: dict[str, tracing.Value] = {
            "rpc.system": "grpc",
            "rpc.service": service,
            "rpc.method": method,
        }
        with tracing.call_span(f"{service}/{method}", caller, attributes) as span:
            trace = current_trace()
            if trace is not None:
                context.set_trailing_metadata(
                    (*(context.trailing_metadata() or ()), (TRACEPARENT_KEY, trace.header()))
                )

            def tell(code: grpc.StatusCode) -> None:
                span.set(_known_at_the_end(call, code))
                if code in _SPAN_ERRORS:
                    span.fail(code.name)

            with at_end(context, tell):
                yield


def _known_at_the_end(call: Call, code: grpc.StatusCode) -> dict[str, tracing.Value]:
    told: dict[str, tracing.Value] = {
        "rpc.grpc.status_code": int(code.value[0]),
        "wherefore.degraded": ",".join(call.notes.degraded),
        "wherefore.request_bytes": call.request_bytes,
        "wherefore.response_bytes": call.response_bytes,
        "wherefore.queue_ms": round(call.queue_nanos / 1e6, 2),
    }
    # Only a configuration that exists: another name may be anything that a person wrote.
    if call.notes.serving_config and code is grpc.StatusCode.OK:
        told["wherefore.serving_config"] = call.notes.serving_config
    if call.notes.items is not None:
        told["wherefore.items"] = call.notes.items
    return told

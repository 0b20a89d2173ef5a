"""One line a call, with all that an operator asks about it first."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import grpc
import structlog

from shared.errors import SERVER_FAULTS
from shared.interceptors.errors import as_wherefore_error, outcome
from shared.interceptors.pipeline import Call, Context, Layer
from shared.request_context import current_caller, current_request_id
from shared.trace_context import current_trace

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class LoggingLayer(Layer):
    """Writes the canonical line when a call ends. What was asked is never part of it."""

    @asynccontextmanager
    async def around(self, call: Call, context: Context) -> AsyncGenerator[None, None]:
        """See `Layer.around`."""
        try:
            yield
        except BaseException as error:
            _write(call, context, error)
            raise
        _write(call, context, None)


def _write(call: Call, context: Context, error: BaseException | None) -> None:
    code = outcome(error, context)
    notes = call.notes
    trace = current_trace()
    fields: dict[str, object] = {
        "request_id": current_request_id(),
        "trace_id": trace.trace_id if trace else "",
        "method": call.method,
        "peer": context.peer(),
        "code": code.name,
        "duration_ms": round(call.elapsed_nanos() / 1e6, 2),
        "queue_ms": round(call.queue_nanos / 1e6, 2),
        "request_bytes": call.request_bytes,
        "response_bytes": call.response_bytes,
    }
    caller = current_caller()
    if caller.name:
        fields["caller"] = caller.name
    if caller.tenant:
        fields["tenant"] = caller.tenant
    if call.deadline_seconds is not None:
        fields["deadline_ms"] = round(call.deadline_seconds * 1e3, 1)
        left = call.deadline_seconds - call.elapsed_nanos() / 1e9
        fields["deadline_left_ms"] = round(left * 1e3, 1)
    if call.request_streaming:
        fields["request_messages"] = call.request_messages
    if call.response_streaming:
        fields["response_messages"] = notes.messages
    if notes.serving_config and code is grpc.StatusCode.OK:  # else it may be anything
        fields["serving_config"] = notes.serving_config
    if notes.items is not None:
        fields["items"] = notes.items
    if notes.degraded:
        fields["degraded"] = list(notes.degraded)
    if notes.caches:
        fields["cache"] = {name: f"{hits}/{of}" for name, (hits, of) in notes.caches.items()}
    if notes.shed:
        fields["shed"] = notes.shed
    if error is not None:
        fields["error"] = type(as_wherefore_error(error)).__name__
    write = _log.warning if code in SERVER_FAULTS else _log.info
    write("call", **fields)

"""Client interceptors: a call made for a request has that request's id, deadline and priority."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import grpc
import grpc.aio

from shared.deadline import current_deadline
from shared.request_context import (
    BATCH,
    PRIORITY_KEY,
    REQUEST_ID_KEY,
    current_batch,
    current_request_id,
)
from shared.trace_context import TRACEPARENT_KEY, current_trace

_Continue = Callable[[grpc.aio.ClientCallDetails, Any], Awaitable[Any]]


def client_interceptors() -> Sequence[grpc.aio.ClientInterceptor]:
    """Returns one interceptor for each kind of call: gRPC files an object under one kind only."""
    return (_UnaryUnary(), _UnaryStream(), _StreamUnary(), _StreamStream())


def with_context(details: grpc.aio.ClientCallDetails) -> grpc.aio.ClientCallDetails:
    """Returns `details` with the current request id and priority, timed within the deadline."""
    metadata = grpc.aio.Metadata(*(details.metadata or ()))
    request_id = current_request_id()
    if request_id and REQUEST_ID_KEY not in metadata:
        metadata.add(REQUEST_ID_KEY, request_id)
    if current_batch() and PRIORITY_KEY not in metadata:
        metadata.add(PRIORITY_KEY, BATCH)
    trace = current_trace()
    if trace is not None and TRACEPARENT_KEY not in metadata:
        metadata.add(TRACEPARENT_KEY, trace.header())
    timeout = details.timeout
    deadline = current_deadline()
    if deadline.limited:
        remaining = deadline.remaining()
        timeout = remaining if timeout is None else min(timeout, remaining)
    return grpc.aio.ClientCallDetails(
        details.method, timeout, metadata, details.credentials, details.wait_for_ready
    )


class _UnaryUnary(grpc.aio.UnaryUnaryClientInterceptor):
    async def intercept_unary_unary(
        self,
        continuation: _Continue,
        client_call_details: grpc.aio.ClientCallDetails,
        request: Any,
    ) -> Any:
        return await continuation(with_context(client_call_details), request)


class _UnaryStream(grpc.aio.UnaryStreamClientInterceptor):
    async def intercept_unary_stream(
        self,
        continuation: _Continue,
        client_call_details: grpc.aio.ClientCallDetails,
        request: Any,
    ) -> Any:
        return await continuation(with_context(client_call_details), request)


class _StreamUnary(grpc.aio.StreamUnaryClientInterceptor):
    async def intercept_stream_unary(
        self,
        continuation: _Continue,
        client_call_details: grpc.aio.ClientCallDetails,
        request_iterator: Any,
    ) -> Any:
        return await continuation(with_context(client_call_details), request_iterator)


class _StreamStream(grpc.aio.StreamStreamClientInterceptor):
    async def intercept_stream_stream(
        self,
        continuation: _Continue,
        client_call_details: grpc.aio.ClientCallDetails,
        request_iterator: Any,
    ) -> Any:
        return await continuation(with_context(client_call_details), request_iterator)

"""Client interceptors: a call made for a request has its id, deadline, priority and caller."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import grpc
import grpc.aio

from shared.deadline import current_deadline
from shared.request_context import (
    API_KEY_KEY,
    BATCH,
    CALLER_KEY,
    PRIORITY_KEY,
    REQUEST_ID_KEY,
    TENANT_KEY,
    current_batch,
    current_caller,
    current_request_id,
)
from shared.trace_context import TRACEPARENT_KEY, current_trace

_Continue = Callable[[grpc.aio.ClientCallDetails, Any], Awaitable[Any]]


def client_interceptors(api_key: str = "") -> Sequence[grpc.aio.ClientInterceptor]:
    """Returns one interceptor for each kind of call: gRPC files an object under one kind only.

    Args:
        api_key: Sent with each call; empty for none.
    """
    return (
        _UnaryUnary(api_key),
        _UnaryStream(api_key),
        _StreamUnary(api_key),
        _StreamStream(api_key),
    )


def with_context(
    details: grpc.aio.ClientCallDetails, api_key: str = ""
) -> grpc.aio.ClientCallDetails:
    """Returns `details` with who and what the current request is, timed within the deadline."""
    metadata = grpc.aio.Metadata(*(details.metadata or ()))
    request_id = current_request_id()
    if request_id and REQUEST_ID_KEY not in metadata:
        metadata.add(REQUEST_ID_KEY, request_id)
    if current_batch() and PRIORITY_KEY not in metadata:
        metadata.add(PRIORITY_KEY, BATCH)
    caller = current_caller()
    if caller.tenant and TENANT_KEY not in metadata:
        metadata.add(TENANT_KEY, caller.tenant)
    if caller.name and CALLER_KEY not in metadata:
        metadata.add(CALLER_KEY, caller.name)
    if api_key and API_KEY_KEY not in metadata:
        metadata.add(API_KEY_KEY, api_key)
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


class _WithKey:
    def __init__(self, api_key: str) -> None:
        self._api_key = api_key


class _UnaryUnary(_WithKey, grpc.aio.UnaryUnaryClientInterceptor):
    async def intercept_unary_unary(
        self,
        continuation: _Continue,
        client_call_details: grpc.aio.ClientCallDetails,
        request: Any,
    ) -> Any:
        return await continuation(with_context(client_call_details, self._api_key), request)


class _UnaryStream(_WithKey, grpc.aio.UnaryStreamClientInterceptor):
    async def intercept_unary_stream(
        self,
        continuation: _Continue,
        client_call_details: grpc.aio.ClientCallDetails,
        request: Any,
    ) -> Any:
        return await continuation(with_context(client_call_details, self._api_key), request)


class _StreamUnary(_WithKey, grpc.aio.StreamUnaryClientInterceptor):
    async def intercept_stream_unary(
        self,
        continuation: _Continue,
        client_call_details: grpc.aio.ClientCallDetails,
        request_iterator: Any,
    ) -> Any:
        return await continuation(
            with_context(client_call_details, self._api_key), request_iterator
        )


class _StreamStream(_WithKey, grpc.aio.StreamStreamClientInterceptor):
    async def intercept_stream_stream(
        self,
        continuation: _Continue,
        client_call_details: grpc.aio.ClientCallDetails,
        request_iterator: Any,
    ) -> Any:
        return await continuation(
            with_context(client_call_details, self._api_key), request_iterator
        )

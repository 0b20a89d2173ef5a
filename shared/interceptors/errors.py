"""Turns whatever a handler raises into a gRPC code with google.rpc details."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import cast

import grpc
import grpc.aio
import structlog

from shared.deadline import current_deadline
from shared.errors import (
    DeadlineExceededError,
    InternalError,
    RequestCancelledError,
    UnimplementedError,
    WhereforeError,
    error_from_rpc,
    status_proto,
)
from shared.interceptors.pipeline import Call, Context, Layer
from shared.request_context import REQUEST_ID_KEY, current_request_id
from shared.status_details import DETAILS_KEY
from shared.trace_context import TRACEPARENT_KEY, current_trace

PUSHBACK_KEY = "grpc-retry-pushback-ms"

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


def as_wherefore_error(error: BaseException) -> WhereforeError:
    """Returns `error` as one of the tree; what is not foreseen becomes an InternalError."""
    if isinstance(error, WhereforeError):
        return error
    if isinstance(error, grpc.aio.AioRpcError):
        return error_from_rpc(error)
    if isinstance(error, asyncio.CancelledError | TimeoutError) and current_deadline().expired:
        return DeadlineExceededError("the answer was not ready within the deadline")
    if isinstance(error, BaseExceptionGroup):  # of a TaskGroup: the first that says something
        group = cast("BaseExceptionGroup[BaseException]", error)
        members = [as_wherefore_error(member) for member in group.exceptions]
        return next((m for m in members if not isinstance(m, InternalError)), members[0])
    return _from_builtin(error)


def _from_builtin(error: BaseException) -> WhereforeError:
    if isinstance(error, asyncio.CancelledError):
        return RequestCancelledError("the caller cancelled")
    if isinstance(error, grpc.aio.InternalError):  # nothing can be written to who has hung up
        return RequestCancelledError("the caller went away")
    if isinstance(error, NotImplementedError):  # what a generated servicer raises
        return UnimplementedError("this method is not implemented")
    return InternalError(f"{type(error).__name__}: {error}")


def outcome(error: BaseException | None, context: Context) -> grpc.StatusCode:
    """Returns the code that a call ends with."""
    if error is None or isinstance(error, grpc.aio.AbortError):
        return context.code() or grpc.StatusCode.OK  # None while nobody has set one
    return as_wherefore_error(error).code


@contextmanager
def at_end(context: Context, tell: Callable[[grpc.StatusCode], None]) -> Generator[None]:
    """Calls `tell` with the code that a call ends with, once the block has."""
    raised: BaseException | None = None
    try:
        yield
    except BaseException as error:
        raised = error
        raise
    finally:
        tell(outcome(raised, context))


class ErrorLayer(Layer):
    """The outermost layer but for the request id: no text of an unforeseen error gets past it."""

    @asynccontextmanager
    async def around(self, call: Call, context: Context) -> AsyncGenerator[None, None]:
        """See `Layer.around`."""
        try:
            yield
        except grpc.aio.AbortError:
            raise
        except Exception as raised:
            error = as_wherefore_error(raised)
            if error.code is grpc.StatusCode.INTERNAL:
                _log.error("handler failed", method=call.method, exc_info=raised)
            await _abort(context, error)


async def _abort(context: Context, error: WhereforeError) -> None:
    status = status_proto(error)
    metadata: list[tuple[str, str | bytes]] = [
        (REQUEST_ID_KEY, current_request_id()),
        (DETAILS_KEY, status.SerializeToString()),
    ]
    if trace := current_trace():
        metadata.append((TRACEPARENT_KEY, trace.header()))
    if error.code is grpc.StatusCode.UNAVAILABLE:
        # This service answered; one that it needs did not, and was retried already. A channel that
        # retries on top would multiply the load: RetryInfo tells the caller when to come back.
        metadata.append((PUSHBACK_KEY, "-1"))
    try:
        await context.abort(error.code, status.message, tuple(metadata))
    except grpc.aio.InternalError:
        # Nobody is there to be told, which is no fault: the call ends as a cancelled one does.
        raise asyncio.CancelledError from None

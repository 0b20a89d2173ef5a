"""From JSON over HTTP to a handler's message and back, errors included."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final, TypeVar

import grpc
from google.protobuf import json_format
from google.protobuf.message import Message
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.orchestrator.web.event_stream import event_stream
from shared.deadline import Deadline, set_current_deadline
from shared.errors import (
    DeadlineExceededError,
    InvalidArgumentError,
    WhereforeError,
    status_proto,
)
from shared.interceptors.validation import non_finite_fields
from shared.request_context import (
    REQUEST_ID_KEY,
    accept_request_id,
    current_request_id,
    set_request_id,
)
from shared.web.body import MAX_BODY, read_json_body

_M = TypeVar("_M", bound=Message)
_R = TypeVar("_R", bound=Message)
_A = TypeVar("_A")
# https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto names the HTTP codes.
_HTTP: Final = {
    grpc.StatusCode.INVALID_ARGUMENT: HTTPStatus.BAD_REQUEST,
    grpc.StatusCode.FAILED_PRECONDITION: HTTPStatus.BAD_REQUEST,
    grpc.StatusCode.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    grpc.StatusCode.PERMISSION_DENIED: HTTPStatus.FORBIDDEN,
    grpc.StatusCode.NOT_FOUND: HTTPStatus.NOT_FOUND,
    grpc.StatusCode.ABORTED: HTTPStatus.CONFLICT,
    grpc.StatusCode.RESOURCE_EXHAUSTED: HTTPStatus.TOO_MANY_REQUESTS,
    grpc.StatusCode.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED: HTTPStatus.GATEWAY_TIMEOUT,
}


def as_json(answered: Message, headers: dict[str, str]) -> Response:
    """Returns a response of one message."""
    content = json_format.MessageToDict(answered, always_print_fields_with_no_presence=False)
    return JSONResponse(content, headers=headers)


async def answer(
    request: Request,
    kind: type[_M],
    handler: Callable[[_M], Awaitable[_A]],
    deadline_seconds: float,
    respond: Callable[[_A, dict[str, str]], Response] = as_json,
    *,
    most_bytes: int = MAX_BODY,
) -> Response:
    """Answers a request whose body is a message in JSON.

    Args:
        request: Of the page.
        kind: The message that it holds.
        handler: Answers it; its errors become responses.
        deadline_seconds: What the whole answer may take, a streamed one too.
        respond: Makes the response of what the handler returns, with the headers given.
        most_bytes: Of the body.
    """
    set_request_id(accept_request_id(request.headers.get(REQUEST_ID_KEY)))
    set_current_deadline(Deadline.after(deadline_seconds))
    headers = {REQUEST_ID_KEY: current_request_id()}
    try:
        message = await _message(request, kind, most_bytes)
        async with asyncio.timeout(deadline_seconds):
            answered = await handler(message)
    except TimeoutError:
        return failure(DeadlineExceededError("no answer in time"), headers)
    except WhereforeError as error:
        return failure(error, headers)
    return respond(answered, headers)


async def answer_stream(
    request: Request,
    kind: type[_M],
    handler: Callable[[_M], AsyncGenerator[_R]],
    deadline_seconds: float,
) -> Response:
    """Answers with a stream of events; errors before its first message have a status of their own.

    Args:
        request: Of the page.
        kind: The message that it holds.
        handler: Gives the messages of the answer, one at least.
        deadline_seconds: What the whole answer may take.
    """

    async def begin(message: _M) -> tuple[_R, AsyncGenerator[_R]]:
        parts = handler(message)
        return await anext(parts), parts

    return await answer(
        request, kind, begin, deadline_seconds, lambda begun, headers: event_stream(*begun, headers)
    )


def failure(error: WhereforeError, headers: dict[str, str]) -> Response:
    """Returns the response of an error: its google.rpc.Status in JSON."""
    status: dict[str, Any] = json_format.MessageToDict(status_proto(error))
    code = _HTTP.get(error.code, HTTPStatus.INTERNAL_SERVER_ERROR)
    return JSONResponse({"error": {**status, "status": error.code.name}}, code, headers)


async def _message(request: Request, kind: type[_M], most_bytes: int) -> _M:
    body = await read_json_body(request, most_bytes)
    try:
        message = json_format.Parse(body, kind())
    except (json_format.ParseError, UnicodeDecodeError) as error:
        raise InvalidArgumentError.of("", str(error)[:300]) from error
    if bad := non_finite_fields(message):
        raise InvalidArgumentError(*bad)
    return message

"""The HTTP routes: translate JSON to the messages of the contract and back."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, TypeVar

import grpc
from google.protobuf import json_format
from google.protobuf.message import Message
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from services.orchestrator.web.door import Door, Pages
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
from shared.security.guard import Guard
from shared.web.body import read_json_body
from shared.web.headers import SecurityHeaders
from shared.web.static_files import HashedStaticFiles
from wherefore.orchestrator.v1.completion_service_pb2 import CompleteRequest, CompleteResponse
from wherefore.orchestrator.v1.explanation_service_pb2 import ExplainRequest, ExplainResponse
from wherefore.orchestrator.v1.recommendation_service_pb2 import (
    RecommendRequest,
    RecommendResponse,
)
from wherefore.orchestrator.v1.search_service_pb2 import (
    SearchRequest,
    SearchResponse,
    SearchStreamRequest,
    SearchStreamResponse,
)
from wherefore.orchestrator.v1.summary_service_pb2 import SummariseRequest, SummariseResponse
from wherefore.orchestrator.v1.user_event_service_pb2 import (
    UserEventServiceWriteRequest,
    UserEventServiceWriteResponse,
)

STATIC: Final = Path(__file__).parent / "static"
_M = TypeVar("_M", bound=Message)
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


@dataclass(frozen=True, slots=True)
class Api:
    """The handlers behind the routes."""

    search: Callable[[SearchRequest], Awaitable[SearchResponse]]
    search_stream: Callable[[SearchStreamRequest], AsyncGenerator[SearchStreamResponse]]
    summarise: Callable[[SummariseRequest], Awaitable[SummariseResponse]]
    explain: Callable[[ExplainRequest], Awaitable[ExplainResponse]]
    complete: Callable[[CompleteRequest], Awaitable[CompleteResponse]]
    recommend: Callable[[RecommendRequest], Awaitable[RecommendResponse]]
    write_event: Callable[[UserEventServiceWriteRequest], Awaitable[UserEventServiceWriteResponse]]
    check_ready: Callable[[], Awaitable[None]]
    deadline_seconds: float


def make_app(api: Api, guard: Guard | None = None, pages: Pages | None = None) -> Starlette:
    """Returns the application.

    Args:
        api: Answers.
        guard: Lets calls in while security is on.
        pages: Answer tenants; see `Door`.
    """
    door = [Middleware(Door, guard, lambda error: _failure(error, {}), pages)] if guard else []
    static = HashedStaticFiles(directory=STATIC)

    async def page(request: Request) -> Response:
        return await static.get_response("index.html", request.scope)

    async def health(_: Request) -> Response:
        try:
            await api.check_ready()
        except WhereforeError as error:
            return JSONResponse({"status": "NOT_SERVING", "reason": error.message}, 503)
        return JSONResponse({"status": "SERVING"})

    return Starlette(
        routes=[
            Route("/", page),
            Route("/healthz", health),
            *api_routes(api),
            Mount("/static", static),
        ],
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(GZipMiddleware, minimum_size=1024),
            *door,
        ],
    )


def api_routes(api: Api) -> list[Route]:
    """Returns the routes that answer from data, without a door."""

    async def search(request: Request) -> Response:
        return await _answer(request, SearchRequest, api.search, api.deadline_seconds)

    async def search_stream(request: Request) -> Response:
        async def begin(
            message: SearchStreamRequest,
        ) -> tuple[SearchStreamResponse, AsyncGenerator[SearchStreamResponse]]:
            parts = api.search_stream(message)
            return await anext(parts), parts  # errors come before the first part

        return await _answer(
            request,
            SearchStreamRequest,
            begin,
            api.deadline_seconds,
            lambda begun, headers: event_stream(*begun, headers),
        )

    async def summarise(request: Request) -> Response:
        return await _answer(request, SummariseRequest, api.summarise, api.deadline_seconds)

    async def explain(request: Request) -> Response:
        return await _answer(request, ExplainRequest, api.explain, api.deadline_seconds)

    async def complete(request: Request) -> Response:
        return await _answer(request, CompleteRequest, api.complete, api.deadline_seconds)

    async def recommend(request: Request) -> Response:
        return await _answer(request, RecommendRequest, api.recommend, api.deadline_seconds)

    async def events(request: Request) -> Response:
        return await _answer(
            request, UserEventServiceWriteRequest, api.write_event, api.deadline_seconds
        )

    return [
        Route("/api/search", search, methods=["POST"]),
        Route("/api/search/stream", search_stream, methods=["POST"]),
        Route("/api/summarise", summarise, methods=["POST"]),
        Route("/api/explain", explain, methods=["POST"]),
        Route("/api/complete", complete, methods=["POST"]),
        Route("/api/recommend", recommend, methods=["POST"]),
        Route("/api/events", events, methods=["POST"]),
    ]


def _json(answer: Message, headers: dict[str, str]) -> Response:
    content = json_format.MessageToDict(answer, always_print_fields_with_no_presence=False)
    return JSONResponse(content, headers=headers)


async def _answer(
    request: Request,
    kind: type[_M],
    handler: Callable[[_M], Awaitable[_A]],
    deadline_seconds: float,
    respond: Callable[[_A, dict[str, str]], Response] = _json,
) -> Response:
    set_request_id(accept_request_id(request.headers.get(REQUEST_ID_KEY)))
    set_current_deadline(Deadline.after(deadline_seconds))
    headers = {REQUEST_ID_KEY: current_request_id()}
    try:
        message = await _message(request, kind)
        async with asyncio.timeout(deadline_seconds):
            answer = await handler(message)
    except TimeoutError:
        return _failure(DeadlineExceededError("no answer in time"), headers)
    except WhereforeError as error:
        return _failure(error, headers)
    return respond(answer, headers)


async def _message(request: Request, kind: type[_M]) -> _M:
    body = await read_json_body(request)
    try:
        message = json_format.Parse(body, kind())
    except (json_format.ParseError, UnicodeDecodeError) as error:
        raise InvalidArgumentError.of("", str(error)[:300]) from error
    if bad := non_finite_fields(message):
        raise InvalidArgumentError(*bad)
    return message


def _failure(error: WhereforeError, headers: dict[str, str]) -> Response:
    status: dict[str, Any] = json_format.MessageToDict(status_proto(error))
    code = _HTTP.get(error.code, HTTPStatus.INTERNAL_SERVER_ERROR)
    return JSONResponse({"error": {**status, "status": error.code.name}}, code, headers)

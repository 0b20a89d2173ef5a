"""The HTTP routes: translate JSON to the messages of the contract and back."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from services.orchestrator.web.account_routes import Accounts, account_routes
from services.orchestrator.web.answering import answer, answer_stream, failure
from services.orchestrator.web.application_routes import application_routes
from services.orchestrator.web.applications import Applications
from services.orchestrator.web.door import Door, Pages
from services.orchestrator.web.picture_routes import picture_routes
from shared.errors import WhereforeError
from shared.security.guard import Guard
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
PAGES: Final = {
    "/": "index.html",
    "/pictures": "pictures.html",
    "/chat": "chat.html",
    "/monitor": "monitor.html",
}
"""What stands at which address."""


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
    thumbnails: Callable[[Sequence[str]], Awaitable[Mapping[str, bytes]]]
    accounts: Accounts
    applications: Applications
    check_ready: Callable[[], Awaitable[None]]
    deadline_seconds: float


def make_app(api: Api, guard: Guard | None = None, pages: Pages | None = None) -> Starlette:
    """Returns the application.

    Args:
        api: Answers.
        guard: Lets calls in while security is on.
        pages: Answer tenants; see `Door`.
    """
    door = [Middleware(Door, guard, lambda error: failure(error, {}), pages)] if guard else []
    static = HashedStaticFiles(directory=STATIC)

    async def page(request: Request) -> Response:
        return await static.get_response(PAGES[request.url.path], request.scope)

    async def health(_: Request) -> Response:
        try:
            await api.check_ready()
        except WhereforeError as error:
            return JSONResponse({"status": "NOT_SERVING", "reason": error.message}, 503)
        return JSONResponse({"status": "SERVING"})

    return Starlette(
        routes=[
            *(Route(path, page) for path in PAGES),
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
        return await answer(request, SearchRequest, api.search, api.deadline_seconds)

    async def search_stream(request: Request) -> Response:
        return await answer_stream(
            request, SearchStreamRequest, api.search_stream, api.deadline_seconds
        )

    async def summarise(request: Request) -> Response:
        return await answer(request, SummariseRequest, api.summarise, api.deadline_seconds)

    async def explain(request: Request) -> Response:
        return await answer(request, ExplainRequest, api.explain, api.deadline_seconds)

    async def complete(request: Request) -> Response:
        return await answer(request, CompleteRequest, api.complete, api.deadline_seconds)

    async def recommend(request: Request) -> Response:
        return await answer(request, RecommendRequest, api.recommend, api.deadline_seconds)

    async def events(request: Request) -> Response:
        return await answer(
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
        *account_routes(lambda: (api.accounts, api.deadline_seconds)),
        *picture_routes(lambda: (api.search, api.thumbnails, api.deadline_seconds)),
        *application_routes(lambda: (api.applications, api.deadline_seconds)),
    ]

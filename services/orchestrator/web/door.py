"""While security is on: lets the calls of the page in by the same rules as those over gRPC."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.errors import PermissionDeniedError, WhereforeError
from shared.request_context import current_tenant
from shared.security.guard import Attempt, Guard

_SERVICES: Final = "/wherefore.orchestrator.v1."
_ASSISTANT: Final = "/wherefore.assistant.v1.AssistantService/"
_INSIGHT: Final = "/wherefore.insight.v1.InsightService/"
METHODS: Final = {
    "/api/search": f"{_SERVICES}SearchService/Search",
    "/api/search/stream": f"{_SERVICES}SearchService/SearchStream",
    "/api/search/pictures": f"{_SERVICES}SearchService/Search",
    "/api/accounts": f"{_SERVICES}SearchService/Search",
    "/api/thumbnails": f"{_SERVICES}SearchService/Search",
    "/api/summarise": f"{_SERVICES}SummaryService/Summarise",
    "/api/explain": f"{_SERVICES}ExplanationService/Explain",
    "/api/complete": f"{_SERVICES}CompletionService/Complete",
    "/api/recommend": f"{_SERVICES}RecommendationService/Recommend",
    "/api/events": f"{_SERVICES}UserEventService/Write",
    "/api/assistant/converse": f"{_ASSISTANT}Converse",
    "/api/assistant/record": f"{_ASSISTANT}RecordAnswer",
    "/api/assistant/end": f"{_ASSISTANT}EndConversation",
    "/api/insight/ingest": f"{_INSIGHT}Ingest",
    "/api/insight/aggregates": f"{_INSIGHT}QueryAggregates",
    "/api/insight/trend": f"{_INSIGHT}GetTrend",
    "/api/insight/alerts": f"{_INSIGHT}ListAlerts",
    "/api/insight/alerts/stream": f"{_INSIGHT}SubscribeAlerts",
    "/api/insight/domain": f"{_INSIGHT}DescribeDomain",
}
"""The method that each route stands for; other routes below /api are let in by nobody."""
_GUARDED: Final = "/api/"
_PAGE_OF_NOBODY: Final = "this page has no data of tenants; they call over gRPC"

Pages = Callable[[str], AbstractAsyncContextManager[ASGIApp]]
"""Lends the routes that answer from a tenant's data, for a call."""


class Door:
    """Asks the guard before a route answers. The page itself and health are open.

    Args:
        app: Answers.
        guard: Decides.
        failure: Makes the response of an error.
        pages: Answer a tenant; who has one is refused when None.
    """

    def __init__(
        self,
        app: ASGIApp,
        guard: Guard,
        failure: Callable[[WhereforeError], Response],
        pages: Pages | None = None,
    ) -> None:
        self._app = app
        self._guard = guard
        self._failure = failure
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        path = str(scope.get("path", ""))
        if scope["type"] != "http" or not path.startswith(_GUARDED):
            await self._app(scope, receive, send)
            return
        client = scope.get("client")
        attempt = Attempt(
            method=METHODS.get(path, path),
            metadata=dict(Headers(scope=scope)),
            peer=f"http:{client[0]}" if client else "http",
        )
        try:
            async with self._guard.admit(attempt):
                tenant = current_tenant()
                if not tenant:
                    await self._app(scope, receive, send)
                elif self._pages is None:
                    raise PermissionDeniedError(_PAGE_OF_NOBODY)
                else:
                    async with self._pages(tenant) as page:
                        await page(scope, receive, send)
        except WhereforeError as error:
            # The routes turn their own errors into answers: these are the door's.
            await self._failure(error)(scope, receive, send)

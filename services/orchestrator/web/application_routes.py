"""The routes of the chat page and of the dashboard."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from google.protobuf.message import Message
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.orchestrator.web.answering import answer, answer_stream
from services.orchestrator.web.applications import FOLLOW_SECONDS, Applications
from wherefore.assistant.v1.assistant_service_pb2 import (
    ConverseRequest,
    EndConversationRequest,
    RecordAnswerRequest,
)
from wherefore.insight.v1.insight_service_pb2 import (
    DescribeDomainRequest,
    GetTrendRequest,
    IngestRequest,
    ListAlertsRequest,
    QueryAggregatesRequest,
    SubscribeAlertsRequest,
)

_M = TypeVar("_M", bound=Message)
_A = TypeVar("_A", bound=Message)


def application_routes(behind: Callable[[], tuple[Applications, float]]) -> list[Route]:
    """Returns the routes that pass on to customer service and monitoring, without a door.

    Args:
        behind: Returns what answers, and the seconds that an answer may take.
    """

    def unary(
        path: str, kind: type[_M], method: Callable[[Applications], Callable[[_M], Awaitable[_A]]]
    ) -> Route:
        async def endpoint(request: Request) -> Response:
            applications, seconds = behind()
            return await answer(request, kind, method(applications), seconds)

        return Route(path, endpoint, methods=["POST"])

    async def converse(request: Request) -> Response:
        applications, seconds = behind()
        return await answer_stream(request, ConverseRequest, applications.converse, seconds)

    async def alert_stream(request: Request) -> Response:
        applications, _ = behind()
        return await answer_stream(
            request, SubscribeAlertsRequest, applications.subscribe_alerts, FOLLOW_SECONDS
        )

    return [
        Route("/api/assistant/converse", converse, methods=["POST"]),
        unary("/api/assistant/record", RecordAnswerRequest, lambda a: a.record_answer),
        unary("/api/assistant/end", EndConversationRequest, lambda a: a.end_conversation),
        unary("/api/insight/ingest", IngestRequest, lambda a: a.ingest),
        unary("/api/insight/aggregates", QueryAggregatesRequest, lambda a: a.query_aggregates),
        unary("/api/insight/trend", GetTrendRequest, lambda a: a.get_trend),
        unary("/api/insight/alerts", ListAlertsRequest, lambda a: a.list_alerts),
        Route("/api/insight/alerts/stream", alert_stream, methods=["POST"]),
        unary("/api/insight/domain", DescribeDomainRequest, lambda a: a.describe_domain),
    ]

"""The routes of the chat page and of the dashboard."""

from collections.abc import Callable

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
    IngestRequest,
    ListAlertsRequest,
    QueryAggregatesRequest,
    SubscribeAlertsRequest,
)


def application_routes(behind: Callable[[], tuple[Applications, float]]) -> list[Route]:
    """Returns the routes that pass on to customer service and monitoring, without a door.

    Args:
        behind: Returns what answers, and the seconds that an answer may take.
    """

    async def converse(request: Request) -> Response:
        applications, seconds = behind()
        return await answer_stream(request, ConverseRequest, applications.converse, seconds)

    async def record_answer(request: Request) -> Response:
        applications, seconds = behind()
        return await answer(request, RecordAnswerRequest, applications.record_answer, seconds)

    async def end_conversation(request: Request) -> Response:
        applications, seconds = behind()
        return await answer(request, EndConversationRequest, applications.end_conversation, seconds)

    async def ingest(request: Request) -> Response:
        applications, seconds = behind()
        return await answer(request, IngestRequest, applications.ingest, seconds)

    async def aggregates(request: Request) -> Response:
        applications, seconds = behind()
        return await answer(request, QueryAggregatesRequest, applications.query_aggregates, seconds)

    async def alerts(request: Request) -> Response:
        applications, seconds = behind()
        return await answer(request, ListAlertsRequest, applications.list_alerts, seconds)

    async def alert_stream(request: Request) -> Response:
        applications, _ = behind()
        return await answer_stream(
            request, SubscribeAlertsRequest, applications.subscribe_alerts, FOLLOW_SECONDS
        )

    async def domain(request: Request) -> Response:
        applications, seconds = behind()
        return await answer(request, DescribeDomainRequest, applications.describe_domain, seconds)

    return [
        Route("/api/assistant/converse", converse, methods=["POST"]),
        Route("/api/assistant/record", record_answer, methods=["POST"]),
        Route("/api/assistant/end", end_conversation, methods=["POST"]),
        Route("/api/insight/ingest", ingest, methods=["POST"]),
        Route("/api/insight/aggregates", aggregates, methods=["POST"]),
        Route("/api/insight/alerts", alerts, methods=["POST"]),
        Route("/api/insight/alerts/stream", alert_stream, methods=["POST"]),
        Route("/api/insight/domain", domain, methods=["POST"]),
    ]

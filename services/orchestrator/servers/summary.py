"""SummaryService: translates."""

from typing import Any

import grpc.aio

from services.orchestrator import validation
from services.orchestrator.summary import ProductSummariser
from shared.request_context import current_request_id
from wherefore.orchestrator.v1 import summary_service_pb2 as pb
from wherefore.orchestrator.v1.summary_service_pb2_grpc import SummaryServiceServicer
from wherefore.reason.v1.summary_pb2 import SummariseRequest


class SummaryServer(SummaryServiceServicer):
    """Serves summaries of products."""

    def __init__(self, summariser: ProductSummariser) -> None:
        self._summariser = summariser

    async def Summarise(  # noqa: N802 # the contract's name
        self,
        request: pb.SummariseRequest,
        context: "grpc.aio.ServicerContext[Any, Any] | None" = None,
    ) -> pb.SummariseResponse:
        """See the contract."""
        found = validation.Violations()
        found.text("product_id", request.product_id, validation.MAX_ID, required=True)
        found.raise_any()
        answer = await self._summariser.summarise(
            request.product_id,
            SummariseRequest(
                reviews=request.reviews,
                language_code=request.language_code,
                max_words=request.max_words,
                max_points=request.max_points,
                style=request.style,
            ),
        )
        return pb.SummariseResponse(
            summary=answer.summary,
            review_summary=answer.review_summary,
            unread_review_count=answer.unread,
            timings=answer.timings,
            degraded=answer.degraded,
            request_id=current_request_id(),
        )

"""ExplanationService: translates."""

from typing import Any, Final

import grpc.aio

from services.orchestrator import validation
from services.orchestrator.explanation import Explainer, ExplainQuery
from services.orchestrator.servers.search import to_query
from shared.request_context import current_request_id
from wherefore.orchestrator.v1 import explanation_service_pb2 as pb
from wherefore.orchestrator.v1.explanation_service_pb2_grpc import ExplanationServiceServicer
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest

MAX_EXPLAINED: Final = 20


class ExplanationServer(ExplanationServiceServicer):
    """Serves explanations."""

    def __init__(self, explainer: Explainer) -> None:
        self._explainer = explainer

    async def Explain(  # noqa: N802 # the contract's name
        self,
        request: pb.ExplainRequest,
        context: "grpc.aio.ServicerContext[Any, Any] | None" = None,
    ) -> pb.ExplainResponse:
        """See the contract."""
        answer = await self._explainer.explain(_to_query(request))
        return pb.ExplainResponse(
            explanations=answer.explanations,
            model=answer.ranked.model,
            base_value=answer.ranked.base_value,
            ranked_count=answer.ranked.ranked_count,
            missing_product_ids=answer.missing,
            applied_filter=answer.ranking.applied_filter,
            timings=answer.timings,
            degraded=answer.degraded,
            request_id=current_request_id(),
        )


def _to_query(request: pb.ExplainRequest) -> ExplainQuery:
    found = validation.Violations()
    ids = list(request.product_ids)
    if len(ids) > MAX_EXPLAINED:
        found.add("product_ids", f"at most {MAX_EXPLAINED}, not {len(ids)}")
    elif len(set(ids)) < len(ids):
        found.add("product_ids", "an id is there twice")
    for index, product_id in enumerate(ids[:MAX_EXPLAINED]):
        found.text(f"product_ids[{index}]", product_id, validation.MAX_ID, required=True)
    found.raise_any()
    # What a search may hold, an explanation of it may: the same checks under the same names.
    search = to_query(
        SearchRequest(
            query=request.query,
            filter=request.filter,
            page_size=validation.page_size(request.page_size, MAX_EXPLAINED, MAX_EXPLAINED),
            user=request.user,
            language_code=request.language_code,
            serving_config=request.serving_config,
            skip_reasons=True,
        )
    )
    return ExplainQuery(search, ids, request.skip_words)

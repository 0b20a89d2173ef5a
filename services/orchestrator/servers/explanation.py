"""ExplanationService: translates."""

from typing import Any, Final

import grpc.aio

from services.orchestrator import validation
from services.orchestrator.explanation import Explainer, ExplainQuery
from services.orchestrator.rankings import Rankings
from services.orchestrator.search_query import SearchQuery
from services.orchestrator.servers.search import to_query
from services.orchestrator.tokens import TokenSigner
from shared.errors import InvalidArgumentError, NotFoundError
from shared.request_context import current_request_id
from wherefore.orchestrator.v1 import explanation_service_pb2 as pb
from wherefore.orchestrator.v1.explanation_service_pb2_grpc import ExplanationServiceServicer
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest

MAX_EXPLAINED: Final = 20


class ExplanationServer(ExplanationServiceServicer):
    """Serves explanations."""

    def __init__(self, explainer: Explainer, rankings: Rankings, signer: TokenSigner) -> None:
        self._explainer = explainer
        self._rankings = rankings
        self._signer = signer

    async def Explain(  # noqa: N802 # the contract's name
        self,
        request: pb.ExplainRequest,
        context: "grpc.aio.ServicerContext[Any, Any] | None" = None,
    ) -> pb.ExplainResponse:
        """See the contract."""
        answer = await self._explainer.explain(self._to_query(request))
        return pb.ExplainResponse(
            explanations=answer.explanations,
            model=answer.ranked.model,
            base_value=answer.ranked.base_value,
            ranked_count=answer.ranked.ranked_count,
            missing_product_ids=answer.missing,
            applied_filter=answer.ranking.told_filter,
            timings=answer.timings,
            degraded=answer.degraded,
            request_id=current_request_id(),
        )

    def _to_query(self, request: pb.ExplainRequest) -> ExplainQuery:
        found = validation.Violations()
        found.product_ids(request.product_ids, MAX_EXPLAINED)
        if request.reading_count < 0:
            found.add("reading_count", "must be at least 0")
        found.raise_any()
        readings = min(request.reading_count, MAX_EXPLAINED)
        if not request.attribution_token:
            return ExplainQuery(
                _to_search(request),
                request.product_ids,
                request.skip_words,
                reading_count=readings,
            )
        for name in ("query", "filter", "serving_config"):
            if getattr(request, name):
                found.add(name, "must be empty with an attribution_token, which stands for it")
        found.raise_any()
        told = self._signer.read_attribution(request.attribution_token)
        kept = self._rankings.kept(told.ranking_id)
        if kept is None:
            raise NotFoundError(
                "the ranking of this attribution_token is no longer kept: send the query"
            )
        if kept.account_id != request.user.account_id:
            raise InvalidArgumentError.of(
                "user.account_id", "is not the account whose ranking this is"
            )
        asked = pb.ExplainRequest()
        asked.CopyFrom(request)
        asked.query = kept.shown_understanding.query
        asked.serving_config = told.serving_config
        return ExplainQuery(
            _to_search(asked, kept=True),
            request.product_ids,
            request.skip_words,
            told.ranking_id,
            readings,
        )


def _to_search(request: pb.ExplainRequest, *, kept: bool = False) -> SearchQuery:
    # What a search may hold, an explanation of it may: the same checks under the same names.
    return to_query(
        SearchRequest(
            query=request.query,
            filter=request.filter,
            page_size=validation.page_size(request.page_size, MAX_EXPLAINED, MAX_EXPLAINED),
            user=request.user,
            language_code=request.language_code,
            serving_config=request.serving_config,
            skip_reasons=True,
        ),
        wordless=kept,
    )

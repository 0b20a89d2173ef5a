"""SearchService: translates."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import grpc.aio

from services.orchestrator import masks, validation
from services.orchestrator.growth import SERVING_CONFIGS
from services.orchestrator.ordering import ORDERS
from services.orchestrator.page_cache import PageCache
from services.orchestrator.pictures.query import check
from services.orchestrator.pictures.sought import LEG
from services.orchestrator.pipeline import SearchPipeline
from services.orchestrator.search_answer import SearchAnswer, StreamEnd
from services.orchestrator.search_query import SearchQuery
from shared.errors import InvalidArgumentError
from shared.request_context import current_request_id
from wherefore.orchestrator.v1.search_service_pb2 import (
    SearchRequest,
    SearchResponse,
    SearchStreamEnd,
    SearchStreamRequest,
    SearchStreamResponse,
)
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceServicer
from wherefore.reason.v1.reason_pb2 import Reason, ReasonClause
from wherefore.retrieval.v1.facet_pb2 import FacetScope

DEFAULT_PAGE = 20
MAX_PAGE = 100


class SearchServer(SearchServiceServicer):
    """Serves searches."""

    def __init__(self, pipeline: SearchPipeline, pages: PageCache) -> None:
        self._pipeline = pipeline
        self._pages = pages

    async def Search(  # noqa: N802 # the contract's name
        self, request: SearchRequest, context: "grpc.aio.ServicerContext[Any, Any] | None" = None
    ) -> SearchResponse:
        """See the contract."""
        query = to_query(request)

        async def search() -> SearchResponse:
            return _response(await self._pipeline.search(query))

        return await self._pages.search(request, search)

    async def SearchStream(  # noqa: N802 # the contract's name
        self,
        request: SearchStreamRequest,
        context: "grpc.aio.ServicerContext[Any, Any] | None" = None,
    ) -> AsyncGenerator[SearchStreamResponse]:
        """See the contract."""
        try:
            query = to_query(request.request)
            parts = self._pipeline.stream(query, by_clause=request.by_clause)
            async with aclosing(parts):
                async for part in parts:
                    yield _part(part)
        except InvalidArgumentError as error:
            raise error.below("request") from error


def _part(part: SearchAnswer | Reason | ReasonClause | StreamEnd) -> SearchStreamResponse:
    if isinstance(part, SearchAnswer):
        return SearchStreamResponse(page=_response(part))
    if isinstance(part, Reason):
        return SearchStreamResponse(reason=part)
    if isinstance(part, ReasonClause):
        return SearchStreamResponse(clause=part)
    return SearchStreamResponse(
        end=SearchStreamEnd(
            timings=part.timings,
            degraded=part.degraded,
            page_nanos=part.page_nanos,
            first_text_nanos=part.said.first_text_nanos,
            reason_writers=part.said.writers if part.said.first_text_nanos else None,
        )
    )


def _response(answer: SearchAnswer) -> SearchResponse:
    ranking = answer.ranking
    response = SearchResponse(
        results=answer.results,
        query=ranking.shown_understanding,
        next_page_token=answer.next_page_token,
        estimated_total=ranking.estimated_total,
        attribution_token=answer.attribution_token,
        timings=answer.timings,
        degraded=answer.degraded,
        request_id=current_request_id(),
        applied_filter=ranking.told_filter,
        relaxed_constraints=ranking.relaxed,
        facets=answer.facets,
        applied_controls=ranking.plan.controls(),
        redirect_uri=ranking.plan.redirect_uri,
        ranking_model=ranking.notes.model,
        experiments=ranking.notes.assigned.told(),
        picture_model=_picture_model(answer),
    )
    # Of no use to a shop, and half of a page's bytes.
    response.query.ClearField("vector")
    return response


def _picture_model(answer: SearchAnswer) -> str:
    """The model whose vectors of pictures were searched: none where the index has others."""
    picture = answer.ranking.picture
    skipped = any(each.stage == f"retrieval.{LEG}" for each in answer.degraded)
    return "" if picture is None or skipped else picture.vectors.vector.model


def to_query(request: SearchRequest, *, wordless: bool = False) -> SearchQuery:
    """Checks a request.

    Args:
        request: What is asked.
        wordless: Whether there may be no words, as a kept ranking stands for them.

    Raises:
        InvalidArgumentError: Names all fields at fault.
    """
    found = validation.Violations()
    pictured = request.HasField("pictures")
    found.text("query", request.query, validation.MAX_QUERY, required=not (pictured or wordless))
    if pictured:
        check(request.pictures, found)
    found.filter(request.filter)
    found.one_of("order_by", request.order_by, list(ORDERS))
    found.one_of("serving_config", request.serving_config, list(SERVING_CONFIGS))
    found.language("language_code", request.language_code)
    found.user(request.user)
    if request.facet_scope not in FacetScope.values():
        found.add("facet_scope", f"{request.facet_scope} is no scope")
    if request.group_variants < 0:
        found.add("group_variants", "must not be negative")
    found.raise_any()
    return SearchQuery(
        query=request.query,
        filter=request.filter.strip(),
        page_size=validation.page_size(request.page_size, DEFAULT_PAGE, MAX_PAGE),
        page_token=request.page_token,
        order_by=request.order_by,
        user=request.user,
        language_code=request.language_code,
        serving_config=request.serving_config or "search",
        read_paths=masks.check_paths(request.read_mask.paths, "read_mask"),
        include_contributions=request.include_contributions,
        skip_reasons=request.skip_reasons,
        keep_spelling=request.keep_spelling,
        facets=request.facets,
        facet_scope=request.facet_scope,
        group_variants=request.group_variants,
        pictures=request.pictures if pictured else None,
    )

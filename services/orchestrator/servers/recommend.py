"""RecommendationService: translates."""

from typing import Any

import grpc.aio

from services.orchestrator import masks, validation
from services.orchestrator.recommend import Recommender
from services.orchestrator.recommend_query import RecommendQuery
from services.orchestrator.serving_configs import (
    FOR_YOU,
    FROM_PRODUCTS,
    OF_THE_PAST,
    REORDER,
    SERVING_CONFIGS,
    SIMILAR,
)
from shared.request_context import current_request_id
from wherefore.orchestrator.v1.recommendation_service_pb2 import (
    RecommendRequest,
    RecommendResponse,
)
from wherefore.orchestrator.v1.recommendation_service_pb2_grpc import (
    RecommendationServiceServicer,
)

DEFAULT_PAGE = 20
MAX_PAGE = 100
MAX_SEEDS = 50


class RecommendationServer(RecommendationServiceServicer):
    """Serves recommendations."""

    def __init__(self, recommender: Recommender) -> None:
        self._recommender = recommender

    async def Recommend(  # noqa: N802 # the contract's name
        self,
        request: RecommendRequest,
        context: "grpc.aio.ServicerContext[Any, Any] | None" = None,
    ) -> RecommendResponse:
        """See the contract."""
        answer = await self._recommender.recommend(to_query(request))
        return RecommendResponse(
            results=answer.results,
            attribution_token=answer.attribution_token,
            timings=answer.timings,
            degraded=answer.degraded,
            request_id=current_request_id(),
            serving_config=answer.serving_config,
            applied_controls=answer.controls,
            ranking_model=answer.notes.model,
            experiments=answer.notes.assigned.told(),
        )


def to_query(request: RecommendRequest) -> RecommendQuery:
    """Checks a request.

    Raises:
        InvalidArgumentError: Names all fields at fault.
    """
    found = validation.Violations()
    ids = list(request.product_ids)
    named_user = request.user.user_id.strip() or request.user.session_id.strip()
    named_account = request.serving_config == REORDER and request.user.account_id.strip()
    if not ids and not named_user and not named_account:
        found.add("user", "give a user, or product_ids")
    found.product_ids(ids, MAX_SEEDS)
    config = request.serving_config or (SIMILAR if ids else FOR_YOU)
    found.one_of("serving_config", config, SERVING_CONFIGS)
    if config in FROM_PRODUCTS and not ids:
        found.add("product_ids", f'the configuration "{config}" needs products to start from')
    if config in OF_THE_PAST and not named_user and not named_account:
        found.add("user", f'the configuration "{config}" needs a user')
    found.filter(request.filter)
    found.language("language_code", request.language_code)
    found.user(request.user)
    found.raise_any()
    return RecommendQuery(
        user=request.user,
        product_ids=ids,
        serving_config=config,
        filter=request.filter.strip(),
        page_size=validation.page_size(request.page_size, DEFAULT_PAGE, MAX_PAGE),
        language_code=request.language_code,
        read_paths=masks.check_paths(request.read_mask.paths, "read_mask"),
        include_contributions=request.include_contributions,
        skip_reasons=request.skip_reasons,
        include_bought=request.include_bought,
    )

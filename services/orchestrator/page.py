"""Turns a slice of a ranking into what is shown: whole products, each with its reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from google.protobuf.field_mask_pb2 import FieldMask

from services.orchestrator import masks
from services.orchestrator.budget import ask_again, stage_timeout
from services.orchestrator.clients import Clients
from services.orchestrator.fallback import Degradations
from shared.errors import WhereforeError
from shared.text.language import primary_language
from shared.timing import StageTimer
from wherefore.common.v1.user_profile_pb2 import UserProfile
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding
from wherefore.orchestrator.v1.result_pb2 import Result
from wherefore.ranking.v1.ranked_result_pb2 import RankedResult
from wherefore.reason.v1.reason_service_pb2 import ExplainItem, ExplainRequest
from wherefore.recommend.v1.relation_pb2 import Relation
from wherefore.retrieval.v1.price_standing_pb2 import PriceStanding
from wherefore.retrieval.v1.retrieval_service_pb2 import GetProductsRequest, GetProductsResponse


@dataclass(frozen=True, slots=True)
class PageView:
    """How a page is to be shown."""

    read_paths: Sequence[str]
    skip_reasons: bool
    language_code: str
    query: QueryUnderstanding | None
    profile: UserProfile | None
    anchors: Mapping[str, str] = field(default_factory=dict[str, str])
    """Id of the user's product that a product was recommended for, by its id."""
    relations: Mapping[str, Sequence[Relation]] = field(
        default_factory=dict[str, Sequence[Relation]]
    )
    """What ties a product to others or to the user, by its id."""


class PageBuilder:
    """Fills pages."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def build(
        self,
        results: Sequence[Result],
        first_rank: int,
        view: PageView,
        timer: StageTimer,
        degradations: Degradations,
    ) -> list[Result]:
        """Returns the results with products, ranks and reasons.

        A product that was deleted since it was ranked is left out; ranks keep their place.

        Raises:
            UnavailableError: Retrieval does not answer.
        """
        if not results:
            return []
        found = await self._products([r.product.id for r in results], view, timer)
        products = {product.id: product for product in found.products}
        page: list[Result] = []
        for rank, result in enumerate(results, start=first_rank):
            if product := products.get(result.product.id):
                result.rank = rank
                result.product.CopyFrom(product)
                page.append(result)
        if page and not view.skip_reasons:
            await self._explain(page, found.price_standings, view, timer, degradations)
        for result in page:
            trimmed = masks.trim_for_search(result.product, view.read_paths)
            if trimmed is not result.product:
                result.product.CopyFrom(trimmed)
        return page

    async def _products(
        self, ids: Sequence[str], view: PageView, timer: StageTimer
    ) -> GetProductsResponse:
        # A reason is made of all that is known of a product; without reasons, of what is shown.
        paths: list[str] = []
        if view.skip_reasons:
            given = masks.top_level(view.read_paths)
            paths = given if view.read_paths else masks.default_read_fields()
        with timer.stage("retrieval.products"):
            request = GetProductsRequest(
                product_ids=ids,
                read_mask=FieldMask(paths=paths),
                include_price_standings=not view.skip_reasons,
            )
            return await ask_again(
                partial(self._clients.get_products, request),
                self._clients.settings.budgets.products,
            )

    async def _explain(
        self,
        page: Sequence[Result],
        standings: Mapping[str, PriceStanding],
        view: PageView,
        timer: StageTimer,
        degradations: Degradations,
    ) -> None:
        request = ExplainRequest(
            query=view.query,
            user=view.profile,
            items=(_item(result, standings, view) for result in page),
            language_code=_reason_language(view),
        )
        started = timer.elapsed_nanos()
        try:
            with timer.stage("reason"):
                response = await self._clients.explain(
                    request, stage_timeout(self._clients.settings.budgets.reason)
                )
        except WhereforeError as error:
            degradations.note("reason", error)
            return
        timer.merge((t for t in response.timings if t.stage != "reason"), started)
        degradations.pass_on(response.degraded)
        reasons = {reason.product_id: reason for reason in response.reasons}
        for result in page:
            if reason := reasons.get(result.product.id):
                result.reason.CopyFrom(reason)


def _item(result: Result, standings: Mapping[str, PriceStanding], view: PageView) -> ExplainItem:
    anchor = view.anchors.get(result.product.id)
    return ExplainItem(
        product=result.product,
        result=RankedResult(
            product_id=result.product.id,
            rank=result.rank,
            score=result.score,
            confidence=result.confidence,
            contributions=result.contributions,
        ),
        anchor_product_ids=[anchor] if anchor else [],
        relations=view.relations.get(result.product.id, ()),
        price_standing=standings.get(result.product.id),
        legs=result.legs,
    )


def _reason_language(view: PageView) -> str:
    """Returns "zh" or "en", or nothing for the query's own; other languages are told in English."""
    primary = primary_language(view.language_code)
    if not primary:
        return "" if view.query is not None else "en"
    return primary if primary in ("zh", "en") else "en"

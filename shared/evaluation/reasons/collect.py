"""Asks a running suite for reasons, with the records that each must rest on."""

from __future__ import annotations

import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import TYPE_CHECKING, Final

from google.protobuf.field_mask_pb2 import FieldMask

from shared.evaluation.claims import Beside, Record, Seen
from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.user_event_pb2 import (
    USER_EVENT_TYPE_CLICK,
    USER_EVENT_TYPE_PURCHASE,
    UserEvent,
)
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding
from wherefore.orchestrator.v1.recommendation_service_pb2 import RecommendRequest, RecommendResponse
from wherefore.orchestrator.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest, SearchResponse
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.orchestrator.v1.user_event_service_pb2 import UserEventServiceWriteRequest
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub
from wherefore.ranking.v1.ranked_result_pb2 import Contribution
from wherefore.reason.v1.reason_pb2 import Reason
from wherefore.retrieval.v1.candidate_pb2 import LegScore
from wherefore.retrieval.v1.retrieval_service_pb2 import (
    GetProductsRequest,
    ListProductsRequest,
    StatsRequest,
)
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub

if TYPE_CHECKING:
    import grpc.aio

PAGE = 10
SEARCH: Final = "search"
FOR_YOU: Final = "for-you"
BESIDE: Final = ("similar", "complements", "up-sell", "you-may-also-like")
"""Serving configs of a product at hand, which take turns."""
_TIMEOUT_SECONDS = 30.0
_STAGE = "reason"
_LISTED = 1_000
_PRICED = FieldMask(paths=["id", "category_path", "variant_group_id", "price"])


@dataclass(frozen=True, slots=True)
class GivenReason:
    """A reason and what it must rest on."""

    reason: Reason
    record: Record
    legs: Sequence[LegScore] = ()
    """Where the legs of the search placed the product."""
    contributions: Sequence[Contribution] = ()
    """What features added to its score."""


@dataclass(frozen=True, slots=True)
class ReasonPage:
    """The reasons of one page of results."""

    query: str
    reasons: Sequence[GivenReason]
    history: Sequence[Seen] = ()
    """What the user did before; empty for a visitor nobody knows."""
    degraded: Sequence[str] = ()
    """Stages that the answer went without."""
    understanding: QueryUnderstanding = field(default_factory=QueryUnderstanding)
    """What the query was taken to mean."""
    milliseconds: float | None = None
    """That the reasons took, as the orchestrator saw it."""
    kind: str = SEARCH
    """"search", or the serving config of a recommendation."""

    @property
    def texts(self) -> list[str]:
        """The sentences, in order; "" where there is none."""
        return [given.reason.text for given in self.reasons]


async def collect_pages(
    orchestrator: grpc.aio.Channel,
    retrieval: grpc.aio.Channel,
    queries: Sequence[str],
    *,
    on_query: Callable[[str], None] = lambda _query: None,
) -> list[ReasonPage]:
    """Searches each query as a visitor nobody knows, and again as a user with a history.

    The user looked at the first result and, every other time, bought it, and then asks again, and
    for recommendations. A visitor nobody knows asks what goes with that product.

    Raises:
        grpc.aio.AioRpcError: The suite refuses a query or does not answer.
    """
    search, events = SearchServiceStub(orchestrator), UserEventServiceStub(orchestrator)
    recommend = RecommendationServiceStub(orchestrator)
    records = await _Records.of(retrieval)
    pages: list[ReasonPage] = []
    for number, (query, config) in enumerate(zip(queries, cycle(BESIDE), strict=False)):
        request = SearchRequest(query=query, page_size=PAGE, include_contributions=True)
        first = await search.Search(request, timeout=_TIMEOUT_SECONDS)
        pages.append(await records.page(first, query))
        if first.results:
            shown = first.results[0]
            bought = number % 2 == 1
            event = UserEvent(
                type=USER_EVENT_TYPE_PURCHASE if bought else USER_EVENT_TYPE_CLICK,
                user_id=f"evaluation-{uuid.uuid4().hex}",
                attribution_token=first.attribution_token,
            )
            event.products.add(product_id=shown.product.id, quantity=1)
            await events.Write(UserEventServiceWriteRequest(event=event), timeout=_TIMEOUT_SECONDS)
            request.user.user_id = event.user_id
            again = await search.Search(request, timeout=_TIMEOUT_SECONDS)
            seen = [Seen(pages[-1].reasons[0].record.product, bought)]
            pages.append(await records.page(again, query, seen))
            wanted = RecommendRequest(
                serving_config=FOR_YOU,
                page_size=PAGE,
                language_code=shown.reason.language_code,
                include_contributions=True,
            )
            wanted.user.user_id = event.user_id
            for_you = await recommend.Recommend(wanted, timeout=_TIMEOUT_SECONDS)
            pages.append(await records.page(for_you, "", seen))
            wanted.ClearField("user")
            wanted.serving_config = config
            wanted.product_ids.append(shown.product.id)
            beside = await recommend.Recommend(wanted, timeout=_TIMEOUT_SECONDS)
            pages.append(await records.page(beside, "", beside=seen[0].product))
        on_query(query)
    return pages


class _Records:
    """The catalogue as retrieval keeps it."""

    def __init__(self, retrieval: grpc.aio.Channel, priced: Sequence[Product]) -> None:
        self._retrieval = RetrievalServiceStub(retrieval)
        self._by_category: Mapping[tuple[str, ...], list[Product]] = defaultdict(list)
        for product in priced:
            self._by_category[tuple(product.category_path)].append(product)

    @classmethod
    async def of(cls, retrieval: grpc.aio.Channel) -> _Records:
        """Reads prices and categories of all products."""
        stub = RetrievalServiceStub(retrieval)
        priced: list[Product] = []
        # Right after an import nobody has read the terms yet, and with them where prices stand.
        await stub.Stats(StatsRequest(include_terms=True), timeout=_TIMEOUT_SECONDS)
        request = ListProductsRequest(page_size=_LISTED, read_mask=_PRICED)
        while True:
            listed = await stub.ListProducts(request, timeout=_TIMEOUT_SECONDS)
            priced += listed.products
            request.after_id = listed.next_after_id
            if not request.after_id:
                return cls(retrieval, priced)

    async def page(
        self,
        response: SearchResponse | RecommendResponse,
        query: str,
        history: Sequence[Seen] = (),
        beside: Product | None = None,
    ) -> ReasonPage:
        """Puts each reason of an answer beside what it must rest on."""
        ids = [result.product.id for result in response.results]
        whole: dict[str, Product] = {}
        if ids:
            # As the catalogue has them, not as the answer shows them.
            found = await self._retrieval.GetProducts(
                GetProductsRequest(product_ids=ids), timeout=_TIMEOUT_SECONDS
            )
            whole = {product.id: product for product in found.products}
        page = [whole[i] for i in ids]
        near: dict[str, Beside] = {}
        if beside is not None:
            other = Beside(
                rating=beside.review_summary.average_rating,
                brand=beside.brand,
                category_path=tuple(beside.category_path),
                product=beside,
            )
            near = dict.fromkeys(beside.titles.values(), other)
        now = time.time()
        reasons = [
            GivenReason(
                result.reason,
                Record(
                    product,
                    query,
                    page,
                    history,
                    near,
                    now,
                    self._by_category[tuple(product.category_path)],
                    [leg.leg for leg in result.legs],
                    [each.feature for each in result.contributions if each.contribution > 0],
                ),
                tuple(result.legs),
                tuple(result.contributions),
            )
            for result, product in zip(response.results, page, strict=True)
        ]
        searched = isinstance(response, SearchResponse)
        return ReasonPage(
            query,
            reasons,
            history,
            [degradation.stage for degradation in response.degraded],
            response.query if searched else QueryUnderstanding(),
            next((t.duration_nanos / 1e6 for t in response.timings if t.stage == _STAGE), None),
            SEARCH if searched else response.serving_config,
        )

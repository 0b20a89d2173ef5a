"""Asks a running suite for reasons, with the records that each must rest on."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shared.evaluation.claims import Record, Seen
from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.user_event_pb2 import (
    USER_EVENT_TYPE_CLICK,
    USER_EVENT_TYPE_PURCHASE,
    UserEvent,
)
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest, SearchResponse
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.orchestrator.v1.user_event_service_pb2 import UserEventServiceWriteRequest
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub
from wherefore.reason.v1.reason_pb2 import Reason
from wherefore.retrieval.v1.retrieval_service_pb2 import GetProductsRequest
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub

if TYPE_CHECKING:
    import grpc.aio

PAGE = 10
_TIMEOUT_SECONDS = 30.0
_STAGE = "reason"


@dataclass(frozen=True, slots=True)
class GivenReason:
    """A reason and what it must rest on."""

    reason: Reason
    record: Record


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

    The user looked at the first result and, every other time, bought it, and then asks again.

    Raises:
        grpc.aio.AioRpcError: The suite refuses a query or does not answer.
    """
    search, events = SearchServiceStub(orchestrator), UserEventServiceStub(orchestrator)
    pages: list[ReasonPage] = []
    for number, query in enumerate(queries):
        request = SearchRequest(query=query, page_size=PAGE)
        first = await search.Search(request, timeout=_TIMEOUT_SECONDS)
        pages.append(await _page(retrieval, query, first, ()))
        if first.results:
            bought = number % 2 == 1
            event = UserEvent(
                type=USER_EVENT_TYPE_PURCHASE if bought else USER_EVENT_TYPE_CLICK,
                user_id=f"evaluation-{uuid.uuid4().hex}",
                attribution_token=first.attribution_token,
            )
            event.products.add(product_id=first.results[0].product.id, quantity=1)
            await events.Write(UserEventServiceWriteRequest(event=event), timeout=_TIMEOUT_SECONDS)
            request.user.user_id = event.user_id
            again = await search.Search(request, timeout=_TIMEOUT_SECONDS)
            seen = [Seen(pages[-1].reasons[0].record.product, bought)]
            pages.append(await _page(retrieval, query, again, seen))
        on_query(query)
    return pages


async def _page(
    retrieval: grpc.aio.Channel, query: str, response: SearchResponse, history: Sequence[Seen]
) -> ReasonPage:
    ids = [result.product.id for result in response.results]
    whole: dict[str, Product] = {}
    if ids:
        # As the catalogue has them, not as the answer shows them.
        found = await RetrievalServiceStub(retrieval).GetProducts(
            GetProductsRequest(product_ids=ids), timeout=_TIMEOUT_SECONDS
        )
        whole = {product.id: product for product in found.products}
    page = [whole[i] for i in ids]
    now = time.time()
    return ReasonPage(
        query,
        [
            GivenReason(
                result.reason,
                Record(whole[result.product.id], query, page, history, now=now),
            )
            for result in response.results
        ],
        history,
        [degradation.stage for degradation in response.degraded],
        response.query,
        next((t.duration_nanos / 1e6 for t in response.timings if t.stage == _STAGE), None),
    )

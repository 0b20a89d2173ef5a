"""Evidence that comes from the whole path: prices of a category, and what shoppers chose."""

import uuid

import grpc

from shared.suite import Suite
from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.user_event_pb2 import USER_EVENT_TYPE_PURCHASE, UserEvent
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.orchestrator.v1.user_event_service_pb2 import UserEventServiceWriteRequest
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub
from wherefore.retrieval.v1.retrieval_service_pb2 import (
    GetProductsRequest,
    ListProductsRequest,
    StatsRequest,
)
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub


async def test_where_prices_stand_is_counted_over_the_whole_category(
    suite: Suite, channel: grpc.aio.Channel
) -> None:
    search = SearchServiceStub(channel)
    async with grpc.aio.insecure_channel(suite.target("retrieval")) as opened:
        retrieval = RetrievalServiceStub(opened)
        await retrieval.Stats(StatsRequest(include_terms=True))
        request = SearchRequest(query="dresses", page_size=50, order_by="price")
        response = await search.Search(request)
        told = {
            result.product.id: evidence.value
            for result in response.results
            for evidence in result.reason.evidence
            if evidence.code == "price_in_category"
        }
        assert told
        ids = list(told)[:3]
        own = await retrieval.GetProducts(GetProductsRequest(product_ids=ids))
        others = await _all(retrieval)
    for product in own.products:
        lowest: dict[str, float] = {}
        for other in others:
            group = other.variant_group_id or other.id
            if list(other.category_path) == list(product.category_path) and (
                group != (product.variant_group_id or product.id)
            ):
                lowest[group] = min(lowest.get(group, other.price.amount), other.price.amount)
        dearer = sum(price > product.price.amount for price in lowest.values())
        assert told[product.id] == f"{dearer} {len(lowest)}"


async def test_what_shoppers_chose_after_a_search_is_said(channel: grpc.aio.Channel) -> None:
    search, events = SearchServiceStub(channel), UserEventServiceStub(channel)
    request = SearchRequest(query="something quite unlike the rest", page_size=20)
    chosen = (await search.Search(request)).results[-1].product.id
    for _ in range(3):
        event = UserEvent(
            type=USER_EVENT_TYPE_PURCHASE, user_id=f"it-{uuid.uuid4().hex}", query=request.query
        )
        event.products.add(product_id=chosen, quantity=1, position=20)
        await events.Write(UserEventServiceWriteRequest(event=event))
    found = {r.product.id: r.reason for r in (await search.Search(request)).results}
    assert "chosen_before" in found[chosen].codes, found[chosen].text
    for product_id, reason in found.items():
        assert (product_id == chosen) == ("chosen_before" in reason.codes)


async def _all(retrieval: RetrievalServiceStub) -> list[Product]:
    found: list[Product] = []
    after = ""
    while True:
        page = await retrieval.ListProducts(ListProductsRequest(page_size=1000, after_id=after))
        found += page.products
        if not (after := page.next_after_id):
            return found

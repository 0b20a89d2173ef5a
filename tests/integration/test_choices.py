"""What shoppers chose after a query is nearer to the top for the next who asks the same."""

import uuid

import grpc
import pytest

from wherefore.common.v1.user_event_pb2 import USER_EVENT_TYPE_PURCHASE, UserEvent
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest, SearchResponse
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.orchestrator.v1.user_event_service_pb2 import UserEventServiceWriteRequest
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub

pytestmark = pytest.mark.suite


@pytest.mark.parametrize("query", ["bamboo cutting board large", "儿童雨衣 黄色"])
async def test_the_next_search_knows(channel: grpc.aio.Channel, query: str) -> None:
    search, events = SearchServiceStub(channel), UserEventServiceStub(channel)

    async def ask() -> SearchResponse:
        return await search.Search(
            SearchRequest(query=query, page_size=50, skip_reasons=True), timeout=10
        )

    before = await ask()
    chosen = before.results[20].product.id
    for _ in range(3):
        event = UserEvent(
            type=USER_EVENT_TYPE_PURCHASE,
            user_id=f"chooser-{uuid.uuid4().hex}",
            query=query,
            attribution_token=before.attribution_token,
        )
        event.products.add(product_id=chosen, quantity=1, position=21)
        await events.Write(UserEventServiceWriteRequest(event=event), timeout=5)
    after = await ask()
    ranks = {result.product.id: result for result in after.results}
    assert ranks[chosen].rank < 18  # from 21; how far depends on what other tests wrote
    assert "chosen" in {leg.leg for leg in ranks[chosen].legs}

"""What is written, events and products, is in the next answer, through real services."""

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from wherefore.common.v1.product_pb2 import AVAILABILITY_IN_STOCK, Price, Product, Stock
from wherefore.common.v1.user_event_pb2 import (
    USER_EVENT_TYPE_PURCHASE,
    USER_EVENT_TYPE_VIEW,
    ProductDetail,
    UserEvent,
)
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1.product_service_pb2 import (
    ProductServiceDeleteRequest,
    ProductServiceGetRequest,
    ProductServiceUpdateRequest,
)
from wherefore.orchestrator.v1.product_service_pb2_grpc import ProductServiceStub
from wherefore.orchestrator.v1.recommendation_service_pb2 import RecommendRequest
from wherefore.orchestrator.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.orchestrator.v1.user_event_service_pb2 import UserEventServiceWriteRequest
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub

pytestmark = pytest.mark.suite
TIMEOUT = 5.0


async def test_what_a_user_did_changes_the_next_recommendation(channel: grpc.aio.Channel) -> None:
    recommend = RecommendationServiceStub(channel).Recommend
    request = RecommendRequest(user=UserContext(user_id="it-user-1"), page_size=10)
    cold = await recommend(request, timeout=TIMEOUT)
    assert cold.serving_config == "popular"
    assert len(cold.results) == 10
    search = await SearchServiceStub(channel).Search(
        SearchRequest(query="yoga mat"), timeout=TIMEOUT
    )
    viewed = search.results[0].product
    await UserEventServiceStub(channel).Write(
        UserEventServiceWriteRequest(
            event=UserEvent(
                type=USER_EVENT_TYPE_VIEW,
                user_id="it-user-1",
                products=[ProductDetail(product_id=viewed.id)],
                attribution_token=search.attribution_token,
            )
        ),
        timeout=TIMEOUT,
    )
    warm = await recommend(request, timeout=TIMEOUT)
    assert warm.serving_config == "for-you"
    assert [r.product.id for r in warm.results] != [r.product.id for r in cold.results]
    same = sum(list(r.product.category_path) == list(viewed.category_path) for r in warm.results)
    assert same >= 3
    assert all(r.reason.text for r in warm.results)

    request.language_code = "zh"
    chinese = await recommend(request, timeout=TIMEOUT)
    because = [r.reason for r in chinese.results if "because_you_viewed" in r.reason.codes]
    assert because
    assert all(viewed.titles["zh"] in reason.text for reason in because)


async def test_what_a_user_bought_is_not_recommended_again(channel: grpc.aio.Channel) -> None:
    search = await SearchServiceStub(channel).Search(SearchRequest(query="teapot"), timeout=TIMEOUT)
    bought = [r.product.id for r in search.results[:3]]
    await UserEventServiceStub(channel).Write(
        UserEventServiceWriteRequest(
            event=UserEvent(
                type=USER_EVENT_TYPE_PURCHASE,
                user_id="it-user-2",
                products=[ProductDetail(product_id=product_id) for product_id in bought],
            )
        ),
        timeout=TIMEOUT,
    )
    response = await RecommendationServiceStub(channel).Recommend(
        RecommendRequest(user=UserContext(user_id="it-user-2")), timeout=TIMEOUT
    )
    assert response.results
    assert not set(bought) & {r.product.id for r in response.results}


async def test_similar_products(channel: grpc.aio.Channel) -> None:
    search = await SearchServiceStub(channel).Search(
        SearchRequest(query="running shoes"), timeout=TIMEOUT
    )
    anchor = search.results[0].product
    response = await RecommendationServiceStub(channel).Recommend(
        RecommendRequest(product_ids=[anchor.id], page_size=10), timeout=TIMEOUT
    )
    assert response.serving_config == "similar"
    assert anchor.id not in {r.product.id for r in response.results}
    tops = [r.product.category_path[0] for r in response.results]
    assert tops.count(anchor.category_path[0]) >= 7


async def test_a_written_product_is_found_by_the_next_search(channel: grpc.aio.Channel) -> None:
    products, search = ProductServiceStub(channel), SearchServiceStub(channel)
    product = Product(
        id="it-theremin-1",
        titles={"en": "Zyxquor theremin with walnut case", "zh": "胡桃木特雷门琴"},
        brand="Zyxquor",
        category_path=["Music", "Theremins"],
        price=Price(currency_code="CNY", amount=1299),
        stock=Stock(availability=AVAILABILITY_IN_STOCK),
    )
    written = await products.Update(
        ProductServiceUpdateRequest(product=product, allow_missing=True), timeout=TIMEOUT
    )
    assert written.product.etag
    found = await search.Search(SearchRequest(query="zyxquor theremin"), timeout=TIMEOUT)
    assert found.results[0].product.id == product.id

    change = Product(id=product.id, price=Price(currency_code="CNY", amount=999))
    await products.Update(
        ProductServiceUpdateRequest(product=change, update_mask=FieldMask(paths=["price"])),
        timeout=TIMEOUT,
    )
    read = await products.Get(ProductServiceGetRequest(product_id=product.id), timeout=TIMEOUT)
    assert read.product.price.amount == 999
    assert read.product.brand == "Zyxquor"

    stale = ProductServiceUpdateRequest(product=change)
    stale.product.etag = written.product.etag
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await products.Update(stale, timeout=TIMEOUT)
    assert error.value.code() == grpc.StatusCode.ABORTED

    await products.Delete(ProductServiceDeleteRequest(product_id=product.id), timeout=TIMEOUT)
    gone = await search.Search(SearchRequest(query="zyxquor theremin"), timeout=TIMEOUT)
    assert product.id not in {r.product.id for r in gone.results}
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await products.Get(ProductServiceGetRequest(product_id=product.id), timeout=TIMEOUT)
    assert error.value.code() == grpc.StatusCode.NOT_FOUND

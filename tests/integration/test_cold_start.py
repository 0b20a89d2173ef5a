"""A user and a product that nobody knows yet: every serving config finds something sensible."""

import uuid
from collections.abc import AsyncIterator, Sequence

import grpc
import pytest
import pytest_asyncio

from tests.integration.test_recommendation import TIMEOUT, ask, ids_of, some, somebody, until, write
from wherefore.common.v1.product_pb2 import AVAILABILITY_IN_STOCK, Product
from wherefore.common.v1.user_event_pb2 import USER_EVENT_TYPE_PURCHASE, USER_EVENT_TYPE_VIEW
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1.product_service_pb2 import (
    ProductServiceDeleteRequest,
    ProductServiceUpdateRequest,
)
from wherefore.orchestrator.v1.product_service_pb2_grpc import ProductServiceStub
from wherefore.orchestrator.v1.recommendation_service_pb2 import RecommendResponse

pytestmark = pytest.mark.suite

FROM_PRODUCTS = (
    "similar", "frequently-bought-together", "you-may-also-like", "complements", "up-sell",
)  # fmt: skip
LANGUAGES = ("en", "zh")


@pytest_asyncio.fixture
async def newcomer(channel: grpc.aio.Channel) -> AsyncIterator[Product]:
    """A pillow that came in a moment ago: a title, a category and a price are all there is."""
    (known,) = await some(channel, "pillow", 1)
    product = Product(
        id=f"it-new-{uuid.uuid4().hex[:8]}",
        titles={"en": "Buckwheat pillow with linen cover", "zh": "亚麻枕套荞麦枕头"},
        category_path=known.category_path,
        price=known.price,
    )
    product.price.list_amount = 0
    product.stock.availability = AVAILABILITY_IN_STOCK
    products = ProductServiceStub(channel)
    request = ProductServiceUpdateRequest(product=product, allow_missing=True)
    # On a busy machine it may have gone in without its vector.
    await until(
        lambda: products.Update(request, timeout=TIMEOUT), lambda response: not response.degraded
    )
    yield product
    await products.Delete(ProductServiceDeleteRequest(product_id=product.id), timeout=TIMEOUT)


def check_page(answer: RecommendResponse, without: Sequence[str] = ()) -> None:
    """Something is shown, once each, nothing that was given, and each says why."""
    ids = ids_of(answer)
    assert len(ids) >= 3
    assert len(set(ids)) == len(ids)
    assert not set(without) & set(ids)
    assert not answer.degraded
    assert all(result.reason.text for result in answer.results)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("config", ["for-you", "popular", "buy-again"])
async def test_a_new_user_is_shown_what_is_popular(
    channel: grpc.aio.Channel, config: str, language: str
) -> None:
    for user in (UserContext(user_id=somebody()), UserContext(session_id=somebody())):
        answer = await ask(channel, config, user=user, language_code=language)
        check_page(answer)
        assert answer.serving_config == "popular"
        assert {leg.leg for result in answer.results for leg in result.legs} == {"popular"}
        told = [result for result in answer.results if "popular" in result.reason.codes]
        assert told
        for result in told:
            assert f"{result.product.statistics.purchase_count:,}" in result.reason.text
        groups = [r.product.variant_group_id for r in answer.results if r.product.variant_group_id]
        assert len(set(groups)) == len(groups)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("config", FROM_PRODUCTS)
async def test_a_new_user_beside_a_new_product(
    channel: grpc.aio.Channel, newcomer: Product, config: str, language: str
) -> None:
    user = UserContext(user_id=somebody())
    fields = {"product_ids": [newcomer.id], "user": user, "language_code": language}
    answer = await until(
        lambda: ask(channel, config, **fields),
        lambda answer: not answer.degraded,
    )
    check_page(answer, [newcomer.id])
    roots = {result.product.category_path[0] for result in answer.results}
    assert roots == {newcomer.category_path[0]}
    if answer.serving_config == "similar":
        for result in answer.results:
            if "similar_to" in result.reason.codes:
                assert newcomer.titles[language] in result.reason.text
        assert any("similar_to" in result.reason.codes for result in answer.results)


async def test_a_new_product_is_recommended_for_what_it_is(
    channel: grpc.aio.Channel, newcomer: Product
) -> None:
    found = await some(channel, "buckwheat pillow linen cover", 5)
    assert newcomer.id in [product.id for product in found]
    (beside, *_) = [p for p in await some(channel, "pillow", 2) if p.id != newcomer.id]
    assert list(beside.category_path) == list(newcomer.category_path)
    fields = {"page_size": 100}
    near = await ask(channel, "similar", product_ids=[beside.id], **fields)
    assert newcomer.id in ids_of(near)
    user = UserContext(user_id=somebody())
    await write(channel, USER_EVENT_TYPE_VIEW, user.user_id, [beside.id])
    mine = await ask(channel, "for-you", user=user, **fields)
    assert mine.serving_config == "for-you"
    assert newcomer.id in ids_of(mine)


async def test_the_first_event_of_a_new_user_counts_at_once(
    channel: grpc.aio.Channel, newcomer: Product
) -> None:
    user = UserContext(user_id=somebody())
    assert (await ask(channel, "for-you", user=user)).serving_config == "popular"
    await write(channel, USER_EVENT_TYPE_PURCHASE, user.user_id, [newcomer.id])
    mine = await ask(channel, "for-you", user=user)
    check_page(mine, [newcomer.id])
    assert mine.serving_config == "for-you"
    told = [r.reason.text for r in mine.results if "because_you_bought" in r.reason.codes]
    assert told
    assert all(newcomer.titles["en"] in text for text in told)
    again = await ask(channel, "buy-again", user=user)
    assert ids_of(again) == [newcomer.id]

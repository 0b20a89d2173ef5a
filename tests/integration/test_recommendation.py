"""Each serving config through the whole suite: events are written, then it is asked."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from shared.suite import Suite
from wherefore.common.v1.product_pb2 import AVAILABILITY_OUT_OF_STOCK, Product
from wherefore.common.v1.user_event_pb2 import (
    USER_EVENT_TYPE_PURCHASE,
    USER_EVENT_TYPE_VIEW,
    ProductDetail,
    UserEvent,
)
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1.product_service_pb2 import (
    ProductServiceDeleteRequest,
    ProductServiceUpdateRequest,
)
from wherefore.orchestrator.v1.product_service_pb2_grpc import ProductServiceStub
from wherefore.orchestrator.v1.recommendation_service_pb2 import (
    RecommendRequest,
    RecommendResponse,
)
from wherefore.orchestrator.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.orchestrator.v1.user_event_service_pb2 import UserEventServiceWriteRequest
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub

pytestmark = pytest.mark.suite

T = TypeVar("T")
TIMEOUT = 5.0
PATIENCE_SECONDS = 60
DAY = 86_400


async def some(channel: grpc.aio.Channel, query: str, count: int) -> list[Product]:
    request = SearchRequest(query=query, page_size=100)
    found = await SearchServiceStub(channel).Search(request, timeout=TIMEOUT)
    bought = [
        r.product
        for r in found.results
        if r.product.stock.availability != AVAILABILITY_OUT_OF_STOCK
    ]
    return bought[:count]


async def write(
    channel: grpc.aio.Channel, kind: int, user: str, ids: Sequence[str], days_ago: int = 0
) -> None:
    event = UserEvent(
        type=kind,  # type: ignore[arg-type]
        user_id=user,
        products=[ProductDetail(product_id=i) for i in ids],
    )
    if days_ago:
        now = Timestamp()
        now.GetCurrentTime()
        event.event_time.seconds = now.seconds - days_ago * DAY - 60
    request = UserEventServiceWriteRequest(event=event)
    await UserEventServiceStub(channel).Write(request, timeout=TIMEOUT)


async def ask(channel: grpc.aio.Channel, config: str, **fields: Any) -> RecommendResponse:
    request = RecommendRequest(serving_config=config, **fields)
    return await RecommendationServiceStub(channel).Recommend(request, timeout=TIMEOUT)


def ids_of(answer: RecommendResponse) -> list[str]:
    return [result.product.id for result in answer.results]


def somebody() -> str:
    return f"it-{uuid.uuid4().hex}"


async def until(ask_again: Callable[[], Awaitable[T]], holds: Callable[[T], bool]) -> T:
    """Asks until the graph has been built anew."""
    for _ in range(PATIENCE_SECONDS * 2):
        answer = await ask_again()
        if holds(answer):
            return answer
        await asyncio.sleep(0.5)
    raise AssertionError("it did not come about")


async def test_frequently_bought_together_counts_the_last_event(
    channel: grpc.aio.Channel,
) -> None:
    (kettle,) = await some(channel, "kettle", 1)
    (dress,) = await some(channel, "dress", 1)
    basket = {"product_ids": [kettle.id]}
    before = await ask(channel, "frequently-bought-together", **basket)
    assert before.serving_config != "frequently-bought-together"
    assert before.results
    for customers in range(1, 5):
        await write(channel, USER_EVENT_TYPE_PURCHASE, somebody(), [kettle.id, dress.id])
        answer = await ask(channel, "frequently-bought-together", **basket)
        assert not answer.degraded
        if customers == 1:  # what one person did is not told
            assert answer.serving_config == before.serving_config
            continue
        assert answer.serving_config == "frequently-bought-together"
        assert ids_of(answer) == [dress.id]
        (result,) = answer.results
        assert [leg.leg for leg in result.legs] == ["bought_together"]
        assert f"{customers} customers" in result.reason.text
        assert kettle.titles["en"] in result.reason.text
        assert "bought_together" in result.reason.codes
    chinese = await ask(channel, "frequently-bought-together", language_code="zh", **basket)
    assert "4位" in chinese.results[0].reason.text
    assert kettle.titles["zh"] in chinese.results[0].reason.text


async def test_a_filter_narrows_what_was_bought_together(channel: grpc.aio.Channel) -> None:
    first, cheap, dear = await some(channel, "backpack", 3)
    for _ in range(2):
        ids = [first.id, cheap.id, dear.id]
        await write(channel, USER_EVENT_TYPE_PURCHASE, somebody(), ids)
    config, basket = "frequently-bought-together", {"product_ids": [first.id]}
    assert set(ids_of(await ask(channel, config, **basket))) == {cheap.id, dear.id}
    narrowed = await ask(channel, config, filter=f'id: "{dear.id}"', **basket)
    assert ids_of(narrowed) == [dear.id]
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await ask(channel, config, filter="no_such_field = 1", **basket)
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_what_the_user_has_is_not_offered_again(channel: grpc.aio.Channel) -> None:
    first, second = await some(channel, "teapot", 2)
    user = somebody()
    for buyer in (user, somebody()):
        await write(channel, USER_EVENT_TYPE_PURCHASE, buyer, [first.id, second.id])
    fields = {"product_ids": [first.id], "user": UserContext(user_id=user)}
    config = "frequently-bought-together"
    assert second.id not in ids_of(await ask(channel, config, **fields))
    again = await ask(channel, config, include_bought=True, **fields)
    assert second.id in ids_of(again)


async def test_you_may_also_like_joins_what_others_did_with_what_is_alike(
    channel: grpc.aio.Channel,
) -> None:
    (lamp,) = await some(channel, "lamp", 1)
    (socks,) = await some(channel, "socks", 1)
    alone = await ask(channel, "you-may-also-like", product_ids=[lamp.id])
    assert "viewed_together" not in {leg.leg for r in alone.results for leg in r.legs}
    for _ in range(3):
        user = somebody()
        await write(channel, USER_EVENT_TYPE_VIEW, user, [lamp.id])
        await write(channel, USER_EVENT_TYPE_VIEW, user, [socks.id])
    answer = await ask(channel, "you-may-also-like", product_ids=[lamp.id])
    assert answer.serving_config == "you-may-also-like"
    by_id = {result.product.id: result for result in answer.results}
    assert [leg.leg for leg in by_id[socks.id].legs][:1] == ["viewed_together"]
    assert "viewed_together" in by_id[socks.id].reason.codes
    legs = {leg.leg for result in answer.results for leg in result.legs}
    assert {"viewed_together", "similar"} <= legs


async def test_buy_again_says_when(channel: grpc.aio.Channel) -> None:
    coffee, tea = await some(channel, "tea", 2)
    user = somebody()
    fields = {"user": UserContext(user_id=user)}
    cold = await ask(channel, "buy-again", **fields)
    assert cold.serving_config == "popular"
    assert cold.results
    await write(channel, USER_EVENT_TYPE_PURCHASE, user, [coffee.id], days_ago=40)
    await write(channel, USER_EVENT_TYPE_PURCHASE, user, [tea.id])
    answer = await ask(channel, "buy-again", **fields)
    assert answer.serving_config == "buy-again"
    reasons = {result.product.id: result.reason for result in answer.results}
    assert reasons.keys() == {coffee.id, tea.id}
    for product, when in ((coffee, "40 days ago"), (tea, "today")):
        assert when in reasons[product.id].text
        assert "bought_before" in reasons[product.id].codes
    assert ids_of(answer)[0] == coffee.id
    assert not answer.degraded


async def test_complements_follow_the_catalogue(channel: grpc.aio.Channel) -> None:
    products = ProductServiceStub(channel)
    printer = Product(
        id="it-printer",
        titles={"en": "Qwyzzle QZ-L4711 laser printer", "zh": "Qwyzzle QZ-L4711 激光打印机"},
        brand="Qwyzzle",
        category_path=["Office", "Printers"],
    )
    toner = Product(
        id="it-toner",
        titles={"en": "Qwyzzle toner cartridge for QZ-L4711", "zh": "Qwyzzle QZ-L4711 硒鼓"},
        brand="Qwyzzle",
        category_path=["Office", "Toner"],
    )
    for product, amount in ((printer, 900.0), (toner, 90.0)):
        product.price.currency_code, product.price.amount = "CNY", amount
        request = ProductServiceUpdateRequest(product=product, allow_missing=True)
        await products.Update(request, timeout=TIMEOUT)
    user = somebody()
    await write(channel, USER_EVENT_TYPE_PURCHASE, user, [printer.id])
    fields = {"product_ids": [printer.id], "user": UserContext(user_id=user)}
    answer = await until(
        lambda: ask(channel, "complements", **fields),
        lambda answer: answer.serving_config == "complements",
    )
    assert ids_of(answer)[0] == toner.id
    assert '"Qwyzzle QZ-L4711 laser printer"' in answer.results[0].reason.text
    assert "fits_yours" in answer.results[0].reason.codes
    stranger = await ask(channel, "complements", product_ids=[printer.id], language_code="zh")
    assert "“Qwyzzle QZ-L4711 激光打印机”" in stranger.results[0].reason.text
    assert "您的" not in stranger.results[0].reason.text
    # A basket that nobody had yet is answered by what goes with it.
    basket = await ask(channel, "frequently-bought-together", product_ids=[printer.id])
    assert basket.serving_config == "complements"
    for product in (printer, toner):
        gone = ProductServiceDeleteRequest(product_id=product.id)
        await products.Delete(gone, timeout=TIMEOUT)
    (kettle,) = await some(channel, "kettle", 1)
    left = await ask(channel, "complements", product_ids=[printer.id, kettle.id])
    assert toner.id not in ids_of(left)  # the graph may still know it


async def test_up_sell_is_better_of_the_same_kind(channel: grpc.aio.Channel) -> None:
    seeds = await some(channel, "headphones", 5)

    async def ask_all() -> list[tuple[Product, RecommendResponse]]:
        answers = [await ask(channel, "up-sell", product_ids=[seed.id]) for seed in seeds]
        pairs = zip(seeds, answers, strict=True)
        return [(seed, answer) for seed, answer in pairs if answer.serving_config == "up-sell"]

    for seed, answer in await until(ask_all, bool):
        assert not answer.degraded
        for result in answer.results:
            assert list(result.product.category_path) == list(seed.category_path)
            assert seed.price.amount < result.product.price.amount <= 2 * seed.price.amount
            assert [leg.leg for leg in result.legs] == ["step_up"]
            if "better_rated" in result.reason.codes:
                assert seed.titles["en"] in result.reason.text


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ("frequently-bought-together", "product_ids"),
        ("you-may-also-like", "product_ids"),
        ("complements", "product_ids"),
        ("up-sell", "product_ids"),
    ],
)
async def test_a_config_without_products_names_the_field(
    channel: grpc.aio.Channel, config: str, field: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await ask(channel, config, user=UserContext(user_id="ada"))
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert field in (error.value.details() or "")


async def test_buy_again_without_a_user_names_the_field(channel: grpc.aio.Channel) -> None:
    (kettle,) = await some(channel, "kettle", 1)
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await ask(channel, "buy-again", product_ids=[kettle.id])
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "user" in (error.value.details() or "")


async def test_the_loss_of_the_service_is_told_and_what_it_learnt_comes_back(
    suite: Suite, channel: grpc.aio.Channel
) -> None:
    first, second = await some(channel, "pillow", 2)
    config, basket = "frequently-bought-together", {"product_ids": [first.id]}
    for _ in range(2):
        await write(channel, USER_EVENT_TYPE_PURCHASE, somebody(), [first.id, second.id])
    assert ids_of(await ask(channel, config, **basket)) == [second.id]
    suite.kill("recommend")
    try:
        lost = await ask(channel, config, **basket)
        assert lost.serving_config == "similar"
        assert lost.results
        assert [d.stage for d in lost.degraded] == ["recommend"]
        # An event is acknowledged all the same, and is not forgotten.
        await write(channel, USER_EVENT_TYPE_PURCHASE, somebody(), [first.id, second.id])
    finally:
        suite.restart("recommend")
    answer = await until(lambda: ask(channel, config, **basket), lambda answer: not answer.degraded)
    assert ids_of(answer) == [second.id]
    assert "3 customers" in answer.results[0].reason.text

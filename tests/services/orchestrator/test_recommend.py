"""Recommendations over real ports: configurations, what they are told to follow from, refusals."""

import grpc
import pytest

from wherefore.common.v1.user_event_pb2 import (
    USER_EVENT_TYPE_CART,
    USER_EVENT_TYPE_PURCHASE,
    USER_EVENT_TYPE_VIEW,
    ProductDetail,
    UserEvent,
)
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1.recommendation_service_pb2 import RecommendRequest
from wherefore.orchestrator.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from wherefore.orchestrator.v1.user_event_service_pb2 import UserEventServiceWriteRequest
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def recommend(running, **fields):
    stub = RecommendationServiceStub(running.channel)
    return await stub.Recommend(RecommendRequest(**fields))


async def write(running, user: str, kind: int, *product_ids: str, **fields) -> bool:
    products = [ProductDetail(product_id=i) for i in product_ids]
    event = UserEvent(type=kind, user_id=user, products=products, **fields)  # type: ignore[arg-type]
    request = UserEventServiceWriteRequest(event=event)
    return (await UserEventServiceStub(running.channel).Write(request)).duplicate


def cited(answer) -> dict[str, str]:
    return {r.product.id: r.reason.text.split("Like: ")[1].strip("[]'.") for r in answer.results}


async def test_events_count_in_the_next_request(shop):
    ann = UserContext(user_id="ann")
    first = await recommend(shop, user=ann)
    assert first.serving_config == "popular"
    fields = {"id": "one", "attribution_token": first.attribution_token}
    assert not await write(shop, "ann", USER_EVENT_TYPE_PURCHASE, "p05", **fields)
    assert await write(shop, "ann", USER_EVENT_TYPE_PURCHASE, "p05", **fields)
    second = await recommend(shop, user=ann)
    assert second.serving_config == "for-you"
    assert second.results
    assert "p05" not in {r.product.id for r in second.results}
    third = await recommend(shop, user=ann, serving_config="popular")
    assert third.serving_config == "popular"


async def test_a_recommendation_names_the_product_that_it_is_like(shop):
    await write(shop, "cat", USER_EVENT_TYPE_CART, "p02")  # weighs more than the view
    await write(shop, "cat", USER_EVENT_TYPE_VIEW, "p07")
    found = cited(await recommend(shop, user=UserContext(user_id="cat"), page_size=100))
    category = {i: p.category_path[-1] for i, p in shop.fake.products.items()}
    assert set(found.values()) == {"p02", "p07"}
    assert all(category[i] == category[anchor] for i, anchor in found.items())
    assert not {"p02", "p07"} & found.keys()


async def test_what_is_like_nothing_that_the_user_knows_cites_nothing(shop):
    await write(shop, "dan", USER_EVENT_TYPE_VIEW, "p07")
    found = cited(await recommend(shop, user=UserContext(user_id="dan"), page_size=100))
    category = {i: p.category_path[-1] for i, p in shop.fake.products.items()}
    assert found
    for product_id, anchor in found.items():
        assert anchor == ("p07" if category[product_id] == category["p07"] else "")


async def test_products_that_left_the_catalogue_are_passed_over(shop):
    await write(shop, "eve", USER_EVENT_TYPE_PURCHASE, "gone1", "gone2", "gone3", "gone4")
    eve = UserContext(user_id="eve")
    assert (await recommend(shop, user=eve)).serving_config == "popular"
    await write(shop, "eve", USER_EVENT_TYPE_VIEW, "p07")
    answer = await recommend(shop, user=eve)
    assert answer.serving_config == "for-you"
    assert "p07" in cited(answer).values()


async def test_bought_products_come_again_on_demand(shop):
    await write(shop, "fay", USER_EVENT_TYPE_PURCHASE, "p01")
    await write(shop, "fay", USER_EVENT_TYPE_PURCHASE, "p03")
    fay = UserContext(user_id="fay")
    bought = {"p01", "p03"}
    answer = await recommend(shop, user=fay, page_size=100)
    assert not bought & {r.product.id for r in answer.results}
    answer = await recommend(shop, user=fay, page_size=100, include_bought=True)
    assert bought <= {r.product.id for r in answer.results}
    assert all(anchor != product_id for product_id, anchor in cited(answer).items())


async def test_similar_products(shop):
    answer = await recommend(shop, product_ids=["p01"], page_size=100)
    assert answer.serving_config == "similar"
    assert len(answer.results) == 29
    assert "p01" not in {r.product.id for r in answer.results}
    assert {leg.leg for r in answer.results for leg in r.legs} == {"similar"}
    some = await recommend(shop, product_ids=["unknown", "p01"], serving_config="similar")
    assert some.results
    assert set(cited(some).values()) == {"p01", ""}


async def test_what_is_alike_leaves_no_room_for_what_is_not(shop):
    category = {i: p.category_path[-1] for i, p in shop.fake.products.items()}
    alike = {i for i, name in category.items() if name == category["p01"] and i != "p01"}
    answer = await recommend(shop, product_ids=["p01"], page_size=len(alike))
    assert {r.product.id for r in answer.results} == alike
    assert set(cited(answer).values()) == {"p01"}


async def test_each_of_several_products_finds_what_is_like_it(shop):
    category = {i: p.category_path[-1] for i, p in shop.fake.products.items()}
    other = next(i for i, name in category.items() if name != category["p01"])
    answer = await recommend(shop, product_ids=["p01", other], page_size=6)
    found = cited(answer)
    assert set(found.values()) == {"p01", other}
    assert all(category[i] == category[anchor] for i, anchor in found.items())


async def test_variants_of_one_product_take_one_place(running):
    for product_id in ("p01", "p03", "p05"):
        running.fake.products[product_id].variant_group_id = "one"
    for product_id in ("p07", "p09"):
        running.fake.products[product_id].variant_group_id = "two"
    beside = await recommend(running, product_ids=["p01"], page_size=100)
    shown = {r.product.id for r in beside.results}
    assert not {"p03", "p05"} & shown  # the page of p01 shows them already
    assert len({"p07", "p09"} & shown) == 1
    await write(running, "hal", USER_EVENT_TYPE_PURCHASE, "p03")
    for config in ("for-you", "popular"):
        fields = {"user": UserContext(user_id="hal"), "serving_config": config, "page_size": 100}
        shown = {r.product.id for r in (await recommend(running, **fields)).results}
        assert shown
        assert not {"p01", "p03", "p05"} & shown
        again = await recommend(running, include_bought=True, **fields)
        assert len({"p01", "p03", "p05"} & {r.product.id for r in again.results}) == 1


async def test_read_masks(shop):
    answer = await recommend(
        shop, product_ids=["p01"], read_mask={"paths": ["titles.en"]}, skip_reasons=True
    )
    for result in answer.results:
        assert {f.name for f, _ in result.product.ListFields()} == {"id", "titles"}
        assert not result.HasField("reason")


async def test_lost_retrieval_is_unavailable(running):
    await write(running, "gus", USER_EVENT_TYPE_VIEW, "p07")
    running.fake.broken.add("retrieval")
    for fields in ({"product_ids": ["p01"]}, {"user": UserContext(user_id="gus")}):
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await recommend(running, **fields)
        assert error.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_unknown_products_are_not_found(shop):
    for fields in ({}, {"serving_config": "similar"}):
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await recommend(shop, product_ids=["unknown", "unheard-of"], **fields)
        assert error.value.code() is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "user"),
        ({"user": {"user_id": "u"}, "serving_config": "similar"}, "product_ids"),
        ({"user": {"user_id": "u"}, "serving_config": "nope"}, "serving_config"),
        ({"product_ids": ["a", "a"]}, "product_ids"),
        ({"product_ids": [""]}, "product_ids[0]"),
        ({"product_ids": [f"p{n}" for n in range(51)]}, "product_ids"),
        ({"product_ids": ["p01"], "page_size": -1}, "page_size"),
        ({"product_ids": ["p01"], "filter": "price <"}, "filter"),
        ({"product_ids": ["p01"], "read_mask": {"paths": ["nope"]}}, "read_mask"),
        ({"product_ids": ["p01"], "language_code": "!"}, "language_code"),
    ],
)
async def test_bad_input(shop, fields, field):
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await recommend(shop, **fields)
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert field in (error.value.details() or "")

"""Searches over real ports: pages, fallbacks, orders, relaxation, and what is refused."""

import grpc
import pytest

from wherefore.common.v1.user_event_pb2 import USER_EVENT_TYPE_VIEW, ProductDetail, UserEvent
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.orchestrator.v1.user_event_service_pb2 import UserEventServiceWriteRequest
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub


@pytest.fixture
def search(running):
    stub = SearchServiceStub(running.channel)

    async def call(timeout=5.0, **fields):  # noqa: ASYNC109
        return await stub.Search(
            SearchRequest(query=fields.pop("query", "cup"), **fields), timeout=timeout
        )

    return call


async def test_pages_do_not_repeat(search):
    seen, token = [], ""
    while True:
        page = await search(page_size=7, page_token=token)
        assert [r.rank for r in page.results] == list(
            range(len(seen) + 1, len(seen) + len(page.results) + 1)
        )
        seen += [r.product.id for r in page.results]
        token = page.next_page_token
        if not token:
            break
    assert len(seen) == 30
    assert len(set(seen)) == 30
    assert {"total", "reason"} <= {t.stage for t in page.timings}


async def test_a_whole_answer(search):
    answer = await search()
    assert not answer.degraded
    assert {"total", "nlu", "retrieval", "ranking", "reason"} <= {t.stage for t in answer.timings}
    assert answer.results[0].product.id == "p29"  # the ranking turned retrieval's order round
    assert all(r.reason.text for r in answer.results)
    assert not answer.query.HasField("vector")


@pytest.mark.parametrize("how", ["broken", "slow"])
@pytest.mark.parametrize("part", ["nlu", "ranking", "reason"])
async def test_a_lost_part_degrades_and_heals(search, running, part, how):
    getattr(running.fake, how).add(part)
    for n in range(5):
        answer = await search(query=f"lost {n}")
        assert len(answer.results) == 20
        assert [d.stage for d in answer.degraded] == [part]
        assert answer.degraded[0].fallback
    getattr(running.fake, how).clear()
    for n in range(100):
        answer = await search(query=f"back {n}")
        if not answer.degraded:
            break
    assert not answer.degraded


async def test_lost_ranking_keeps_the_order_of_retrieval(search, running):
    running.fake.broken.add("ranking")
    answer = await search()
    assert answer.results[0].product.id == "p00"


async def test_lost_retrieval_is_unavailable(search, running):
    running.fake.broken.add("retrieval")
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await search()
    assert error.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_conditions_that_nothing_meets_are_given_up(search):
    answer = await search(query="cup under 1")
    assert answer.results
    assert list(answer.relaxed_constraints) == ["price <= 1"]


async def test_orders(search):
    prices = [r.product.price.amount for r in (await search(order_by="price")).results]
    assert prices == sorted(prices)
    prices = [r.product.price.amount for r in (await search(order_by="price desc")).results]
    assert prices == sorted(prices, reverse=True)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"query": " "}, "query"),
        ({"query": "x" * 10_240}, "query"),
        ({"query": "a\x00b"}, "query"),
        ({"filter": "price <"}, "filter"),
        ({"page_size": -1}, "page_size"),
        ({"page_token": "forged"}, "page_token"),
        ({"order_by": "colour"}, "order_by"),
        ({"serving_config": "nope"}, "serving_config"),
        ({"read_mask": {"paths": ["nope"]}}, "read_mask"),
    ],
)
async def test_bad_input(search, fields, field):
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await search(**fields)
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert field in (error.value.details() or "")


async def test_a_token_serves_one_request_of_one_user(search):
    first = await search(page_size=5, user=UserContext(user_id="ann"))
    for other in ({"query": "lamp"}, {"user": UserContext(user_id="bob")}, {"filter": "price > 1"}):
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await search(
                **{"user": UserContext(user_id="ann"), **other}, page_token=first.next_page_token
            )
        assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_user_is_told_to_ranking_and_to_nobody_else(search, running):
    event = UserEvent(
        type=USER_EVENT_TYPE_VIEW, user_id="ann", products=[ProductDetail(product_id="p03")]
    )
    await UserEventServiceStub(running.channel).Write(UserEventServiceWriteRequest(event=event))
    await search(user=UserContext(user_id="ann"))
    await search(user=UserContext(session_id="ann"))  # a session called like the user is not them
    await search(user=UserContext(user_id="bob"))
    assert running.fake.seen_users == ["ann", "", ""]

"""Searches over real ports: pages, orders, relaxation, masks, ids, and what is refused."""

import grpc
import pytest
import pytest_asyncio

from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub

pytestmark = pytest.mark.asyncio(loop_scope="module")


def searcher(running):
    stub = SearchServiceStub(running.channel)

    async def call(timeout=5.0, **fields):  # noqa: ASYNC109
        return await stub.Search(
            SearchRequest(query=fields.pop("query", "cup"), **fields), timeout=timeout
        )

    return call


@pytest_asyncio.fixture(loop_scope="module")
async def search(shop):
    return searcher(shop)


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


async def test_propensities_hold_for_the_order_of_ranking_alone(search):
    assert {r.propensity for r in (await search()).results} == {0.25}
    for other in ({"order_by": "price"}, {"serving_config": "precise"}):
        assert {r.propensity for r in (await search(**other)).results} == {0.0}


@pytest.mark.parametrize("skip_reasons", [False, True])
async def test_what_only_reasons_tell_is_asked_for_them_alone(shop, search, skip_reasons):
    await search(query="cup of tea", skip_reasons=skip_reasons)
    assert shop.fake.asked_to_tell[-1] is not skip_reasons


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


@pytest.mark.parametrize(
    ("paths", "kept"),
    [
        ([], {"titles", "brand", "category_path", "price", "etag"}),
        (["titles", "price.amount"], {"titles", "price"}),
        (["titles.en"], {"titles"}),
        (["titles.zh"], set()),
        (["*"], {"titles", "brand", "category_path", "price", "etag", "reviews"}),
    ],
)
@pytest.mark.parametrize("skip_reasons", [False, True])
async def test_read_masks(search, paths, kept, skip_reasons):
    answer = await search(read_mask={"paths": paths}, skip_reasons=skip_reasons)
    for result in answer.results:
        assert {f.name for f, _ in result.product.ListFields()} == {"id", *kept}
        assert result.product.price.currency_code == ("EUR" if "brand" in kept else "")
        assert bool(result.reason.text) is not skip_reasons


async def test_the_request_id_is_the_callers(shop):
    stub = SearchServiceStub(shop.channel)

    async def ids(given):
        call = stub.Search(SearchRequest(query="cup"), metadata=(("x-request-id", given),))
        response = await call
        trailing = dict(await call.trailing_metadata())
        return response.request_id, trailing["x-request-id"]

    assert await ids("shop-42/a") == ("shop-42/a", "shop-42/a")
    assert "shop-42/a" in shop.fake.seen_request_ids
    made, echoed = await ids("a forged id")
    assert made == echoed
    assert made not in ("", "a forged id")


async def test_the_request_id_comes_with_an_error(shop):
    call = SearchServiceStub(shop.channel).Search(
        SearchRequest(query=""), metadata=(("x-request-id", "shop-43"),)
    )
    with pytest.raises(grpc.aio.AioRpcError):
        await call
    assert dict(await call.trailing_metadata())["x-request-id"] == "shop-43"

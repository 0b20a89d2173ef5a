"""What is kept between requests: for how long, how much of it, and that losing it is no loss."""

import asyncio

import pytest
import pytest_asyncio

from tests.services.orchestrator.conftest import serve
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def forgetful(tmp_path_factory):
    """Keeps one ranking, and two parsed queries for a moment."""
    folder = tmp_path_factory.mktemp("forgetful")
    kept = {"ranking_cache_size": 1, "parse_cache_size": 2, "parse_cache_seconds": 0.5}
    async with serve(folder, **kept) as running:
        yield running


async def search(running, query, **fields):
    request = SearchRequest(query=query, **fields)
    return await SearchServiceStub(running.channel).Search(request)


async def test_a_query_is_parsed_once_whoever_asks(shop):
    shop.fake.parsed.clear()
    for user in ("ann", "bob", ""):
        await search(shop, "same", user=UserContext(user_id=user))
    assert shop.fake.parsed == ["same"]
    await search(shop, "same", language_code="zh")
    await search(shop, "same", keep_spelling=True)
    assert shop.fake.parsed == ["same"] * 3


async def test_parsed_queries_are_few_and_grow_old(forgetful):
    forgetful.fake.parsed.clear()
    for query in ("a", "b", "c", "a"):
        await search(forgetful, query)
    assert forgetful.fake.parsed == ["a", "b", "c", "a"]
    await asyncio.sleep(0.6)
    await search(forgetful, "a")
    assert forgetful.fake.parsed[-2:] == ["a", "a"]


async def test_pages_go_on_when_their_ranking_is_no_longer_kept(forgetful):
    seen, token = [], ""
    while True:
        page = await search(forgetful, "cup", page_size=9, page_token=token)
        seen += [result.product.id for result in page.results]
        token = page.next_page_token
        if not token:
            break
        await search(forgetful, "something else", page_size=9)
    assert len(seen) == len(set(seen)) == 30


async def test_a_lost_parse_is_not_kept(running):
    running.fake.broken.add("nlu")
    assert (await search(running, "cup")).degraded
    running.fake.broken.clear()
    assert not (await search(running, "cup")).degraded
    assert running.fake.parsed == ["cup"]

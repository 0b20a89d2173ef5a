"""One real query through five real services, in Chinese and in English."""

import asyncio
import math

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from wherefore.nlu.v1.query_understanding_pb2 import ENTITY_TYPE_COLOUR
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest, SearchStreamRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub

pytestmark = pytest.mark.suite
TIMEOUT = 5.0


@pytest.mark.parametrize(
    ("query", "language"),
    [
        ("wireless headphones", "en"),
        ("red dress for women", "en"),
        ("无线耳机", "zh"),
        ("送女朋友的生日礼物", "zh"),
        ("保温杯", "zh"),
    ],
)
async def test_search_answers_in_full(channel: grpc.aio.Channel, query: str, language: str) -> None:
    response = await SearchServiceStub(channel).Search(
        SearchRequest(query=query, page_size=10, include_contributions=True), timeout=TIMEOUT
    )
    assert not response.degraded
    assert len(response.results) == 10
    assert response.query.language_code == language
    assert len(response.query.vector.values) in (0, 384)
    assert response.attribution_token
    assert response.request_id
    assert {"nlu", "retrieval", "ranking", "reason"} <= {t.stage for t in response.timings}
    assert all(t.duration_nanos > 0 for t in response.timings)
    ids = [r.product.id for r in response.results]
    assert len(set(ids)) == len(ids)
    assert [r.rank for r in response.results] == list(range(1, 11))
    for result in response.results:
        assert result.product.titles
        assert result.legs
        assert 0 <= result.confidence <= 1
        assert result.contributions
        assert result.reason.text
        assert result.reason.language_code == language
        evidence = {e.id for e in result.reason.evidence}
        for clause in result.reason.clauses:
            assert clause.evidence_ids
            assert set(clause.evidence_ids) <= evidence
            assert clause.text in result.reason.text


@pytest.mark.parametrize("query", ["wireless headphones", "无线耳机"])
async def test_a_streamed_search_says_the_page_and_then_why(
    channel: grpc.aio.Channel, query: str
) -> None:
    request = SearchStreamRequest(request=SearchRequest(query=query, page_size=10), by_clause=True)
    parts = [part async for part in SearchServiceStub(channel).SearchStream(request, timeout=10)]
    page, end = parts[0].page, parts[-1].end
    assert len(page.results) == 10
    assert not end.degraded
    said: dict[str, str] = {}
    reasons: dict[str, str] = {}
    for part in parts[1:-1]:
        if part.HasField("clause"):
            assert part.clause.product_id not in reasons
            so_far = said.get(part.clause.product_id, "")
            said[part.clause.product_id] = so_far + part.clause.text
        else:
            reasons[part.reason.product_id] = part.reason.text
    assert set(reasons) == {result.product.id for result in page.results}
    assert all(reasons[each].startswith(text) for each, text in said.items())
    assert 0 < end.page_nanos < end.first_text_nanos


async def test_the_embedding_was_answered_by_the_model(channel: grpc.aio.Channel) -> None:
    response = await SearchServiceStub(channel).Search(
        SearchRequest(query="a kettle that nobody asked for before"), timeout=TIMEOUT
    )
    embedding = [t for t in response.timings if t.stage.endswith("nlu.embedding")]
    assert embedding
    assert embedding[0].inference_nanos > 0
    legs = {leg.leg for result in response.results for leg in result.legs}
    assert {"dense", "sparse"} <= legs


@pytest.mark.parametrize(
    ("query", "limit"), [("headphones under 200", 200), ("200元以下的耳机", 200)]
)
async def test_a_price_in_the_query_is_kept(
    channel: grpc.aio.Channel, query: str, limit: float
) -> None:
    response = await SearchServiceStub(channel).Search(SearchRequest(query=query), timeout=TIMEOUT)
    assert response.results
    assert all(0 < r.product.price.amount <= limit for r in response.results)
    assert "price" in response.applied_filter


@pytest.mark.parametrize("query", ["backpack not black", "双肩包 不要黑色"])
async def test_an_unwanted_colour_is_left_out(channel: grpc.aio.Channel, query: str) -> None:
    response = await SearchServiceStub(channel).Search(SearchRequest(query=query), timeout=TIMEOUT)
    assert response.results
    assert any(e.type == ENTITY_TYPE_COLOUR and e.negated for e in response.query.entities)
    for result in response.results:
        assert "black" not in result.product.attributes["colour"].texts


@pytest.mark.parametrize("query", ["耳机 不要有线", "不要有线的耳机", "headphones, not wired"])
async def test_an_unwanted_feature_is_left_out(channel: grpc.aio.Channel, query: str) -> None:
    response = await SearchServiceStub(channel).Search(SearchRequest(query=query), timeout=TIMEOUT)
    assert response.results
    assert not response.relaxed_constraints
    assert "wired" in response.applied_filter
    for result in response.results:
        product = result.product
        written = [*product.titles.values(), *product.category_path]
        assert not any("Wired" in text or "有线" in text for text in written)


async def test_a_compound_that_is_written_apart_is_found(channel: grpc.aio.Channel) -> None:
    search = SearchServiceStub(channel).Search
    async with asyncio.timeout(90):
        while True:  # the words of the titles are not known at once
            apart = await search(SearchRequest(query="head phones"), timeout=TIMEOUT)
            if apart.query.corrections:
                break
            await asyncio.sleep(0.5)
    [correction] = apart.query.corrections
    assert (correction.original, correction.corrected) == ("head phones", "headphones")
    together = await search(SearchRequest(query="headphones"), timeout=TIMEOUT)
    assert [r.product.id for r in apart.results] == [r.product.id for r in together.results]


async def test_a_size_range_in_chinese_inches_is_kept(channel: grpc.aio.Channel) -> None:
    response = await SearchServiceStub(channel).Search(
        SearchRequest(query="4-6寸 生日蛋糕"), timeout=TIMEOUT
    )
    assert response.results
    assert not response.relaxed_constraints
    for result in response.results:
        sizes = result.product.attributes["size"].numbers
        assert sizes
        assert any(4 <= size <= 6 for size in sizes)


async def test_a_filter_of_the_caller_is_applied(channel: grpc.aio.Channel) -> None:
    response = await SearchServiceStub(channel).Search(
        SearchRequest(query="shoes", filter='price < 300 AND NOT colour: "black"'), timeout=TIMEOUT
    )
    assert response.results
    for result in response.results:
        assert result.product.price.amount < 300
        assert "black" not in result.product.attributes["colour"].texts


async def test_pages_follow_on_without_repeats(channel: grpc.aio.Channel) -> None:
    stub = SearchServiceStub(channel)
    request = SearchRequest(query="cup", page_size=7)
    seen: list[str] = []
    for _ in range(4):
        response = await stub.Search(request, timeout=TIMEOUT)
        assert [r.rank for r in response.results] == list(
            range(len(seen) + 1, len(seen) + len(response.results) + 1)
        )
        seen += [r.product.id for r in response.results]
        request.page_token = response.next_page_token
        if not response.next_page_token:
            break
    assert len(seen) >= 21
    assert len(set(seen)) == len(seen)


async def test_order_by_price(channel: grpc.aio.Channel) -> None:
    response = await SearchServiceStub(channel).Search(
        SearchRequest(query="headphones", order_by="price"), timeout=TIMEOUT
    )
    prices = [r.product.price.amount for r in response.results]
    assert prices
    assert prices == sorted(prices)


async def test_the_read_mask_is_honoured(channel: grpc.aio.Channel) -> None:
    response = await SearchServiceStub(channel).Search(
        SearchRequest(query="headphones", read_mask=FieldMask(paths=["titles"])), timeout=TIMEOUT
    )
    for result in response.results:
        assert {field.name for field, _ in result.product.ListFields()} == {"id", "titles"}


async def test_contributions_sum_to_differences_of_score(channel: grpc.aio.Channel) -> None:
    response = await SearchServiceStub(channel).Search(
        SearchRequest(query="kettle", include_contributions=True), timeout=TIMEOUT
    )
    base = {
        round(r.score - math.fsum(c.contribution for c in r.contributions), 6)
        for r in response.results
    }
    assert len(base) == 1, "score minus contributions is the same base value for every result"

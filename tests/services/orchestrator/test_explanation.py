"""Explanations, before the real retrieval service and the real ranking."""

from collections.abc import AsyncIterator
from itertools import pairwise
from types import SimpleNamespace

import grpc
import pytest
import pytest_asyncio

from services.orchestrator.word_effects import MAX_WORDS, without, words_of
from tests.services.orchestrator.fake_backends import vector_of
from tests.services.orchestrator.real_retrieval import serve_with_retrieval
from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1.explanation_service_pb2 import ExplainRequest, ExplainResponse
from wherefore.orchestrator.v1.explanation_service_pb2_grpc import ExplanationServiceStub
from wherefore.orchestrator.v1.recommendation_service_pb2 import RecommendRequest
from wherefore.orchestrator.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub

pytestmark = pytest.mark.asyncio(loop_scope="module")
ALL_READ = "price < 21"
"""Leaves as many products as the cross-encoder reads. Of more, all equal to the words of the query,
it would be chance which are read, and whether they are among those that are explained."""


def products() -> list[Product]:
    made: list[Product] = []
    for n in range(40):
        product = Product(id=f"p{n:02}", titles={"en": f"Steel cup {n}"}, brand="Acme")
        product.price.currency_code, product.price.amount = "EUR", float(n + 1)
        product.review_summary.average_rating = 1 + n % 5
        product.review_summary.rating_count = 9
        made.append(product)
    made.append(Product(id="lamp", titles={"en": "Lamp"}, brand="Zeta"))
    return made


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SimpleNamespace]:
    async with serve_with_retrieval(tmp_path_factory.mktemp("shop"), products()) as running:
        yield running


async def explain(shop: SimpleNamespace, **fields: object) -> ExplainResponse:
    request = ExplainRequest(**{"query": "steel cup", **fields})  # type: ignore[arg-type]
    return await ExplanationServiceStub(shop.channel).Explain(request, timeout=10)


async def test_a_page_is_explained_and_sums_to_its_scores(shop: SimpleNamespace) -> None:
    response = await explain(shop)
    assert len(response.explanations) == 20
    assert response.ranked_count >= 40
    assert response.model.startswith("linear-search@")
    assert [e.explanation.rank for e in response.explanations] == list(range(1, 21))
    for each in response.explanations:
        parts = sum(group.contribution for group in each.explanation.groups)
        assert response.base_value + parts == pytest.approx(each.explanation.score, abs=1e-6)
        assert each.product.titles["en"]
    assert not response.degraded
    assert response.request_id
    stages = {timing.stage for timing in response.timings}
    assert {"explanation.retrieval", "explanation.ranking", "explanation.words"} <= stages


async def test_products_that_were_not_found_by_the_query_are_explained_too(
    shop: SimpleNamespace,
) -> None:
    response = await explain(shop, product_ids=["lamp", "p03", "nobody"], filter="price < 1000")
    assert [e.product.id for e in response.explanations] == ["p03"]
    assert set(response.missing_product_ids) == {"lamp", "nobody"}
    response = await explain(shop, product_ids=["lamp"])
    (lamp,) = response.explanations
    assert lamp.explanation.rank > 1


async def test_an_effect_is_the_cosine_with_the_word_less_that_without_it(
    shop: SimpleNamespace,
) -> None:
    response = await explain(shop)
    cosines = {
        text: {p.id: _dot(vector_of(text).values, vector_of(p.id).values) for p in products()}
        for text in ("steel cup", "steel", "cup")
    }
    assert len({each.semantic_match.cosine for each in response.explanations}) > 1
    for each in response.explanations:
        product_id, match = each.product.id, each.semantic_match
        assert match.cosine == pytest.approx(cosines["steel cup"][product_id], abs=1e-5)
        assert [(w.word, w.start, w.end) for w in match.words] == [("steel", 0, 5), ("cup", 6, 9)]
        for word, rest in zip(match.words, ("cup", "steel"), strict=True):
            expected = cosines["steel cup"][product_id] - cosines[rest][product_id]
            assert word.effect == pytest.approx(expected, abs=1e-5)


async def test_the_loss_of_the_words_is_told_and_the_rest_answers(shop: SimpleNamespace) -> None:
    shop.fake.broken.add("words")
    try:
        response = await explain(shop, page_size=3)
    finally:
        shop.fake.broken.clear()
    assert [d.stage for d in response.degraded] == ["explanation.words"]
    assert len(response.explanations) == 3
    assert not any(each.HasField("semantic_match") for each in response.explanations)


async def test_without_ranking_there_is_nothing_to_explain(shop: SimpleNamespace) -> None:
    shop.fake.broken.add("ranking")
    try:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await explain(shop)
    finally:
        shop.fake.broken.clear()
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE


async def test_words_can_be_skipped(shop: SimpleNamespace) -> None:
    response = await explain(shop, skip_words=True, language_code="zh")
    assert not any(each.HasField("semantic_match") for each in response.explanations)
    label = response.explanations[0].explanation.groups[0].label
    assert "\u4e00" <= label[0] <= "\u9fff"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"query": " "}, "query"),
        ({"product_ids": ["a", "a"]}, "product_ids"),
        ({"product_ids": [f"p{n}" for n in range(21)]}, "product_ids"),
        ({"product_ids": [""]}, "product_ids[0]"),
        ({"page_size": -1}, "page_size"),
        ({"serving_config": "magic"}, "serving_config"),
        ({"filter": "price <"}, "filter"),
    ],
)
async def test_bad_input_names_the_field(
    shop: SimpleNamespace, fields: dict[str, object], field: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await explain(shop, **fields)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert field in (caught.value.details() or "")


async def test_a_search_is_explained_by_its_attribution_token(shop: SimpleNamespace) -> None:
    searched = await SearchServiceStub(shop.channel).Search(
        SearchRequest(query="steel cup", filter="price < 10"), timeout=10
    )
    parsed = len(shop.fake.parsed)
    response = await explain(
        shop, query="", attribution_token=searched.attribution_token, skip_words=True
    )
    assert len(shop.fake.parsed) == parsed
    assert {e.product.id for e in response.explanations} == {r.product.id for r in searched.results}
    assert len(response.explanations) == 9
    token = searched.attribution_token
    for fields, field in (
        ({"attribution_token": token}, "query"),
        ({"query": "", "attribution_token": token, "filter": "price < 9"}, "filter"),
        ({"query": "", "attribution_token": token[:-4]}, "attribution_token"),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await explain(shop, **fields)
        assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert field in (caught.value.details() or "")


async def test_a_ranking_that_is_no_longer_kept_is_not_found(shop: SimpleNamespace) -> None:
    # Recommendations have tokens of the same kind, and no ranking that could be explained.
    recommended = await RecommendationServiceStub(shop.channel).Recommend(
        RecommendRequest(serving_config="popular", user=UserContext(user_id="ada")), timeout=10
    )
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await explain(shop, query="", attribution_token=recommended.attribution_token)
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND


async def test_words_do_not_overlap() -> None:
    words = words_of("TN-2110 toner, 黑色连衣裙")
    assert words[0].text == "TN-2110"
    assert all(a.end <= b.start for a, b in pairwise(words))
    assert without("steel cup", words_of("steel cup")[1]) == "steel"
    assert len(words_of("w " * 100)) == MAX_WORDS


def _dot(left: list[float], right: list[float]) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))


async def test_words_that_the_cross_encoder_read_are_attributed_on_request(
    shop: SimpleNamespace,
) -> None:
    asked = {"serving_config": "precise", "skip_words": True, "filter": ALL_READ}
    response = await explain(shop, **asked, reading_count=3)
    told = [each for each in response.explanations if each.HasField("cross_reading")]
    assert len(told) == 3
    for each in told:
        reading = each.cross_reading
        assert reading.query_text == "steel cup"
        assert reading.product_text.startswith(each.product.titles["en"])
        assert [w.word for w in reading.attribution.left_words] == ["steel", "cup"]
    assert not response.degraded
    assert "explanation.readings" in {timing.stage for timing in response.timings}
    # The plain path reads nothing, so there is nothing to attribute.
    for fields in ({"reading_count": 3, "skip_words": True}, asked):
        response = await explain(shop, **fields)
        assert not any(each.HasField("cross_reading") for each in response.explanations)
        assert not response.degraded


async def test_readings_that_are_lost_are_told_with_how_many_there_are(
    shop: SimpleNamespace,
) -> None:
    shop.fake.broken.add("attribution")
    try:
        response = await explain(
            shop, serving_config="precise", filter=ALL_READ, reading_count=2, skip_words=True
        )
    finally:
        shop.fake.broken.clear()
    assert [d.stage for d in response.degraded] == ["explanation.readings"]
    assert response.degraded[0].detail.startswith("0 of 2 products")
    assert len(response.explanations) == 20


async def test_a_negative_number_of_readings_is_refused(shop: SimpleNamespace) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await explain(shop, reading_count=-1)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT

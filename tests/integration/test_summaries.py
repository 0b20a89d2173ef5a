"""`Summarise` of the bundled catalogue's products through the running suite and its encoder."""

import grpc
import pytest

from shared.catalogue import bundled_catalogue_path, read_catalogue
from shared.evaluation.summary_claims import SummaryClaimText, unsupported
from shared.inference.settings import VECTOR_MODEL
from shared.suite import Suite
from wherefore.common.v1.product_pb2 import Product
from wherefore.orchestrator.v1.summary_service_pb2 import SummariseRequest as ProductRequest
from wherefore.orchestrator.v1.summary_service_pb2_grpc import SummaryServiceStub
from wherefore.reason.v1.reason_pb2 import GENERATOR_MODEL
from wherefore.reason.v1.reason_service_pb2_grpc import ReasonServiceStub
from wherefore.reason.v1.summary_pb2 import SUMMARY_STYLE_REWRITTEN, SummariseRequest

pytestmark = pytest.mark.suite

PRODUCTS = 40


def reviewed() -> list[Product]:
    rows = (row.product for row in read_catalogue(bundled_catalogue_path()))
    return [p for p in rows if p is not None and len(p.reviews) >= 4][:: 1_000 // PRODUCTS][
        :PRODUCTS
    ]


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_every_quote_and_count_is_borne_out_by_the_reviews(
    suite: Suite, language: str
) -> None:
    points = by_model = 0
    async with grpc.aio.insecure_channel(suite.target("reason")) as channel:
        stub = ReasonServiceStub(channel)
        for product in reviewed():
            request = SummariseRequest(
                reviews=product.reviews,
                descriptions=product.descriptions,
                language_code=language,
                style=SUMMARY_STYLE_REWRITTEN,
            )
            response = await stub.Summarise(request, timeout=30)
            texts = {review.id: review.text for review in product.reviews}
            assert response.sentences
            for sentence in response.sentences:
                source = texts.get(sentence.review_id, product.descriptions[language])
                assert source[sentence.start : sentence.end] == sentence.text
            for point in [*response.pros, *response.cons]:
                points += 1
                assert 2 <= point.review_count <= response.review_count
                for example in point.examples:
                    review = texts[example.review_id]
                    assert review[example.start : example.end] == example.text
            # A quotation takes no side of its own.
            claims = [
                SummaryClaimText(c.text, c.review_ids, c.praises if c.aspect else None)
                for c in response.claims
            ]
            ratings = {review.id: review.rating for review in product.reviews}
            wrong = unsupported(response.rewritten, claims, texts, response.language_code, ratings)
            assert wrong == []
            assert bool(response.rewritten) == bool(response.pros or response.cons)
            said = [c.generator for c in response.claims if c.aspect]
            by_model += said.count(GENERATOR_MODEL)
            assert (GENERATOR_MODEL in said) == bool(response.generator_version)
            assert not response.degraded
            expected = VECTOR_MODEL if language == "en" else "tf_idf"
            assert response.method.startswith(expected)
    assert points >= PRODUCTS // 2
    assert by_model >= points // 2


async def test_a_shop_asks_one_endpoint_by_id(channel: grpc.aio.Channel) -> None:
    product = reviewed()[0]
    stub = SummaryServiceStub(channel)
    request = ProductRequest(product_id=product.id, language_code="en")
    answer = await stub.Summarise(request, timeout=30)
    assert not answer.degraded
    assert answer.summary.review_count + answer.summary.duplicate_count == sum(
        bool(review.text.strip()) for review in product.reviews
    )
    texts = {review.id: review.text for review in product.reviews}
    for sentence in answer.summary.sentences:
        source = texts.get(sentence.review_id, product.descriptions["en"])
        assert source[sentence.start : sentence.end] == sentence.text
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Summarise(ProductRequest(product_id=product.id, max_words=9), timeout=30)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "max_words" in (caught.value.details() or "")

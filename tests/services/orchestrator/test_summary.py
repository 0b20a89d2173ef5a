"""Summaries of products over real ports."""

import grpc
import pytest
import pytest_asyncio

from tests.services.orchestrator.conftest import serve
from wherefore.common.v1.product_pb2 import Product, Review
from wherefore.orchestrator.v1 import summary_service_pb2 as pb
from wherefore.orchestrator.v1.summary_service_pb2_grpc import SummaryServiceStub
from wherefore.reason.v1.summary_pb2 import SUMMARY_STYLE_REWRITTEN

pytestmark = pytest.mark.asyncio(loop_scope="module")

REVIEWS = [
    Review(id="r1", text="Keeps warm."),
    Review(id="r1", text="The same id."),
    Review(text="No id."),
    Review(id="r2", text="x" * 10_001),
    Review(id="r3", text="很好。"),
]


@pytest_asyncio.fixture(loop_scope="module")
async def hasty_summary(tmp_path):
    """One that does not wait long for a summary."""
    async with serve(tmp_path, budgets={"summary": {"seconds": 1, "reserve": 0}}) as each:
        yield each


def put(shop, product_id="s1", reviews=REVIEWS, **fields):
    product = Product(id=product_id, titles={"en": "Steel cup"}, **fields)
    product.reviews.extend(reviews)
    shop.fake.put(product)


async def summarise(shop, **fields):
    return await SummaryServiceStub(shop.channel).Summarise(pb.SummariseRequest(**fields))


async def refusal(shop, **fields):
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await summarise(shop, **fields)
    return error.value.code()


async def test_reads_what_the_catalogue_holds(shop):
    put(shop, descriptions={"en": "A cup."}, review_summary={"average_rating": 4.5})
    answer = await summarise(
        shop, product_id="s1", language_code="en", style=SUMMARY_STYLE_REWRITTEN
    )
    assert [(s.review_id, s.text) for s in answer.summary.sentences] == [
        ("r1", "Keeps warm."), ("r3", "很好。"),
    ]  # fmt: skip
    assert answer.unread_review_count == 3
    assert answer.summary.overview == "en=A cup."
    assert (answer.summary.language_code, answer.summary.rewritten) == ("en", "new words")
    assert answer.review_summary.average_rating == pytest.approx(4.5)
    assert {timing.stage for timing in answer.timings} >= {"products", "summary", "total"}
    assert answer.request_id
    assert not answer.degraded


async def test_reads_the_reviews_of_the_request_instead(shop):
    put(shop)
    answer = await summarise(shop, product_id="s1", reviews=[Review(id="own", text="Mine.")])
    assert [s.review_id for s in answer.summary.sentences] == ["own"]
    assert answer.unread_review_count == 0


async def test_what_is_refused(shop):
    put(shop)
    put(shop, "bare", reviews=[Review(id="r1", text=" ")])
    code = grpc.StatusCode
    assert await refusal(shop) is code.INVALID_ARGUMENT
    assert await refusal(shop, product_id="nowhere") is code.NOT_FOUND
    assert await refusal(shop, product_id="bare") is code.FAILED_PRECONDITION
    assert await refusal(shop, product_id="s1", max_words=9) is code.INVALID_ARGUMENT


async def test_at_most_500_reviews_are_read(shop):
    put(shop, reviews=[Review(id=str(n), text="Good.") for n in range(502)])
    answer = await summarise(shop, product_id="s1")
    assert (answer.summary.review_count, answer.unread_review_count) == (500, 2)


@pytest.mark.parametrize("how", ["broken", "slow"])
async def test_without_the_reason_service_ratings_are_left(hasty_summary, how):
    put(hasty_summary, review_summary={"average_rating": 4.5})
    getattr(hasty_summary.fake, how).add("reason")
    answer = await summarise(hasty_summary, product_id="s1")
    assert not answer.HasField("summary")
    assert answer.review_summary.average_rating == pytest.approx(4.5)
    (told,) = answer.degraded
    assert (told.stage, told.fallback) == ("summary", "the catalogue's ratings only")


async def test_without_the_catalogue_there_is_no_answer(hasty_summary):
    hasty_summary.fake.broken.add("retrieval")
    assert await refusal(hasty_summary, product_id="s1") is grpc.StatusCode.UNAVAILABLE

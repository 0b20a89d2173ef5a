"""`GenerateTags` of the bundled catalogue's products through the running suite."""

import grpc
import pytest

from shared.catalogue import bundled_catalogue_path, read_catalogue
from shared.suite import Suite
from wherefore.common.v1.product_pb2 import Product
from wherefore.reason.v1.tag_pb2 import TAG_METHOD_REVIEWS, Tag
from wherefore.reason.v1.tag_service_pb2 import GenerateTagsRequest
from wherefore.reason.v1.tag_service_pb2_grpc import TagServiceStub

pytestmark = pytest.mark.suite

PRODUCTS = 200
BATCH = 50


def products() -> list[Product]:
    rows = (row.product for row in read_catalogue(bundled_catalogue_path()))
    found = [product for product in rows if product is not None]
    return found[:: len(found) // PRODUCTS][:PRODUCTS]


def assert_quotes(tag: Tag, product: Product) -> None:
    assert 1 <= len(tag.evidence) <= 5
    for evidence in tag.evidence:
        kind, _, language = evidence.source.partition(".")
        if kind == "reviews":
            text = next(r.text for r in product.reviews if r.id == evidence.review_id)
        else:
            text = getattr(product, kind)[language]
        assert text[evidence.start : evidence.end] == evidence.text != ""


async def test_every_span_quotes_the_product_s_own_text(suite: Suite) -> None:
    praised = languages = 0
    async with grpc.aio.insecure_channel(suite.target("reason")) as channel:
        stub = TagServiceStub(channel)
        chosen = products()
        for at in range(0, len(chosen), BATCH):
            batch = chosen[at : at + BATCH]
            response = await stub.GenerateTags(
                GenerateTagsRequest(products=batch, language_code="zh"), timeout=30
            )
            assert not response.degraded
            assert [tagged.product_id for tagged in response.products] == [p.id for p in batch]
            for tagged, product in zip(response.products, batch, strict=True):
                confidences = [tag.confidence for tag in tagged.tags]
                assert confidences == sorted(confidences, reverse=True)
                for tag in tagged.tags:
                    assert_quotes(tag, product)
                    praised += tag.method == TAG_METHOD_REVIEWS
                    languages += {"titles.en", "titles.zh"} <= {e.source for e in tag.evidence}
    assert praised > PRODUCTS // 10
    assert languages > PRODUCTS // 2  # titles of both languages say the same


async def test_colours_that_the_shop_states_are_found_in_its_texts(suite: Suite) -> None:
    """Attributes are not read, so what is found comes from titles and descriptions."""
    right = wrong = stated = 0
    async with grpc.aio.insecure_channel(suite.target("reason")) as channel:
        stub = TagServiceStub(channel)
        chosen = [product for product in products() if "colour" in product.attributes]
        for at in range(0, len(chosen), BATCH):
            batch = chosen[at : at + BATCH]
            response = await stub.GenerateTags(GenerateTagsRequest(products=batch), timeout=30)
            for tagged, product in zip(response.products, batch, strict=True):
                known = set(product.attributes["colour"].texts)
                found = {tag.value for tag in tagged.tags if tag.key == "colour"}
                assert {t.value for t in tagged.tags if t.key == "colour" and t.stated} == (
                    found & known
                )
                stated += len(known)
                right += len(found & known)
                wrong += len(found - known)
    assert right >= 0.8 * stated
    assert right >= 0.8 * (right + wrong)

"""`GenerateTags` through the real reason service."""

import os

import grpc
import pytest

from services.reason.tags import book
from services.reason.tags.vocabulary_file import write_vocabulary
from shared.errors import InvalidArgumentError, error_from_rpc
from tests.services.reason.running import reason_service
from tests.services.reason.tags.conftest import product_of
from wherefore.common.v1.product_pb2 import Product, Review
from wherefore.reason.v1 import tag_pb2 as tag_pb
from wherefore.reason.v1.tag_service_pb2 import GenerateTagsRequest
from wherefore.reason.v1.tag_service_pb2_grpc import TagServiceStub


@pytest.fixture
async def served():
    async with reason_service(TagServiceStub) as serve:
        yield serve


def request_of(*products, **fields):
    return GenerateTagsRequest(products=products, **fields)


async def test_tags_of_the_lexicons(served):
    stub = await served()
    product = product_of(
        titles={"en": "Waterproof black jacket", "zh": "黑色防水外套"},
        reviews=["Not waterproof.", "Waterproof and warm."],
    )
    response = await stub.GenerateTags(request_of(product, language_code="zh-CN"), timeout=5)
    assert response.vocabulary_version == "lexicon"
    (tagged,) = response.products
    assert tagged.product_id == "p1"
    tags = {(tag.key, tag.value): tag for tag in tagged.tags}
    black, dry = tags["colour", "black"], tags["selling_point", "waterproof"]
    assert (black.label, black.kind) == ("黑色", tag_pb.TAG_KIND_ATTRIBUTE)
    assert (dry.label, dry.kind) == ("防水", tag_pb.TAG_KIND_SELLING_POINT)
    assert (dry.review_count, dry.opposing_count) == (1, 1)
    assert dry.method == tag_pb.TAG_METHOD_WORDS
    for tag in tagged.tags:
        for evidence in tag.evidence:
            kind, _, language = evidence.source.partition(".")
            text = (
                {r.id: r.text for r in product.reviews}[evidence.review_id]
                if kind == "reviews"
                else getattr(product, kind)[language]
            )
            assert text[evidence.start : evidence.end] == evidence.text
    assert [timing.stage for timing in response.timings] == ["tags"]
    assert not response.degraded


async def test_a_vocabulary_is_read_again_when_it_changes(
    served, tmp_path, vocabulary, monkeypatch
):
    monkeypatch.setattr(book, "LOOK_SECONDS", 0.0)
    path = tmp_path / "tags.toml"
    write_vocabulary(path, vocabulary)
    stub = await served(tags_vocabulary=path)
    request = request_of(product_of(titles={"en": "Black jacket"}), min_confidence=0.0)

    async def values():
        response = await stub.GenerateTags(request, timeout=5)
        return [tag.value for tag in response.products[0].tags], list(response.degraded)

    assert await values() == (["black"], [])
    path.write_text('[colour.values]\n"noir" = ["black"]\n')
    assert await values() == (["noir"], [])
    path.write_text("[colour")
    found, (told,) = await values()
    assert found == ["noir"]
    assert (told.stage, told.fallback) == ("tags.vocabulary", "the one before")
    path.write_text('[colour.values]\n"dark" = ["black"]\n')
    os.utime(path, (1, 1))
    assert await values() == (["dark"], [])


async def test_files_that_are_not_there_are_told(served, tmp_path):
    stub = await served(tags_vocabulary=tmp_path / "a.toml", tags_model=tmp_path / "b.npz")
    request = request_of(product_of(titles={"en": "Black jacket"}))
    response = await stub.GenerateTags(request, timeout=5)
    assert [tag.value for tag in response.products[0].tags] == ["black"]
    assert {(told.stage, told.fallback) for told in response.degraded} == {
        ("tags.vocabulary", "the vocabulary of the lexicons"),
        ("tags.model", "words alone"),
    }


async def test_proposals_are_what_products_of_a_category_share(served):
    stub = await served()
    products = [
        product_of(id=f"p{n}", category_path=["Jackets"], descriptions={"en": text})
        for n, text in enumerate(
            ("With moisture wicking lining.", "A moisture-wicking collar.", "Moisture wicking.")
        )
    ]
    response = await stub.GenerateTags(request_of(*products, min_proposal_products=3), timeout=5)
    (proposal,) = response.proposals
    assert (proposal.phrase, proposal.product_count) == ("moisture wicking", 3)
    assert list(proposal.category_path) == ["Jackets"]
    for example in proposal.examples:
        body = {p.id: p.descriptions["en"] for p in products}[example.product_id]
        assert body[example.evidence.start : example.evidence.end] == example.evidence.text
    assert all(not tagged.tags for tagged in response.products)


def text_of(length):
    return {"en": "x" * length}


PRODUCT = product_of(titles={"en": "Cup"})


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (request_of(), "products"),
        (request_of(*(product_of(id=str(n)) for n in range(101))), "products"),
        (request_of(Product()), "products[0].id"),
        (request_of(PRODUCT, PRODUCT), "products[1].id"),
        (request_of(product_of(titles=text_of(1_001))), 'products[0].titles["en"]'),
        (request_of(product_of(descriptions=text_of(20_001))), 'products[0].descriptions["en"]'),
        (request_of(product_of(titles={f"x{n}": "x" for n in range(11)})), "products[0].titles"),
        (request_of(Product(id="a", reviews=[Review(text="x")])), "products[0].reviews[0].id"),
        (
            request_of(Product(id="a", reviews=[Review(id="r"), Review(id="r")])),
            "products[0].reviews[1].id",
        ),
        (
            request_of(Product(id="a", reviews=[Review(id="r", text="x" * 10_001)])),
            "products[0].reviews[0].text",
        ),
        (
            request_of(Product(id="a", reviews=[Review(id=str(n)) for n in range(501)])),
            "products[0].reviews",
        ),
        (request_of(product_of(category_path=["x"] * 11)), "products[0].category_path"),
        (request_of(product_of(category_path=["x" * 201])), "products[0].category_path"),
        (request_of(PRODUCT, language_code="fr"), "language_code"),
        (request_of(PRODUCT, min_confidence=1.1), "min_confidence"),
        (request_of(PRODUCT, min_confidence=-0.1), "min_confidence"),
        (request_of(PRODUCT, min_confidence=float("nan")), "min_confidence"),
        (request_of(PRODUCT, max_tags=-1), "max_tags"),
        (request_of(PRODUCT, max_tags=201), "max_tags"),
        (request_of(PRODUCT, min_proposal_products=1), "min_proposal_products"),
        (request_of(PRODUCT, min_proposal_products=101), "min_proposal_products"),
    ],
)
async def test_bad_input_names_its_field(served, request_, field):
    stub = await served()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.GenerateTags(request_, timeout=5)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    refused = error_from_rpc(caught.value)
    assert isinstance(refused, InvalidArgumentError)
    assert [violation.field for violation in refused.violations] == [field]

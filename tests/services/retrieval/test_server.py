"""The service over a real port."""

from collections.abc import AsyncIterator

import grpc
import grpc.aio
import pytest
import pytest_asyncio
from google.protobuf.field_mask_pb2 import FieldMask

from tests.services.retrieval.serving import (
    Make,
    MakeVector,
    fill,
    ids,
    index,
    serve,
    understanding,
)
from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.vector_pb2 import Vector
from wherefore.nlu.v1.query_understanding_pb2 import (
    Constraint,
    Expansion,
    NumberRange,
    QueryUnderstanding,
    ValueSet,
)
from wherefore.retrieval.v1 import retrieval_service_pb2 as pb
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub

# One loop and one filled service for all tests that only read.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shop(
    tmp_path_factory: pytest.TempPathFactory, make_product: Make, make_vector: MakeVector
) -> AsyncIterator[RetrievalServiceStub]:
    """A service with four products for all tests to read; "pot" has no vector."""
    async for each in serve(tmp_path_factory.mktemp("shop")):
        await fill(each, make_product, make_vector)
        yield each


async def test_both_legs_are_fused(shop: RetrievalServiceStub, make_vector: MakeVector) -> None:
    query = understanding("steel kettle", make_vector(1, 0.2))
    response = await shop.Retrieve(pb.RetrieveRequest(query=query))
    best = response.candidates[0]
    assert best.product.id == "kettle"
    assert best.fused_rank == 1
    assert {leg.leg: leg.rank for leg in best.legs} == {"dense": 1, "sparse": 1}
    assert next(leg.score for leg in best.legs if leg.leg == "dense") == pytest.approx(1.0)
    assert [c.fused_score for c in response.candidates] == sorted(
        (c.fused_score for c in response.candidates), reverse=True
    )
    (pot,) = (c for c in response.candidates if c.product.id == "pot")
    assert [leg.leg for leg in pot.legs] == ["sparse"]
    stages = {timing.stage for timing in response.timings}
    assert stages >= {"retrieval.dense", "retrieval.sparse", "retrieval.fusion"}
    assert (response.estimated_total, list(response.degraded)) == (4, [])
    assert not best.product.descriptions


async def test_without_a_vector_the_words_answer(shop: RetrievalServiceStub) -> None:
    response = await shop.Retrieve(pb.RetrieveRequest(query=understanding("mouse")))
    assert ids(response) == ["mouse"]
    assert [each.stage for each in response.degraded] == ["retrieval.dense"]


async def test_expansions_find_more(shop: RetrievalServiceStub) -> None:
    query = understanding(
        "boiler", expansions=[Expansion(term="boiler", expansion="kettle", weight=0.5)]
    )
    response = await shop.Retrieve(pb.RetrieveRequest(query=query, legs=["sparse"]))
    assert set(ids(response)) == {"kettle", "red"}
    assert not response.degraded


async def test_filters_and_hard_constraints_narrow(
    shop: RetrievalServiceStub, make_vector: MakeVector
) -> None:
    query = understanding(
        "kettle",
        make_vector(1),
        constraints=[
            Constraint(field="price", range=NumberRange(max=50), hard=True),
            Constraint(field="colour", none_of=ValueSet(values=["red"]), hard=True),
            Constraint(field="brand", any_of=ValueSet(values=["Nobody"]), hard=True),
            Constraint(field="rating", range=NumberRange(min=4), hard=True),
        ],
    )
    response = await shop.Retrieve(pb.RetrieveRequest(query=query, filter='brand: "ACME"'))
    assert ids(response) == ["kettle"]
    assert response.applied_filter == 'brand: "ACME" AND price <= 50 AND NOT colour: "red"'
    assert list(response.ignored_constraints) == ['brand: "Nobody"', "rating >= 4"]
    assert 0 <= response.estimated_total <= 4  # an estimate


async def test_limits_exclusions_masks_and_exact(
    shop: RetrievalServiceStub, make_vector: MakeVector
) -> None:
    request = pb.RetrieveRequest(
        query=understanding("kettle", make_vector(1)),
        limit=1,
        excluded_ids=["kettle"],
        read_mask=FieldMask(paths=["titles", "descriptions"]),
        exact=True,
    )
    (candidate,) = (await shop.Retrieve(request)).candidates
    assert candidate.product == Product(id="red", titles={"en": "Red glass kettle"})


@pytest.mark.parametrize(
    "request_",
    [
        pb.RetrieveRequest(filter="nothing = 1"),
        pb.RetrieveRequest(filter="price <"),
        pb.RetrieveRequest(filter="attributes.nothing = 1"),
        pb.RetrieveRequest(limit=-1),
        pb.RetrieveRequest(limit=1_001),
        pb.RetrieveRequest(legs=["psychic"]),
        pb.RetrieveRequest(read_mask=FieldMask(paths=["nothing"])),
        pb.RetrieveRequest(excluded_ids=["x"] * 1_001),
        pb.RetrieveRequest(query=QueryUnderstanding(expansions=[Expansion(weight=1e308)])),
        pb.RetrieveRequest(query=QueryUnderstanding(expansions=[Expansion(weight=-0.1)])),
        pb.RetrieveRequest(query=QueryUnderstanding(vector=Vector(values=[1.0], model="toy@1"))),
    ],
)
async def test_bad_requests(shop: RetrievalServiceStub, request_: pb.RetrieveRequest) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await shop.Retrieve(request_)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_vectors_of_another_model(
    shop: RetrievalServiceStub, make_product: Make, make_vector: MakeVector
) -> None:
    alien = make_vector(1, model="other@1")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await shop.Retrieve(pb.RetrieveRequest(query=understanding("kettle", alien)))
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await index(shop, [pb.IndexDocument(product=make_product("x", "X"), vector=alien)])
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION


async def test_similar(shop: RetrievalServiceStub) -> None:
    response = await shop.Similar(pb.SimilarRequest(product_ids=["kettle", "nothing"]))
    assert ids(response) == ["red", "mouse"]
    assert [leg.leg for leg in response.candidates[0].legs] == ["similar"]
    weighted = pb.SimilarRequest(product_ids=["kettle", "mouse"], weights=[0, 1], limit=1)
    assert ids(await shop.Similar(weighted)) == ["red"]
    filtered = pb.SimilarRequest(product_ids=["kettle"], filter='brand: "zeta"')
    assert ids(await shop.Similar(filtered)) == ["mouse"]


async def test_similar_of_products_without_a_vector_goes_by_words(
    shop: RetrievalServiceStub,
) -> None:
    assert ids(await shop.Similar(pb.SimilarRequest(product_ids=["pot"])))[0] == "kettle"


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (pb.SimilarRequest(), grpc.StatusCode.INVALID_ARGUMENT),
        (pb.SimilarRequest(product_ids=["nothing"]), grpc.StatusCode.NOT_FOUND),
        (pb.SimilarRequest(product_ids=["a"], weights=[1, 2]), grpc.StatusCode.INVALID_ARGUMENT),
        (pb.SimilarRequest(product_ids=["a"], weights=[-1]), grpc.StatusCode.INVALID_ARGUMENT),
        (
            pb.SimilarRequest(product_ids=["a"], weights=[float("nan")]),
            grpc.StatusCode.INVALID_ARGUMENT,
        ),
    ],
)
async def test_bad_similar_requests(
    shop: RetrievalServiceStub, request_: pb.SimilarRequest, code: grpc.StatusCode
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await shop.Similar(request_)
    assert caught.value.code() is code


async def test_products_come_back_whole_in_order(shop: RetrievalServiceStub) -> None:
    request = pb.GetProductsRequest(product_ids=["mouse", "nothing", "kettle"])
    mouse, kettle = (await shop.GetProducts(request)).products
    assert (mouse.id, kettle.descriptions["en"]) == ("mouse", "Boils water.")
    assert len(kettle.etag) == 16
    assert kettle.HasField("update_time")
    assert kettle.language_code == "en"


async def test_pages_by_id(shop: RetrievalServiceStub) -> None:
    first = await shop.ListProducts(pb.ListProductsRequest(page_size=3))
    assert [product.id for product in first.products] == ["kettle", "mouse", "pot"]
    last = await shop.ListProducts(pb.ListProductsRequest(after_id=first.next_after_id))
    assert ([product.id for product in last.products], last.next_after_id) == (["red"], "")
    some = await shop.ListProducts(pb.ListProductsRequest(filter="price > 25"))
    assert [product.id for product in some.products] == ["kettle", "red"]


async def test_pages_by_popularity(shop: RetrievalServiceStub) -> None:
    request = pb.ListProductsRequest(order=pb.LIST_ORDER_POPULARITY, page_size=2)
    response = await shop.ListProducts(request)
    assert [product.id for product in response.products] == ["red", "kettle"]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await shop.ListProducts(
            pb.ListProductsRequest(order=pb.LIST_ORDER_POPULARITY, after_id="red")
        )
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_stats(shop: RetrievalServiceStub) -> None:
    stats = await shop.Stats(pb.StatsRequest(include_terms=True))
    assert (stats.product_count, stats.vector_count, stats.vector_dimension) == (4, 3, 8)
    assert (stats.vector_model, stats.store, stats.optimized) == ("toy@1", "qdrant-edge", True)
    assert dict(stats.category_counts) == {"Kitchen": 2, "Office": 1}
    assert [(term.term, term.count) for term in stats.brands] == [("Acme", 3), ("Zeta", 1)]
    assert [(term.term, term.count) for term in stats.product_types] == [
        ("Kettles", 2),
        ("Office", 1),
    ]
    assert [(term.term, term.count) for term in stats.vocabulary] == [("kettle", 2), ("steel", 2)]
    fields = {field.name: field.kind for field in stats.filter_fields}
    assert fields["attributes.dpi"] == "number"
    assert fields["in_stock"] == "boolean"
    assert fields["release_time"] == "time"
    plain = await shop.Stats(pb.StatsRequest())
    assert plain.product_count == 4
    assert not plain.brands
    assert not plain.category_counts

"""The service over a real port."""

from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path

import grpc
import grpc.aio
import pytest
import pytest_asyncio
from google.protobuf.field_mask_pb2 import FieldMask

from services.retrieval.config import RetrievalSettings
from services.retrieval.server import RetrievalService
from shared.server import start_server
from wherefore.common.v1.product_pb2 import AttributeValue, Product, ProductStatistics
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

Make = Callable[..., Product]
MakeVector = Callable[..., Vector]


# One loop and one filled service for all tests that only read.
pytestmark = pytest.mark.asyncio(loop_scope="module")


async def serve(folder: Path) -> AsyncIterator[RetrievalServiceStub]:
    settings = RetrievalSettings(port=0, data_dir=folder, vector_dimension=8, qdrant_url="")
    server = await start_server(RetrievalService(settings), settings)
    await server.wait_ready(60)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield RetrievalServiceStub(channel)
    await server.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def stub(tmp_path: Path) -> AsyncIterator[RetrievalServiceStub]:
    """An empty service, for one test to write to."""
    async for each in serve(tmp_path):
        yield each


async def index(stub: RetrievalServiceStub, documents: Iterable[pb.IndexDocument]):
    request = pb.IndexRequest(documents=documents)
    return await stub.Index(iter([request]), timeout=30)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shop(
    tmp_path_factory: pytest.TempPathFactory, make_product: Make, make_vector: MakeVector
) -> AsyncIterator[RetrievalServiceStub]:
    """A service with four products for all tests to read; "pot" has no vector."""
    async for each in serve(tmp_path_factory.mktemp("shop")):
        await fill(each, make_product, make_vector)
        yield each


async def fill(stub: RetrievalServiceStub, make_product: Make, make_vector: MakeVector) -> None:
    kettle = make_product(
        "kettle", "Steel kettle", price=30, brand="Acme", category_path=["Kitchen", "Kettles"],
        descriptions={"en": "Boils water."},
        statistics=ProductStatistics(view_count=10),
    )  # fmt: skip
    red = make_product(
        "red", "Red glass kettle", price=60, brand="Acme", category_path=["Kitchen", "Kettles"],
        statistics=ProductStatistics(purchase_count=10),
    )  # fmt: skip
    mouse = make_product(
        "mouse", "Wireless mouse", price=20, brand="Zeta", category_path=["Office"],
        attributes={"dpi": AttributeValue(numbers=[800])},
    )  # fmt: skip
    response = await index(
        stub,
        [
            pb.IndexDocument(product=kettle, vector=make_vector(1, 0.2)),
            pb.IndexDocument(product=red, vector=make_vector(1, 0.4)),
            pb.IndexDocument(product=mouse, vector=make_vector(0, 1)),
            pb.IndexDocument(product=make_product("pot", "Steel pot", brand="acme")),
        ],
    )
    assert (response.indexed_count, list(response.errors)) == (4, [])


def understanding(text: str, vector: Vector | None = None, **fields: object) -> QueryUnderstanding:
    return QueryUnderstanding(query=text, vector=vector, **fields)  # type: ignore[arg-type]


def ids(response: pb.RetrieveResponse | pb.SimilarResponse) -> list[str]:
    return [candidate.product.id for candidate in response.candidates]


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


async def test_who_names_a_device_finds_what_fits_it(
    stub: RetrievalServiceStub, make_product: Make
) -> None:
    devices = "LaserJet " + "/".join(str(number) for number in range(2000, 2060))
    fitting = make_product(
        "fits", "Black ink", attributes={"compatibility": AttributeValue(texts=[devices])}
    )
    documents = [pb.IndexDocument(product=p) for p in (fitting, make_product("no", "Black ink 2"))]
    await index(stub, documents)
    query = QueryUnderstanding(query="ink for laserjet 2059", search_text="ink laserjet 2059")
    response = await stub.Retrieve(pb.RetrieveRequest(query=query, legs=["sparse"]), timeout=5)
    assert [c.product.id for c in response.candidates] == ["fits", "no"]
    scores = [c.legs[0].score for c in response.candidates]
    assert scores[0] > 1.5 * scores[1]


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


async def test_bad_rows_and_unchanged_rows_of_a_stream(
    stub: RetrievalServiceStub, make_product: Make
) -> None:
    good = pb.IndexDocument(product=make_product("a", "Kettle"))
    bad = pb.IndexDocument(product=make_product("b", "Pot", price=float("nan")))
    placed = pb.IndexDocument(product=Product(id="c"), row=77)
    requests = [pb.IndexRequest(documents=[good, bad]), pb.IndexRequest(documents=[placed, good])]
    response = await stub.Index(iter(requests))
    assert (response.indexed_count, response.unchanged_count) == (1, 1)
    assert [(error.row, error.field) for error in response.errors] == [
        (2, "price.amount"),
        (77, "titles"),
    ]
    again = await stub.Index(iter(requests))
    assert (again.indexed_count, again.unchanged_count) == (0, 2)
    assert again.index_version == response.index_version


async def test_too_many_documents_in_a_message(stub: RetrievalServiceStub) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await index(stub, [pb.IndexDocument()] * 513)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_delete(
    stub: RetrievalServiceStub, make_product: Make, make_vector: MakeVector
) -> None:
    await fill(stub, make_product, make_vector)
    response = await stub.Delete(pb.DeleteRequest(product_ids=["kettle", "nothing"]))
    assert (response.deleted_count, list(response.missing_ids)) == (1, ["nothing"])
    assert (await stub.Stats(pb.StatsRequest())).product_count == 3


async def test_an_empty_index_answers(stub: RetrievalServiceStub, make_vector: MakeVector) -> None:
    response = await stub.Retrieve(pb.RetrieveRequest(query=understanding("x", make_vector(1))))
    assert (list(response.candidates), response.estimated_total) == ([], 0)
    assert not (await stub.ListProducts(pb.ListProductsRequest())).products
    stats = await stub.Stats(pb.StatsRequest(include_terms=True))
    assert (stats.product_count, stats.vector_model) == (0, "")


async def test_prices_stand_in_their_category_once_terms_were_read(
    stub: RetrievalServiceStub, make_product: Make
) -> None:
    products = [
        make_product(f"k{n}", "Kettle", price=10.0 + n, category_path=["Kitchen", "Kettles"])
        for n in range(4)
    ]
    await index(stub, [pb.IndexDocument(product=product) for product in products])
    await stub.Stats(pb.StatsRequest(include_terms=True))
    request = pb.GetProductsRequest(product_ids=["k1"], include_price_standings=True)
    standing = (await stub.GetProducts(request)).price_standings["k1"]
    assert (standing.category, standing.compared_count, standing.dearer_count) == ("Kettles", 3, 2)
    # What was counted before another product came is not so any more.
    another = make_product("k9", "Kettle", price=1.0, category_path=["Kitchen", "Kettles"])
    await index(stub, [pb.IndexDocument(product=another)])
    assert not (await stub.GetProducts(request)).price_standings
    await stub.Stats(pb.StatsRequest(include_terms=True))
    standing = (await stub.GetProducts(request)).price_standings["k1"]
    assert (standing.compared_count, standing.dearer_count) == (4, 2)
    # Sales change all the time, and no price with them.
    another.statistics.purchase_count = 7
    assert (await index(stub, [pb.IndexDocument(product=another)])).indexed_count == 1
    assert (await stub.GetProducts(request)).price_standings["k1"] == standing
    another.price.amount = 2.0
    await index(stub, [pb.IndexDocument(product=another)])
    assert not (await stub.GetProducts(request)).price_standings
    await stub.Stats(pb.StatsRequest(include_terms=True))
    await stub.Delete(pb.DeleteRequest(product_ids=["k9"]))
    assert not (await stub.GetProducts(request)).price_standings
    await stub.Stats(pb.StatsRequest(include_terms=True))
    request.include_price_standings = False
    assert not (await stub.GetProducts(request)).price_standings


async def test_a_product_keeps_the_vector_of_its_text(
    stub: RetrievalServiceStub, make_product: Make, make_vector: MakeVector
) -> None:
    def document(price: float, **fields: object) -> pb.IndexDocument:
        product = make_product("a", "Kettle", price=price)
        return pb.IndexDocument(product=product, **fields)  # type: ignore[arg-type]

    async def sources() -> dict[str, str]:
        request = pb.GetProductsRequest(product_ids=["a", "b"], include_vector_sources=True)
        response = await stub.GetProducts(request)
        return dict(response.vector_sources)

    await index(stub, [document(3, vector=make_vector(1), vector_source="kettle")])
    assert (await index(stub, [document(2, vector_source="kettle")])).indexed_count == 1
    assert await sources() == {"a": "kettle"}
    plain = await stub.GetProducts(pb.GetProductsRequest(product_ids=["a"]))
    assert not plain.vector_sources
    refused = await index(stub, [document(1, vector_source="pot")])
    assert [error.field for error in refused.errors] == ["vector_source"]
    query = understanding("kettle", make_vector(1))
    (found,) = (await stub.Retrieve(pb.RetrieveRequest(query=query))).candidates
    assert found.product.price.amount == 2
    assert {leg.leg for leg in found.legs} == {"dense", "sparse"}

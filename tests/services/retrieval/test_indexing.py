"""Writing to the service over a real port."""

from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import grpc.aio
import pytest
import pytest_asyncio

from tests.services.retrieval.serving import (
    Make,
    MakeVector,
    fill,
    index,
    serve,
    understanding,
)
from wherefore.common.v1.product_pb2 import AttributeValue, Product
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding
from wherefore.retrieval.v1 import retrieval_service_pb2 as pb
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub

# One loop, as of the tests that read.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def stub(tmp_path: Path) -> AsyncIterator[RetrievalServiceStub]:
    """An empty service, for one test to write to."""
    async for each in serve(tmp_path):
        yield each


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

"""Facets, selections and included ids over a real port."""

from collections.abc import AsyncIterator, Callable

import grpc
import pytest
import pytest_asyncio

from shared.errors import InvalidArgumentError, error_from_rpc
from tests.services.retrieval.test_server import index, serve, understanding
from wherefore.common.v1.product_pb2 import AttributeValue, Product, ReviewSummary
from wherefore.retrieval.v1 import facet_pb2
from wherefore.retrieval.v1 import retrieval_service_pb2 as pb
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub

pytestmark = pytest.mark.asyncio(loop_scope="module")
Spec = facet_pb2.FacetSpec
FILTER = facet_pb2.FACET_SCOPE_FILTER


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shop(
    tmp_path_factory: pytest.TempPathFactory, make_product: Callable[..., Product]
) -> AsyncIterator[RetrievalServiceStub]:
    """Twelve kettles of two brands at 10 to 120, and three books."""
    async for stub in serve(tmp_path_factory.mktemp("shop")):
        products = [
            make_product(
                f"k{n:02}", f"Kettle {n}", price=10.0 * n,
                review_summary=ReviewSummary(average_rating=1 + n / 3, rating_count=n),
                brand="Acme" if n % 3 else "Zeta Works", category_path=["Kitchen", "Kettles"],
                attributes={
                    "colour": AttributeValue(texts=["Red"] if n % 2 else ["Black", "Red"]),
                    "lid_type": AttributeValue(texts=["Flip Top" if n < 5 else "Screw"]),
                    "power": AttributeValue(numbers=[100.0 * n]),
                    "depth": AttributeValue(numbers=[7.5]),
                },
            )
            for n in range(1, 13)
        ]  # fmt: skip
        products += [
            make_product(f"b{n}", f"Book {n}", brand="Acme", category_path=["Books"])
            for n in range(3)
        ]
        await index(stub, [pb.IndexDocument(product=product) for product in products])
        # A product that was changed counts as it is now, one that is gone not at all.
        products[0].brand = "Was"
        await index(stub, [pb.IndexDocument(product=products[0])])
        products[0].brand = "Acme"
        await index(stub, [pb.IndexDocument(product=products[0])])
        await index(stub, [pb.IndexDocument(product=make_product("gone", "Kettle", brand="Gone"))])
        await stub.Delete(pb.DeleteRequest(product_ids=["gone"]))
        yield stub


async def count(
    shop: RetrievalServiceStub, *specs: Spec, query: str = "", text: str = "", **fields: object
) -> list[facet_pb2.Facet]:
    request = pb.FacetsRequest(query=understanding(query), filter=text, facets=specs, **fields)
    return list((await shop.Facets(request, timeout=5)).facets)


def counts(facet: facet_pb2.Facet) -> dict[str, int]:
    return {value.value: value.count for value in facet.values}


async def test_counts_of_all_that_meets_the_filter(shop: RetrievalServiceStub) -> None:
    brand, category, colour, lid, stock = await count(
        shop,
        Spec(key="brand"),
        Spec(key="category"),
        Spec(key="colour"),
        Spec(key="attributes.lid_type"),
        Spec(key="in_stock"),
        scope=FILTER,
    )
    assert counts(brand) == {"acme": 11, "zeta works": 4}
    assert [value.label for value in brand.values] == ["Acme", "Zeta Works"]
    assert brand.values[1].filter == 'brand: "zeta works"'
    assert (brand.counted_products, brand.value_count) == (15, 2)
    assert counts(category) == {"kitchen": 12, "kitchen > kettles": 12, "books": 3}
    assert category.values[2].label == "Books"
    assert {v.label for v in category.values} == {"Kitchen", "Kitchen > Kettles", "Books"}
    assert counts(colour) == {"red": 12, "black": 6}
    assert counts(lid) == {"screw": 8, "flip top": 4}
    assert [value.label for value in lid.values] == ["Screw", "Flip Top"]
    assert counts(stock) == {"true": 15}


async def test_counts_of_what_the_query_finds(shop: RetrievalServiceStub) -> None:
    (category,) = await count(shop, Spec(key="category"), query="book")
    assert counts(category) == {"books": 3}
    assert category.counted_products == 3


async def test_every_value_selects_what_it_counts(shop: RetrievalServiceStub) -> None:
    keys = ["brand", "category", "colour", "in_stock", "price", "attributes.lid_type"]
    keys += ["attributes.power", "attributes.depth", "rating", "rating_count"]
    for facet in await count(shop, *(Spec(key=key) for key in keys), scope=FILTER):
        assert facet.values
        for value in facet.values:
            listed = await shop.ListProducts(pb.ListProductsRequest(filter=value.filter))
            assert len(listed.products) == value.count, value.filter


async def test_own_condition_is_left_out(shop: RetrievalServiceStub) -> None:
    brand, colour = await count(
        shop, Spec(key="brand"), Spec(key="colour"), text="brand: acme AND price <= 60",
        scope=FILTER,
    )  # fmt: skip
    assert counts(brand) == {"acme": 4, "zeta works": 2}
    assert brand.own_condition_left_out
    assert counts(colour) == {"red": 4, "black": 2}
    assert not colour.own_condition_left_out
    assert (brand.counted_products, colour.counted_products) == (6, 4)


async def test_numbers_are_counted_by_intervals(shop: RetrievalServiceStub) -> None:
    given = [facet_pb2.Interval(max=50), facet_pb2.Interval(min=50, max=100)]
    own, automatic, power = await count(
        shop,
        Spec(key="price", intervals=given),
        Spec(key="price", limit=3),
        Spec(key="attributes.power", limit=2),
        query="kettle",
    )
    assert [value.count for value in own.values] == [4, 5]
    assert own.values[1].filter == "price >= 50 AND price < 100"
    assert not own.values[0].interval.HasField("min")
    assert sum(value.count for value in automatic.values) == 12
    assert 1 < len(automatic.values) <= 3
    assert sum(value.count for value in power.values) == 12


async def test_limits_and_prefixes(shop: RetrievalServiceStub) -> None:
    first, below = await count(
        shop, Spec(key="category", limit=1), Spec(key="category", prefix="Kitchen > "), scope=FILTER
    )
    assert len(first.values) == 1
    assert first.value_count == 3
    assert counts(below) == {"kitchen > kettles": 12}


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (pb.FacetsRequest(), "facets"),
        (pb.FacetsRequest(facets=[Spec(key="brand"), Spec(key="brnd")]), "facets[1].key"),
        (pb.FacetsRequest(facets=[Spec(key="brand", limit=-1)]), "facets[0].limit"),
        (pb.FacetsRequest(facets=[Spec(key="brand")], filter="brnd: x"), "filter"),
        (pb.FacetsRequest(facets=[Spec(key="brand")], filter="brand: ("), "filter"),
        (
            pb.FacetsRequest(facets=[Spec(key="price", intervals=[facet_pb2.Interval()])]),
            "facets[0].intervals[0]",
        ),
        (
            pb.FacetsRequest(
                facets=[Spec(key="price", intervals=[facet_pb2.Interval(min=2, max=2)])]
            ),
            "facets[0].intervals[0]",
        ),
        (pb.FacetsRequest(facets=[Spec(key="brand")], scope=9), "scope"),  # type: ignore[arg-type]
    ],
)
async def test_bad_requests_name_the_field(
    shop: RetrievalServiceStub, request_: pb.FacetsRequest, field: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await shop.Facets(request_)
    error = error_from_rpc(raised.value)
    assert isinstance(error, InvalidArgumentError)
    assert [violation.field for violation in error.violations] == [field]


async def test_selections(shop: RetrievalServiceStub) -> None:
    response = await shop.SelectProducts(
        pb.SelectProductsRequest(
            product_ids=["k03", "nothing", "k01", "b1"],
            filters=["", "category: kitchen", "brand: acme AND price > 5", "price > 1000"],
        )
    )
    assert [list(each.product_ids) for each in response.selections] == [
        ["k03", "k01", "b1"],
        ["k03", "k01"],
        ["k01"],
        [],
    ]
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await shop.SelectProducts(
            pb.SelectProductsRequest(product_ids=["k01"], filters=["", "brnd: x"])
        )
    error = error_from_rpc(raised.value)
    assert isinstance(error, InvalidArgumentError)
    assert [violation.field for violation in error.violations] == ["filters[1]"]


async def test_included_ids_come_though_no_leg_finds_them(shop: RetrievalServiceStub) -> None:
    response = await shop.Retrieve(
        pb.RetrieveRequest(
            query=understanding("book"),
            filter="brand: acme",
            included_ids=["b1", "k01", "k03", "nothing"],
            limit=3,
        )
    )
    ids = [candidate.product.id for candidate in response.candidates]
    assert set(ids[:3]) == {"b0", "b1", "b2"}
    assert ids[3:] == ["k01"], "k03 is of another brand"
    assert not response.candidates[-1].legs
    assert response.candidates[-1].fused_score == 0

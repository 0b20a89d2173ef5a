"""Facets and variant groups of searches, before the real retrieval service."""

from collections.abc import AsyncIterator
from types import SimpleNamespace

import grpc
import pytest
import pytest_asyncio

from services.orchestrator.variants import VariantGroups
from shared.errors import InvalidArgumentError, error_from_rpc
from tests.services.orchestrator.real_retrieval import serve_with_retrieval
from wherefore.common.v1.product_pb2 import Product
from wherefore.orchestrator.v1.result_pb2 import Result
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest, SearchResponse
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.retrieval.v1.facet_pb2 import FACET_SCOPE_FILTER, FacetSpec

pytestmark = pytest.mark.asyncio(loop_scope="module")


def products() -> list[Product]:
    """250 cups: 50 groups of 4 variants, and 50 without any."""
    made: list[Product] = []
    for n in range(250):
        product = Product(id=f"p{n:03}", titles={"en": f"Steel cup {n}"})
        product.brand = "Acme" if n % 2 else "Zeta"
        product.category_path.append("Kitchen")
        product.price.currency_code, product.price.amount = "EUR", float(n + 1)
        product.variant_group_id = f"g{n % 50:02}" if n < 200 else ""
        made.append(product)
    return made


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SimpleNamespace]:
    # What is asked here is what comes, not how soon: a busy machine is no missing facet.
    budget = {"seconds": 9, "reserve": 0.01}
    patient = {"retrieval": budget, "facets": budget, "products": budget}
    async with serve_with_retrieval(
        tmp_path_factory.mktemp("shop"), products(), budgets=patient
    ) as running:
        yield running


async def search(shop: SimpleNamespace, **fields: object) -> SearchResponse:
    request = SearchRequest(query="cup", **fields)  # type: ignore[arg-type]
    return await SearchServiceStub(shop.channel).Search(request, timeout=10)


async def test_facets_come_with_the_page(shop: SimpleNamespace) -> None:
    response = await search(
        shop,
        filter="brand: acme",
        facets=[FacetSpec(key="brand"), FacetSpec(key="price", limit=3)],
        facet_scope=FACET_SCOPE_FILTER,
    )
    brand, price = response.facets
    assert {value.label: value.count for value in brand.values} == {"Acme": 125, "Zeta": 125}
    assert sum(value.count for value in price.values) == 125
    stages = [timing.stage for timing in response.timings]
    assert "facets" in stages
    assert stages.count("retrieval.dense") == 1
    assert not response.degraded


async def test_every_page_counts_the_same(shop: SimpleNamespace) -> None:
    specs = [FacetSpec(key="brand")]
    first = await search(shop, facets=specs)
    second = await search(shop, facets=specs, page_token=first.next_page_token)
    assert first.facets[0].counted_products == 250
    assert list(first.facets) == list(second.facets)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"facets": [FacetSpec(key="brand"), FacetSpec(key="brnd")]}, "facets[1].key"),
        ({"facets": [FacetSpec(key="brand", limit=-1)]}, "facets[0].limit"),
        ({"facets": [FacetSpec(key="brand")] * 21}, "facets"),
        ({"facet_scope": 7}, "facet_scope"),
        ({"group_variants": -1}, "group_variants"),
    ],
)
async def test_bad_requests_name_the_field(
    shop: SimpleNamespace, fields: dict[str, object], field: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await search(shop, **fields)
    error = error_from_rpc(raised.value)
    assert isinstance(error, InvalidArgumentError)
    assert [violation.field for violation in error.violations] == [field]


async def test_facets_that_cannot_be_counted_are_told(running: SimpleNamespace) -> None:
    # The retrieval in small knows no facets.
    response = await search(running, facets=[FacetSpec(key="brand")])
    assert response.results
    assert not response.facets
    assert [(d.stage, d.fallback) for d in response.degraded] == [("facets", "no facets")]


@pytest.mark.parametrize("order_by", ["", "price desc"])
async def test_one_result_of_a_group_and_nothing_lost(shop: SimpleNamespace, order_by: str) -> None:
    shown: list[str] = []
    named: list[str] = []
    token = ""
    while True:
        page = await search(
            shop, group_variants=1, page_size=30, page_token=token, order_by=order_by
        )
        for result in page.results:
            shown.append(result.product.id)
            named += result.other_variant_ids
            assert result.other_variant_count == len(result.other_variant_ids)
            assert result.other_variant_count == (3 if result.product.variant_group_id else 0)
        token = page.next_page_token
        if not token:
            break
    groups = [f"g{int(i[1:]) % 50}" for i in shown if int(i[1:]) < 200]
    assert len(groups) == len(set(groups))
    if order_by:
        # Another order than relevance looks at 200 candidates.
        assert len(set(shown + named)) == len(shown + named)
    else:
        assert sorted(shown + named) == [f"p{n:03}" for n in range(250)]
        assert len(shown) == 100


async def test_other_variants_meet_the_filter(shop: SimpleNamespace) -> None:
    page = await search(shop, group_variants=1, filter="price <= 100", page_size=100)
    assert len(page.results) == 50
    assert all(result.other_variant_count == 1 for result in page.results)


async def test_several_of_a_group(shop: SimpleNamespace) -> None:
    page = await search(shop, group_variants=2, filter="price <= 150", page_size=100)
    assert len(page.results) == 100
    first = [result for result in page.results if result.other_variant_count]
    assert len(first) == 50
    shown = {result.product.id for result in page.results}
    assert not shown & {i for result in first for i in result.other_variant_ids}


async def test_a_pinned_product_stays_whatever_stands_before_it() -> None:
    results = [Result() for _ in range(4)]
    for number, result in enumerate(results):
        result.product.id = f"p{number}"
    group_of = {"p0": "g", "p1": "g", "p2": "g", "p3": ""}
    groups = VariantGroups()
    kept = groups.keep(results, group_of, 1, before={"p2"})
    assert [result.product.id for result in kept] == ["p2", "p3"]
    assert groups.first == {"p2": "g"}
    assert groups.keep(results[:1], group_of, 1) == []


async def test_a_page_token_is_bound_to_the_grouping(shop: SimpleNamespace) -> None:
    page = await search(shop, group_variants=1)
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await search(shop, page_token=page.next_page_token)
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT

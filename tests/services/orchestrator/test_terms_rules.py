"""The shop's rules about prices, for accounts: over real ports, before the real retrieval."""

import pytest
import pytest_asyncio

from tests.services.orchestrator.real_retrieval import serve_with_retrieval
from tests.services.orchestrator.test_terms import TERMS, amounts, ids, products, search
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1.recommendation_service_pb2 import RecommendRequest
from wherefore.orchestrator.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from wherefore.retrieval.v1.facet_pb2 import FacetSpec

pytestmark = pytest.mark.asyncio(loop_scope="module")
RULES = """
rules:
  - {id: cheap, when: {query_terms: [cheap]}, boost: {filter: "price < 3", strength: 1}}
  - id: zeta
    when: {query_terms: [zeta]}
    bury: {filter: "price < 3 AND NOT brand: Acme", products: [p04], strength: 1}
  - {id: bargain, when: {query_terms: [bargain]}, filter: "price <= 2.7"}
  - {id: modest, when: {query_terms: [modest]}, block: {filter: "price > 26"}}
  - {id: odd-boost, when: {query_terms: [odd]}, boost: {filter: "price < dear", strength: 1}}
  - {id: odd-filter, when: {query_terms: [odd]}, filter: "price < dear"}
  - {id: similar, when: {serving_configs: [similar]}, filter: "price < 3"}
"""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    (folder / "terms.yaml").write_text(TERMS)
    (folder / "rules.yaml").write_text(RULES)
    async with serve_with_retrieval(
        folder,
        list(products()),
        terms={"file": folder / "terms.yaml"},
        rules_file=folder / "rules.yaml",
        budgets={
            stage: {"seconds": 5, "reserve": 0}
            for stage in ("nlu", "ranking", "reason", "products", "facets")
        },
    ) as running:
        yield running


def moved(response):
    return {each.id: set(each.product_ids) for each in response.applied_controls}


async def test_boosts_go_by_the_accounts_price(shop):
    # p01 and p02 cost acme 1.80 and 2.70, p29 2.50 by agreement; p00 costs it 40.
    response = await search(shop, "acme", query="cup cheap")
    assert moved(response) == {"cheap": {"p01", "p02", "p29"}}
    assert set(ids(response)[:3]) == {"p01", "p02", "p29"}
    assert moved(await search(shop, query="cup cheap")) == {"cheap": {"p00", "p01"}}


async def test_so_do_rules_of_which_a_part_is_about_the_price(shop):
    assert moved(await search(shop, "acme", query="cup zeta")) == {"zeta": {"p02", "p04", "p29"}}
    assert moved(await search(shop, query="cup zeta")) == {"zeta": {"p04"}}


async def test_what_rules_show_and_hide_goes_by_it_too(shop):
    bargain = await search(shop, "acme", query="cup bargain", facets=[FacetSpec(key="brand")])
    assert set(ids(bargain)) == {"p01", "p02", "p29"}
    assert bargain.applied_filter == "price <= 2.7"
    assert bargain.estimated_total == -1
    assert {value.label: value.count for value in bargain.facets[0].values} == {
        "Zeta": 2,
        "Acme": 1,
    }
    assert not bargain.degraded
    assert set(ids(await search(shop, query="cup bargain"))) == {"p00", "p01"}
    both = await search(shop, "acme", query="cup bargain", filter="price > 2 AND brand: Zeta")
    assert set(ids(both)) == {"p02", "p29"}
    modest = await search(shop, "acme", query="cup modest")
    assert set(ids(modest)) == {f"p{n:02}" for n in range(30)} - {"p00", "p03", "p28"}
    assert "p28" not in ids(await search(shop, query="cup modest"))


async def test_rules_that_make_no_sense_are_left_out_and_told(shop):
    response = await search(shop, "acme", query="cup odd")
    assert len(response.results) == 29
    assert not response.applied_controls
    assert {d.stage for d in response.degraded} == {"merchandising"}
    assert all("odd" in d.detail or "filters" in d.detail for d in response.degraded)


async def test_recommendations_are_ruled_by_it(shop):
    async def recommend(account):
        user = UserContext(account_id=account)
        request = RecommendRequest(product_ids=["p05"], user=user, page_size=30)
        request.serving_config = "similar"
        return await RecommendationServiceStub(shop.channel).Recommend(request, timeout=10)

    response = await recommend("acme")
    assert set(ids(response)) == {"p01", "p02", "p29"}
    assert set(amounts(response).values()) == {1.8, 2.7, 2.5}

"""Terms of accounts over real ports, before the real retrieval service."""

import asyncio
import json

import grpc
import pytest
import pytest_asyncio
from pydantic import ValidationError

from services.orchestrator.config import OrchestratorSettings
from services.orchestrator.terms.settings import TermsSettings
from tests.services.orchestrator.real_retrieval import serve_with_retrieval
from wherefore.common.v1.product_pb2 import AVAILABILITY_IN_STOCK, Product
from wherefore.common.v1.user_event_pb2 import USER_EVENT_TYPE_PURCHASE, ProductDetail, UserEvent
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1 import account_terms_pb2 as terms_pb
from wherefore.orchestrator.v1.explanation_service_pb2 import ExplainRequest
from wherefore.orchestrator.v1.explanation_service_pb2_grpc import ExplanationServiceStub
from wherefore.orchestrator.v1.recommendation_service_pb2 import RecommendRequest
from wherefore.orchestrator.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest, SearchStreamRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.orchestrator.v1.user_event_service_pb2 import UserEventServiceWriteRequest
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub
from wherefore.retrieval.v1.facet_pb2 import (
    FACET_SCOPE_FILTER,
    FACET_SCOPE_UNSPECIFIED,
    FacetSpec,
    Interval,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")
# Of p00 to p29, which cost 1 to 30 in the catalogue. Ten of them are Zeta's.
TERMS = """
currency: EUR
groups:
  - id: trade
    discounts: [{percent: 10}]
accounts:
  - id: acme
    group: trade
    prices:
      - {product: p29, price: 2.50, breaks: {10: 2.25, 50: 2.00}, step: 5, minimum: 5}
      - {product: p00, price: 40.00}
    hidden: {products: [p03]}
  - id: zeta
    only: {brands: [Zeta]}
reserved:
  - {products: [p05], for: [acme]}
"""


def products():
    for n in range(30):
        product = Product(id=f"p{n:02}", titles={"en": f"Steel cup {n}"})
        product.brand = "Zeta" if n % 3 == 2 else "Acme"
        product.category_path.extend(["Kitchen", "Cups"])
        product.price.currency_code, product.price.amount = "EUR", float(n + 1)
        product.stock.availability = AVAILABILITY_IN_STOCK
        yield product


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    path, prices = folder / "terms.yaml", folder / "prices.jsonl"
    path.write_text(TERMS)
    prices.write_text(json.dumps({"for": "acme", "product": "p10", "price": 1.11}))
    async with serve_with_retrieval(
        folder,
        list(products()),
        terms=TermsSettings(file=path, prices_file=prices, poll_seconds=3_600),
        cache={"page_seconds": 60, "candidate_seconds": 60, "catalogue_poll_seconds": 0.05},
        budgets={
            stage: {"seconds": 5, "reserve": 0}
            for stage in ("nlu", "ranking", "reason", "products")
        },
    ) as running:
        running.path, running.prices = path, prices
        yield running


async def look(shop):
    await shop.service._terms.book.look()


async def search(shop, account="", query="cup", **fields):
    user = UserContext(account_id=account, session_id=fields.pop("session", ""))
    fields.setdefault("page_size", 30)
    request = SearchRequest(query=query, user=user, **fields)
    return await SearchServiceStub(shop.channel).Search(request, timeout=10)


def ids(response):
    return [result.product.id for result in response.results]


def amounts(response):
    return {r.product.id: r.terms.unit_price.amount for r in response.results}


async def refused(call):
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    return raised.value.code(), raised.value.details()


async def test_answers_without_an_account_tell_nothing_of_terms(shop):
    response = await search(shop)
    assert len(response.results) == 29
    assert not any(result.HasField("terms") for result in response.results)
    assert "p05" not in ids(response), "reserved"
    assert "p05" not in response.applied_filter


async def test_products_carry_both_prices_breaks_and_whose_terms(shop):
    response = await search(shop, "acme")
    by_id = {result.product.id: result for result in response.results}
    assert set(by_id) == {f"p{n:02}" for n in range(30)} - {"p03"}
    agreed = by_id["p29"]
    assert agreed.product.price.amount == 30.0, "the catalogue's, whoever asks"
    assert (agreed.terms.unit_price.amount, agreed.terms.list_price.amount) == (2.5, 30.0)
    assert agreed.terms.source == terms_pb.TERMS_SOURCE_CONTRACT
    assert (agreed.terms.account_id, agreed.terms.party_id) == ("acme", "acme")
    assert (agreed.terms.minimum_quantity, agreed.terms.quantity_step) == (5, 5)
    breaks = [(b.minimum_quantity, b.unit_amount) for b in agreed.terms.quantity_breaks]
    assert breaks == [(10, 2.25), (50, 2.0)]
    assert by_id["p10"].terms.unit_price.amount == 1.11, "of the file of prices"
    discounted = by_id["p09"].terms
    assert (discounted.unit_price.amount, discounted.party_id) == (9.0, "trade")
    assert discounted.source == terms_pb.TERMS_SOURCE_DISCOUNT


async def test_groups_answer_too_and_accounts_see_what_they_may(shop):
    trade = await search(shop, "trade")
    assert amounts(trade)["p29"] == 27.0
    assert "p05" not in ids(trade), "reserved for an account of the group alone"
    zeta = await search(shop, "zeta")
    assert set(ids(zeta)) == {f"p{n:02}" for n in range(30) if n % 3 == 2} - {"p05"}
    assert {r.terms.source for r in zeta.results} == {terms_pb.TERMS_SOURCE_LIST}


async def test_products_are_priced_whatever_is_read_of_them(shop):
    response = await search(shop, "acme", read_mask={"paths": ["titles"]}, skip_reasons=True)
    assert amounts(response)["p29"] == 2.5
    assert not any(result.product.HasField("price") for result in response.results)


async def test_conditions_on_prices_are_those_of_the_accounts_prices(shop):
    cheap = await search(shop, "acme", filter="price <= 2.7")
    # p02 costs 2.70 less a tenth, p29 and p10 by agreement; p00 costs 40.
    assert set(ids(cheap)) == {"p01", "p02", "p10", "p29"}
    assert set(ids(await search(shop, filter="price <= 2.7"))) == {"p00", "p01"}
    assert cheap.applied_filter == "price <= 2.7"
    assert cheap.estimated_total == -1
    assert not [d for d in cheap.degraded if d.stage.startswith("terms")]
    dear = await search(shop, "acme", filter="price > 26")
    assert set(ids(dear)) == {"p00", "p28"}
    mixed = await search(shop, "acme", filter="(price < 2 OR brand: Zeta) AND NOT price > 9")
    assert set(ids(mixed)) == {"p01", "p02", "p05", "p08", "p10", "p29"}
    assert all(r.terms.unit_price.amount < 2 or r.product.brand == "Zeta" for r in mixed.results)


async def test_what_the_query_says_of_prices_is_meant_of_the_accounts(shop):
    response = await search(shop, "trade", query="cup under 1")
    assert ids(response) == ["p00"]
    assert response.applied_filter == "price <= 1"
    # Nothing costs acme so little, which pays 40 for p00: what comes nearest is shown, and told.
    response = await search(shop, "acme", query="cup under 1")
    assert len(response.results) == 29
    assert list(response.relaxed_constraints) == ["price <= 1"]
    assert response.applied_filter == ""


async def test_orders_by_price_are_by_the_accounts_price(shop):
    response = await search(shop, "acme", order_by="price")
    prices = list(amounts(response).values())
    assert prices == sorted(prices)
    assert ids(response)[0] == "p10"
    assert ids(response)[-1] == "p00"


async def test_reasons_are_asked_with_the_accounts_prices(shop):
    await search(shop, "acme", query="cup again")
    asked = {item.product.id: item for item in shop.fake.explained[-1].items}
    assert asked["p29"].product.price.amount == 2.5
    assert asked["p29"].product.price.list_amount == 30.0
    assert asked["p00"].product.price.list_amount == 0
    assert not any(item.HasField("price_standing") for item in asked.values())
    await search(shop, query="cup again")
    plain = {item.product.id: item for item in shop.fake.explained[-1].items}
    assert plain["p29"].product.price.amount == 30.0
    assert any(item.HasField("price_standing") for item in plain.values())


def intervals(response):
    (facet,) = [each for each in response.facets if each.key == "price"]
    return [(value.filter, value.count) for value in facet.values]


@pytest.mark.parametrize(
    "condition", ["", "price < 9", "brand: Acme AND (price < 9 OR price > 20)"]
)
async def test_facets_of_prices_are_counted_by_the_accounts_prices(shop, condition):
    """What is chosen of a facet gives as many products as it says."""
    asked = [FacetSpec(key="price", limit=4), FacetSpec(key="brand")]
    response = await search(shop, "acme", facets=asked, filter=condition)
    assert not response.degraded
    price, brand = response.facets
    assert (price.key, brand.key) == ("price", "brand")
    # The price's own condition is left out of its counts, as where nobody has prices of their own.
    rest = "brand: Acme" if "brand" in condition else ""
    assert price.own_condition_left_out == bool(condition)
    assert len(price.values) > 1
    for value in price.values:
        chosen = " AND ".join(filter(None, (rest, value.filter)))
        found = await search(shop, "acme", filter=chosen)
        assert len(found.results) == value.count, value.filter
    assert sum(value.count for value in price.values) == price.counted_products
    without_brand = condition.replace("brand: Acme AND ", "")
    for value in brand.values:
        chosen = " AND ".join(filter(None, (f"({without_brand})" * bool(condition), value.filter)))
        found = await search(shop, "acme", filter=chosen)
        assert len(found.results) == value.count, value.filter
    everybody = await search(shop, facets=asked, filter=condition)
    assert intervals(everybody) != intervals(response)
    assert not everybody.degraded


async def test_intervals_that_are_asked_for_are_counted_by_the_accounts_prices(shop):
    two = [Interval(max=2.6), Interval(min=2.6)]
    response = await search(shop, "acme", facets=[FacetSpec(key="price", intervals=two)])
    # p01 and p02 cost 1.80 and 2.70, p10 and p29 by agreement 1.11 and 2.50; p00 costs 40.
    assert intervals(response) == [("price < 2.6", 3), ("price >= 2.6", 26)]
    none = await search(shop, "acme", filter="price < 0.1", facets=[FacetSpec(key="brand")])
    assert not none.results
    assert [(each.key, len(each.values)) for each in none.facets] == [("brand", 0)]


async def test_facets_that_would_need_every_price_say_that_they_are_the_catalogues(shop):
    for fields in (
        {"facets": [FacetSpec(key="price")], "facet_scope": FACET_SCOPE_FILTER},
        {"facets": [FacetSpec(key="currency")]},
    ):
        response = await search(shop, "acme", **fields)
        assert [d.stage for d in response.degraded] == ["terms.facets"]
        assert response.facets[0].values
        assert not (await search(shop, **fields)).degraded
    brands = await search(
        shop, "acme", facets=[FacetSpec(key="brand")], facet_scope=FACET_SCOPE_FILTER
    )
    assert not brands.degraded


async def test_a_facet_that_there_is_not_is_refused_by_its_place(shop):
    call = search(shop, "acme", facets=[FacetSpec(key="price"), FacetSpec(key="nonsense")])
    code, told = await refused(call)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "facets[1].key" in told


async def test_facets_do_not_name_what_an_account_may_not_see(shop):
    """A facet leaves the caller's own condition out of its counts, never what hides products."""
    response = await search(shop, "zeta", facets=[FacetSpec(key="brand")], filter="brand: Zeta")
    assert [value.label for value in response.facets[0].values] == ["Zeta"]
    assert response.facets[0].own_condition_left_out
    for scope in (FACET_SCOPE_UNSPECIFIED, FACET_SCOPE_FILTER):
        everything = await search(shop, "zeta", facets=[FacetSpec(key="brand")], facet_scope=scope)
        assert [value.label for value in everything.facets[0].values] == ["Zeta"]


async def test_pages_go_on_by_the_same_terms_and_for_the_same_account(shop):
    first = await search(shop, "acme", page_size=5, filter="price < 20")
    second = await search(
        shop, "acme", page_size=20, filter="price < 20", page_token=first.next_page_token
    )
    shown = [*ids(first), *ids(second)]
    assert len(shown) == len(set(shown)) == 21
    code, told = await refused(
        search(shop, "trade", page_size=5, filter="price < 20", page_token=first.next_page_token)
    )
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "page_token" in told


@pytest.mark.parametrize(
    ("account", "said"), [("nobody", "no terms of such"), ("x" * 65, "at most 64")]
)
async def test_an_account_that_is_not_there_is_refused(shop, account, said):
    for call in (
        search(shop, account),
        RecommendationServiceStub(shop.channel).Recommend(
            RecommendRequest(product_ids=["p01"], user=UserContext(account_id=account)), timeout=5
        ),
    ):
        code, told = await refused(call)
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        assert "user.account_id" in told
        assert said in told


async def test_recommendations_have_the_accounts_terms(shop):
    async def recommend(account, **fields):
        request = RecommendRequest(
            product_ids=["p01"], user=UserContext(account_id=account), page_size=30, **fields
        )
        return await RecommendationServiceStub(shop.channel).Recommend(request, timeout=10)

    response = await recommend("acme")
    assert {"p05", "p29"} <= set(ids(response))
    assert "p03" not in ids(response)
    assert amounts(response)["p29"] == 2.5
    assert set(ids(await recommend("acme", filter="price < 2"))) == {"p10"}
    assert "p05" not in ids(await recommend(""))


async def test_explanations_are_for_the_account_whose_ranking_it_is(shop):
    found = await search(shop, "acme", query="cup explained")
    explain = ExplanationServiceStub(shop.channel).Explain

    def asked(account):
        return ExplainRequest(
            attribution_token=found.attribution_token,
            user=UserContext(account_id=account),
            product_ids=["p05", "p29"],
            skip_words=True,
        )

    own = await explain(asked("acme"), timeout=10)
    assert {each.product.id for each in own.explanations} == {"p05", "p29"}
    assert {each.product.price.amount for each in own.explanations} == {6.0, 30.0}
    for other in ("trade", ""):
        code, told = await refused(explain(asked(other), timeout=10))
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        assert "user.account_id" in told


async def test_what_a_user_usually_pays_is_by_the_accounts_prices(shop):
    event = UserEvent(
        type=USER_EVENT_TYPE_PURCHASE,
        session_id="buyer",
        products=[ProductDetail(product_id="p29")],
    )
    await UserEventServiceStub(shop.channel).Write(UserEventServiceWriteRequest(event=event))
    await search(shop, "acme", query="cup of a buyer", session="buyer")
    assert shop.fake.explained[-1].user.typical_prices["EUR"] == 2.5
    await search(shop, query="cup of a buyer", session="buyer")
    assert shop.fake.explained[-1].user.typical_prices["EUR"] == 30.0


async def test_streams_are_answered_alike(shop):
    request = SearchRequest(query="cup", user=UserContext(account_id="acme"), page_size=30)
    call = SearchServiceStub(shop.channel).SearchStream(
        SearchStreamRequest(request=request), timeout=10
    )
    parts = [part async for part in call]
    assert amounts(parts[0].page) == amounts(await search(shop, "acme"))


async def test_a_changed_file_is_told_at_once_and_a_wrong_one_is_not_taken(shop):
    assert amounts(await search(shop, "acme"))["p10"] == 1.11
    first = await search(shop, "acme", page_size=5)
    shop.prices.write_text(json.dumps({"for": "acme", "product": "p10", "price": 1.05}))
    await look(shop)
    try:
        assert amounts(await search(shop, "acme"))["p10"] == 1.05
        rest = await search(shop, "acme", page_size=5, page_token=first.next_page_token)
        assert len(rest.results) == 5
        shop.path.write_text(TERMS.replace("2.50", "2.505"))
        await look(shop)
        response = await search(shop, "acme")
        (problem,) = [d for d in response.degraded if d.stage == "terms"]
        assert problem.detail == "the files are refused as they are now; the log says why"
        assert problem.fallback == "the terms before"
        assert amounts(response)["p29"] == 2.5
    finally:
        shop.path.write_text(TERMS)
        shop.prices.write_text(json.dumps({"for": "acme", "product": "p10", "price": 1.11}))
        await look(shop)
    assert not (await search(shop, "acme")).degraded


async def test_what_further_candidates_cost_is_not_passed_over_in_silence(shop):
    shop.service._clients.settings.candidates = 2
    many = "".join(f"\n      - {{product: x{n}, price: 1}}" for n in range(501))
    shop.path.write_text(TERMS.replace("    prices:\n", f"    prices:{many}\n", 1))
    await look(shop)
    try:
        found = await search(shop, "acme", query="cup cut", filter="price <= 2.7", page_size=4)
        assert set(ids(found)) == {"p01", "p02", "p10", "p29"}
        assert not found.degraded, "all of the catalogue was looked at"
        ordered = await search(
            shop, "acme", query="cup cut", filter="price <= 2.7", order_by="price", page_size=4
        )
        assert set(ids(ordered)) < {"p01", "p02", "p10", "p29"}
        (told,) = ordered.degraded
        assert (told.stage, told.detail) == (
            "terms.filter",
            "the first 16 candidates were looked at",
        )
    finally:
        shop.service._clients.settings.candidates = 100
        shop.path.write_text(TERMS)
        await look(shop)


async def test_without_a_file_there_are_no_accounts(tmp_path):
    async with serve_with_retrieval(tmp_path, list(products())) as running:
        code, told = await refused(search(running, "acme"))
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        assert "no terms of accounts" in told
        assert (await search(running)).results


async def test_with_a_file_that_was_never_right_accounts_are_not_answered(tmp_path):
    path = tmp_path / "terms.yaml"
    path.write_text("currency: euro")
    async with serve_with_retrieval(
        tmp_path, list(products()), terms={"file": path, "poll_seconds": 0.02}
    ) as running:
        code, _ = await refused(search(running, "acme"))
        assert code is grpc.StatusCode.UNAVAILABLE
        assert [d.stage for d in (await search(running)).degraded] == ["terms"]
        path.write_text(TERMS)
        async with asyncio.timeout(10):
            while (await search(running)).degraded:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.02)
        assert amounts(await search(running, "acme"))["p29"] == 2.5


async def test_settings_of_terms(tmp_path):
    with pytest.raises(ValidationError, match="prices_file needs a file"):
        OrchestratorSettings(terms={"prices_file": tmp_path / "prices.jsonl"})
    for name in ("terms.yaml", "prices.jsonl"):
        (tmp_path / "acme").mkdir(exist_ok=True)
        (tmp_path / "acme" / name).write_text("")
    settings = OrchestratorSettings(
        terms={"file": tmp_path / "terms.yaml", "prices_file": tmp_path / "prices.jsonl"}
    )
    own = settings.of_tenant("acme").terms
    assert own.file == tmp_path / "acme" / "terms.yaml"
    assert own.prices_file == tmp_path / "acme" / "prices.jsonl"
    none = settings.of_tenant("zeta").terms
    assert (none.file, none.prices_file) == (None, None)

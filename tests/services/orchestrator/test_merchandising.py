"""Rules of the shop over real ports, before the real retrieval service.

The ranking in small orders by id, last first, with the scores 1, 1/2, 1/3 and so on.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace

import grpc
import pytest
import pytest_asyncio

from services.orchestrator.merchandising.rule_book import RuleBook
from tests.services.orchestrator.real_retrieval import serve_with_retrieval
from wherefore.common.v1.product_pb2 import Product
from wherefore.orchestrator.v1 import applied_control_pb2 as controls
from wherefore.orchestrator.v1.recommendation_service_pb2 import RecommendRequest
from wherefore.orchestrator.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest, SearchResponse
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub

pytestmark = pytest.mark.asyncio(loop_scope="module")
Ask = Callable[..., Awaitable[SearchResponse]]


def products() -> list[Product]:
    made: list[Product] = []
    for n in range(150):
        product = Product(id=f"p{n:03}", titles={"en": f"Steel cup {n}"})
        product.brand = "Zeta" if n % 10 == 0 else "Acme"
        product.category_path.append("Kitchen")
        product.price.currency_code, product.price.amount = "EUR", float(n + 1)
        made.append(product)
    made.append(Product(id="lamp", titles={"en": "Desk lamp"}, brand="Zeta"))
    made[-1].price.currency_code, made[-1].price.amount = "EUR", 500.0
    return made


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SimpleNamespace]:
    folder = tmp_path_factory.mktemp("shop")
    path = folder / "rules.yaml"
    path.write_text("rules: []\n")
    async with serve_with_retrieval(
        folder, products(), rules_file=path, rules_poll_seconds=3_600
    ) as running:
        running.path = path
        yield running


@pytest.fixture
def ask(shop: SimpleNamespace) -> Ask:
    """Searches under the given rules."""
    book: RuleBook = shop.service._rules
    path: Path = shop.path

    async def call(rules: str, query: str = "cup", **fields: object) -> SearchResponse:
        write(path, rules)
        await book.look()
        request = SearchRequest(query=query, **fields)
        return await SearchServiceStub(shop.channel).Search(request, timeout=5)

    return call


def write(path: Path, rules: str) -> None:
    path.write_text(f"rules:\n{rules}")


def ids(response: SearchResponse) -> list[str]:
    return [result.product.id for result in response.results]


def applied(response: SearchResponse) -> list[tuple[str, int]]:
    return [(control.id, len(control.product_ids)) for control in response.applied_controls]


async def pages(ask: Ask, rules: str, **fields: object) -> list[str]:
    seen: list[str] = []
    token = ""
    while True:
        page = await ask(rules, page_token=token, **fields)
        assert [r.rank for r in page.results] == list(
            range(len(seen) + 1, len(seen) + 1 + len(page.results))
        )
        seen += ids(page)
        token = page.next_page_token
        if not token:
            return seen


async def test_a_boost_leaves_the_score_alone(ask: Ask) -> None:
    plain = await ask(" []")
    assert not plain.applied_controls
    rules = "  - {id: zeta, boost: {filter: 'brand: zeta', strength: 1}}\n"
    boosted = await ask(rules, page_size=100)
    brands = [result.product.brand for result in boosted.results]
    count = brands.count("Zeta")
    assert count >= 4
    # The last of them may end level with the best of the others.
    assert brands[: count - 1] == ["Zeta"] * (count - 1)
    scores = {result.product.id: result.score for result in plain.results}
    for result in boosted.results:
        assert scores.get(result.product.id, result.score) == result.score
        assert (result.boost > 0) is (result.product.brand == "Zeta")
    (control,) = boosted.applied_controls
    assert control.action == controls.CONTROL_ACTION_BOOST
    assert list(control.product_ids)[: count - 1] == ids(boosted)[: count - 1]
    places = [result.score + result.boost for result in boosted.results]
    assert places == sorted(places, reverse=True)


async def test_a_burial_ranks_last(ask: Ask) -> None:
    plain = await ask(" []")
    first = plain.results[0].product.id
    buried = await ask(
        f"  - {{id: b, bury: {{products: [{first}], strength: 1}}}}\n", page_size=100
    )
    assert ids(buried)[0] == plain.results[1].product.id
    (result,) = (r for r in buried.results if r.product.id == first)
    assert result.boost == pytest.approx(-(1 - 1 / 100), abs=0.01)
    assert result.score == 1


async def test_pins_take_their_places_on_all_pages(ask: Ask) -> None:
    rules = (
        "  - {id: second, pin: {product: lamp, position: 2}}\n"
        "  - {id: fifth, pin: {product: p000, position: 5}}\n"
        "  - {id: nothing, pin: {product: none, position: 1}}\n"
    )
    seen = await pages(ask, rules, page_size=40)
    assert (seen[1], seen[4]) == ("lamp", "p000")
    assert len(seen) == len(set(seen)) == 151
    page = await ask(rules)
    assert [r.product.id for r in page.results if r.pinned] == ["lamp", "p000"]
    assert applied(page) == [("second", 1), ("fifth", 1)]
    assert page.results[1].score > 0, "it was ranked like the others"


async def test_pins_meet_the_filter_and_keep_out_of_other_orders(ask: Ask) -> None:
    rules = "  - {id: a, pin: {product: lamp, position: 1}}\n"
    assert "lamp" not in ids(await ask(rules, filter="price < 100"))
    assert ids(await ask(rules, order_by="price"))[0] == "p000"


async def test_blocks_and_filters(ask: Ask) -> None:
    rules = (
        "  - {id: gone, block: {products: [p149], filter: 'brand: zeta'}}\n"
        "  - {id: cheap, filter: price < 160}\n"
    )
    seen = await pages(ask, rules, page_size=50)
    assert len(seen) == 150 - 15 - 1
    assert "p149" not in seen
    page = await ask(rules, filter="price > 10")
    assert page.estimated_total == 140 - 14 - 1
    assert applied(page) == [("gone", 0), ("cheap", 0)]
    assert "NOT" in page.applied_filter
    assert "price > 10" in page.applied_filter


async def test_synonyms_find_more(ask: Ask) -> None:
    rules = "  - {id: s, synonyms: {from: [light], to: [lamp]}}\n"
    plain = await ask(" []", query="light")
    assert not any(leg.leg == "sparse" for r in plain.results for leg in r.legs)
    found = await ask(rules, query="light", page_size=100)
    sparse = [r.product.id for r in found.results if any(g.leg == "sparse" for g in r.legs)]
    assert sparse == ["lamp"]
    assert applied(found) == [("s", 0)]
    # What one request adds to a query is not kept for the next one.
    assert not (await ask(" []", query="light")).query.expansions


async def test_redirect(ask: Ask) -> None:
    rules = "  - {id: r, when: {queries: [returns]}, redirect: /help}\n"
    assert (await ask(rules, query="Returns")).redirect_uri == "/help"
    assert not (await ask(rules)).redirect_uri


@pytest.mark.parametrize(
    "rule", ["boost: {filter: 'nofield: x', strength: 1}", "filter: 'nofield: x'"]
)
async def test_a_rule_that_names_no_field_fails_nobody(ask: Ask, rule: str) -> None:
    rules = f"  - {{id: bad, {rule}}}\n  - {{id: good, pin: {{product: lamp, position: 1}}}}\n"
    page = await ask(rules)
    assert ids(page)[0] == "lamp"
    assert applied(page) == [("good", 1)]
    (degraded,) = page.degraded
    assert degraded.stage == "merchandising"
    assert "nofield" in degraded.detail
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await ask(rules, filter="own: 1")
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "own" in (error.value.details() or "")


async def test_a_bad_file_is_told_and_the_rules_before_stay(ask: Ask) -> None:
    await ask("  - {id: a, pin: {product: lamp, position: 1}}\n")
    page = await ask("  - {id: a, pin: {product: lamp, position: 0}}\n")
    assert ids(page)[0] == "lamp"
    (degraded,) = page.degraded
    assert "line 2: rules[0].pin.position" in degraded.detail
    assert degraded.fallback == "the rules before"
    assert not (await ask(" []")).degraded


async def test_recommendations_follow_the_rules_too(ask: Ask, shop: SimpleNamespace) -> None:
    rules = (
        "  - id: top\n    when: {serving_configs: [similar]}\n"
        "    pin: {product: lamp, position: 1}\n"
        "  - {id: gone, block: {filter: 'price > 100 AND brand: acme'}}\n"
        "  - {id: low, bury: {products: [p001], strength: 1}}\n"
        "  - {id: word, when: {query_terms: [cup]}, filter: price < 0}\n"
    )
    await ask(rules)
    recommend = RecommendationServiceStub(shop.channel).Recommend
    response = await recommend(
        RecommendRequest(product_ids=["p000"], page_size=100, filter="price > 1"), timeout=5
    )
    found = [result.product.id for result in response.results]
    assert found[0] == "lamp"
    assert response.results[0].pinned
    assert not [i for i in found[1:] if int(i[1:]) > 99 and int(i[1:]) % 10]
    assert [c.id for c in response.applied_controls if c.id != "low"] == ["top", "gone"]
    assert not response.degraded

"""Stock pressure over real ports, before the real retrieval service.

The ranking in small orders by id, last first, with the scores 1, 1/2, 1/3 and so on.
"""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import pytest_asyncio

from services.orchestrator.stock.settings import StockSettings
from shared.demand.forecast import Forecast
from shared.demand.forecast_file import ForecastDraft, Header
from tests.services.orchestrator.real_retrieval import serve_with_retrieval
from wherefore.common.v1.product_pb2 import AVAILABILITY_IN_STOCK, Product
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1 import stock_pressure_pb2 as pb
from wherefore.orchestrator.v1.explanation_service_pb2 import ExplainRequest
from wherefore.orchestrator.v1.explanation_service_pb2_grpc import ExplanationServiceStub
from wherefore.orchestrator.v1.recommendation_service_pb2 import RecommendRequest
from wherefore.orchestrator.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub

pytestmark = pytest.mark.asyncio(loop_scope="module")
STOCK = {"p9": 4, "p8": 50, "p7": 1, "p3": 1000}
"""Sold once a day each: p9 runs low, p7 is nearly gone, of p3 there is far too much."""


def products():
    for n in range(10):
        product = Product(id=f"p{n}", titles={"en": f"Steel cup {n}"}, brand="Acme")
        product.price.currency_code, product.price.amount = "EUR", float(n + 1)
        product.stock.availability = AVAILABILITY_IN_STOCK
        if product.id in STOCK:
            product.stock.quantity = STOCK[product.id]
        yield product


def write(path, start, daily=1.0, products=tuple(STOCK)):
    draft = ForecastDraft(path, Header(start=start, horizon=14, events=f"{daily}"))
    draft.open()
    days = (daily,) * 14
    draft.add([Forecast(each, "tsb", days, sum(days), {0.5: 14}, 90) for each in products])
    draft.finish()


def today():
    return datetime.now(UTC).date()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    path = folder / "forecasts.jsonl"
    write(path, today())
    stock = StockSettings(
        forecast_file=path,
        serving_configs=("search", "popular"),
        low_days=8,
        hold_back_days=2,
        strength=1,
        tell_running_low=True,
        poll_seconds=3_600,
    )
    async with serve_with_retrieval(folder, list(products()), stock=stock) as running:
        running.path = path
        yield running


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def fresh(shop):
    yield
    write(shop.path, today())
    await shop.service._stock.book.look()


async def search(shop, **fields):
    request = SearchRequest(query="cup", **fields)
    return await SearchServiceStub(shop.channel).Search(request, timeout=5)


def ids(response):
    return [result.product.id for result in response.results]


def by_score(response):
    """The order of the model alone."""
    return ids(SimpleNamespace(results=sorted(response.results, key=lambda each: -each.score)))


async def test_overstock_is_raised_and_what_runs_low_is_lowered_or_held_back(shop):
    response = await search(shop)
    by_id = {result.product.id: result for result in response.results}
    assert "p7" not in by_id
    assert len(by_id) == 9
    low, much = by_id["p9"].stock_pressure, by_id["p3"].stock_pressure
    assert low.kind == pb.STOCK_PRESSURE_KIND_RUNNING_LOW
    assert (low.quantity, low.days_of_cover) == (4, 4.0)
    assert low.boost < 0 < much.boost
    assert much.kind == pb.STOCK_PRESSURE_KIND_OVERSTOCK
    assert ids(response) != by_score(response)
    for result in response.results:
        assert result.boost == result.stock_pressure.boost
        assert result.HasField("stock_pressure") is (result.product.id in ("p9", "p3"))
    places = [result.score + result.boost for result in response.results]
    assert places == sorted(places, reverse=True)
    assert not response.degraded


@pytest.mark.parametrize("fields", [{"serving_config": "precise"}, {"order_by": "price desc"}])
async def test_other_configs_and_orders_are_left_alone(shop, fields):
    response = await search(shop, **fields)
    dearest = [f"p{n}" for n in range(9, -1, -1)]
    assert ids(response) == (dearest if "order_by" in fields else by_score(response))
    assert len(ids(response)) == 10
    assert not any(result.HasField("stock_pressure") for result in response.results)


async def test_pages_are_cut_from_one_order(shop):
    whole = ids(await search(shop))
    first = await search(shop, page_size=4)
    second = await search(shop, page_size=4, page_token=first.next_page_token)
    assert ids(first) + ids(second) == whole[:8]


async def test_recommendations_take_part_where_they_are_named(shop):
    request = RecommendRequest(serving_config="popular", user=UserContext(user_id="ada"))
    stub = RecommendationServiceStub(shop.channel)
    response = await stub.Recommend(request, timeout=5)
    shown = {result.product.id for result in response.results}
    assert "p3" in shown
    assert "p7" not in shown


async def test_an_explanation_tells_it_of_what_is_held_back_too(shop):
    stub = ExplanationServiceStub(shop.channel)
    request = ExplainRequest(query="cup", product_ids=["p7", "p3", "p8"], skip_words=True)
    response = await stub.Explain(request, timeout=5)
    told = {each.product.id: each for each in response.explanations}
    assert told["p7"].stock_pressure.kind == pb.STOCK_PRESSURE_KIND_HELD_BACK
    assert told["p3"].stock_pressure.boost > 0
    assert not told["p8"].HasField("stock_pressure")
    other = ExplainRequest(
        query="cup", product_ids=["p7"], skip_words=True, serving_config="precise"
    )
    response = await stub.Explain(other, timeout=5)
    assert not response.explanations[0].HasField("stock_pressure")


async def test_reasons_are_told_of_it(shop):
    await search(shop)
    asked = {item.product.id: item for item in shop.fake.explained[-1].items}
    assert asked["p9"].disclosure.daily_demand == 1.0
    assert asked["p3"].disclosure.overstock
    assert not asked["p8"].HasField("disclosure")


async def test_forecasts_of_the_past_do_nothing_and_answers_say_so(shop):
    write(shop.path, today() - timedelta(days=14), daily=2.0)
    await shop.service._stock.book.look()
    response = await search(shop)
    assert ids(response) == by_score(response)
    assert len(ids(response)) == 10
    (told,) = response.degraded
    assert told.stage == "stock"
    assert "end on" in told.detail


async def test_a_file_that_is_wrong_leaves_the_one_before_in_force(shop):
    shop.path.write_text("nonsense\n")
    await shop.service._stock.book.look()
    response = await search(shop)
    assert "p7" not in ids(response)
    assert [each.stage for each in response.degraded] == ["stock"]
    assert response.degraded[0].fallback == "the forecasts before"

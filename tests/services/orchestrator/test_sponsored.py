"""Sponsored results over real ports, before the real retrieval service.

The ranking in small says of every product that it is relevant with a probability of 1/2.
"""

import asyncio
import time

import pytest
import pytest_asyncio
from pydantic import ValidationError

from services.orchestrator.config import OrchestratorSettings
from services.orchestrator.sponsored.charges import MAX_AGE_SECONDS
from services.orchestrator.sponsored.public import stream_without_prices, without_prices
from services.orchestrator.sponsored.settings import SponsoredSettings
from services.orchestrator.tokens import TokenSigner
from tests.services.orchestrator.real_retrieval import serve_with_retrieval
from wherefore.common.v1.product_pb2 import (
    AVAILABILITY_IN_STOCK,
    AVAILABILITY_OUT_OF_STOCK,
    Product,
)
from wherefore.common.v1.user_event_pb2 import (
    USER_EVENT_TYPE_CLICK,
    USER_EVENT_TYPE_VIEW,
    ProductDetail,
    UserEvent,
)
from wherefore.orchestrator.v1.search_service_pb2 import (
    SearchRequest,
    SearchResponse,
    SearchStreamRequest,
    SearchStreamResponse,
)
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.orchestrator.v1.user_event_service_pb2 import UserEventServiceWriteRequest
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub

pytestmark = pytest.mark.asyncio(loop_scope="module")
HEAD = "currency: EUR\nserving_configs: [search]\npacing: none\nreserve: 0.05\n"


def campaign(name, product, bid, budget=10.0):
    return f"  - {{id: {name}, products: [{product}], bid: {bid}, daily_budget: {budget}}}\n"


def products():
    for n in range(24):
        product = Product(id=f"p{n:02}", titles={"en": f"Steel cup {n}"})
        product.brand = "Zeta" if n % 2 else "Acme"
        product.price.currency_code, product.price.amount = "EUR", float(n + 1)
        product.stock.availability = AVAILABILITY_IN_STOCK
        yield product
    gone = Product(id="gone", titles={"en": "Steel cup, sold out"})
    gone.stock.availability = AVAILABILITY_OUT_OF_STOCK
    yield gone


def day():
    return int(time.time() // 86_400)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    path = folder / "campaigns.yaml"
    path.write_text(HEAD)
    async with serve_with_retrieval(
        folder,
        list(products()),
        sponsored=SponsoredSettings(campaigns_file=path, poll_seconds=3_600),
        cache={"page_seconds": 60, "catalogue_poll_seconds": 0.05},
        shown_pages=10,
    ) as running:
        running.path = path
        yield running


async def use(shop, campaigns, head=HEAD):
    shop.path.write_text(f"{head}campaigns:\n{campaigns}" if campaigns else head)
    await shop.service._seller.book.look()


async def search(shop, **fields):
    request = SearchRequest(query="cup", **fields)
    return await SearchServiceStub(shop.channel).Search(request, timeout=5)


async def click(shop, response, product, kind=USER_EVENT_TYPE_CLICK, event_id=""):
    event = UserEvent(
        id=event_id,
        type=kind,
        session_id="visit",
        products=[ProductDetail(product_id=product)],
        attribution_token=response.attribution_token,
    )
    request = UserEventServiceWriteRequest(event=event)
    return await UserEventServiceStub(shop.channel).Write(request, timeout=5)


def ids(response):
    return [result.product.id for result in response.results]


def sponsored(response):
    return {
        r.product.id: (r.rank, r.sponsored.campaign_id, r.sponsored.slot)
        for r in response.results
        if r.HasField("sponsored")
    }


async def low(shop, count=2):
    """Products that stand low by themselves, so that they have something to gain."""
    await use(shop, "")
    return ids(await search(shop, page_size=24))[-count:]


async def test_a_slot_goes_to_the_highest_bid_at_the_price_of_the_next(shop):
    first, second = await low(shop)
    plain = await search(shop, page_size=24)
    assert sponsored(plain) == {}
    head = HEAD + "positions: [1, 4]\n"
    await use(shop, campaign("a", first, 0.4) + campaign("b", second, 0.3), head)
    response = await search(shop, page_size=24)
    assert sponsored(response) == {first: (1, "a", 1), second: (4, "b", 2)}
    assert len(ids(response)) == len(set(ids(response))) == 24
    others = [each for each in ids(response) if each not in (first, second)]
    assert others == [each for each in ids(plain) if each not in (first, second)]
    by_id = {result.product.id: result for result in response.results}
    assert by_id[first].sponsored.price.amount == pytest.approx(0.3)
    assert by_id[second].sponsored.price.amount == pytest.approx(0.05)
    assert by_id[first].sponsored.price.currency_code == "EUR"
    # The score stays the model's, and the reason is told that the place is paid for.
    scores = {result.product.id: result.score for result in plain.results}
    assert all(result.score == scores[result.product.id] for result in response.results)
    asked = {item.product.id: item.disclosure.sponsored for item in shop.fake.explained[-1].items}
    assert {each for each, told in asked.items() if told} == {first, second}


@pytest.mark.parametrize("fields", [{"serving_config": "precise"}, {"order_by": "price"}])
async def test_nothing_is_sold_where_it_is_not_named(shop, fields):
    (product,) = await low(shop, 1)
    await use(shop, campaign("a", product, 0.4))
    assert sponsored(await search(shop, **fields)) == {}
    await use(shop, campaign("a", product, 0.4), HEAD.replace("[search]", "[]"))
    assert sponsored(await search(shop)) == {}


async def test_slots_are_of_one_page_and_no_page_has_more(shop):
    (product,) = await low(shop, 1)
    await use(shop, campaign("a", product, 0.4))
    first = await search(shop, page_size=5)
    second = await search(shop, page_size=20, page_token=first.next_page_token)
    assert list(sponsored(first)) == [product]
    assert sponsored(second) == {}
    assert product not in ids(second)


async def test_filters_stock_and_the_floor_of_relevance_hold(shop):
    (product,) = await low(shop, 1)
    bids = campaign("a", product, 0.4) + campaign("g", "gone", 0.9) + campaign("n", "none", 1)
    await use(shop, bids)
    brand = "Zeta" if int(product[1:]) % 2 else "Acme"
    other = "Acme" if brand == "Zeta" else "Zeta"
    assert list(sponsored(await search(shop))) == [product]
    assert list(sponsored(await search(shop, filter=f"brand: {brand}"))) == [product]
    assert sponsored(await search(shop, filter=f"brand: {other}")) == {}
    await use(shop, bids, HEAD + "min_confidence: 0.51\n")
    assert sponsored(await search(shop)) == {}


async def test_nobody_pays_for_what_stands_there_by_itself(shop):
    await use(shop, "")
    first, second = ids(await search(shop))[:2]
    await use(shop, campaign("a", first, 0.4))
    assert sponsored(await search(shop)) == {}
    await use(shop, campaign("a", second, 0.4), HEAD + "positions: [1, 3]\n")
    assert sponsored(await search(shop)) == {second: (1, "a", 1)}


async def test_without_ranking_nothing_is_sold(shop):
    (product,) = await low(shop, 1)
    await use(shop, campaign("a", product, 0.4))
    shop.fake.broken.add("ranking")
    try:
        assert sponsored(await search(shop)) == {}
    finally:
        shop.fake.broken.clear()
    await asyncio.sleep(0.2)  # the breaker's
    assert list(sponsored(await search(shop))) == [product]


async def test_a_click_is_charged_once_however_often_it_is_written(shop):
    (product,) = await low(shop, 1)
    await use(shop, campaign("clicked", product, 0.4))
    response = await search(shop)
    ledger = shop.service._ledger
    await click(shop, response, product, USER_EVENT_TYPE_VIEW)
    await click(shop, response, ids(response)[-1])
    assert ledger.spent("clicked", day()) == 0
    await click(shop, response, product, event_id="e1")
    assert ledger.spent("clicked", day()) == 50_000
    await click(shop, response, product, event_id="e1")
    await click(shop, response, product)
    assert ledger.spent("clicked", day()) == 50_000
    await click(shop, await search(shop), product)
    assert ledger.spent("clicked", day()) == 100_000


async def test_a_spent_budget_ends_the_campaign_for_the_day(shop):
    (product,) = await low(shop, 1)
    await use(shop, campaign("small", product, 0.06, budget=0.06))
    open_pages = [await search(shop) for _ in range(4)]
    for page in open_pages:
        assert list(sponsored(page)) == [product]
        await click(shop, page, product)
    # The second click went beyond the budget; those after it cost nothing.
    assert shop.service._ledger.spent("small", day()) == 100_000
    assert sponsored(await search(shop)) == {}


async def test_clicks_of_old_pages_and_of_campaigns_that_ended_cost_nothing(shop, monkeypatch):
    (product,) = await low(shop, 1)
    await use(shop, campaign("old", product, 0.4))
    page = await search(shop)
    await use(shop, campaign("new", product, 0.4))
    await click(shop, page, product)
    await use(shop, campaign("old", product, 0.4))
    charger = shop.service._events._charger
    monkeypatch.setattr(charger, "_clock", lambda: time.time() + MAX_AGE_SECONDS + 60)
    await click(shop, page, product)
    assert shop.service._ledger.spent("old", day()) == 0
    monkeypatch.undo()
    await click(shop, page, product)
    assert shop.service._ledger.spent("old", day()) == 50_000


async def test_a_file_that_is_wrong_leaves_the_one_before_in_force(shop):
    (product,) = await low(shop, 1)
    await use(shop, campaign("a", product, 0.4))
    await use(shop, campaign("b", product, -1))
    response = await search(shop)
    assert sponsored(response) == {product: (1, "a", 1)}
    (told,) = response.degraded
    assert (told.stage, told.fallback) == ("sponsored", "the campaigns before")
    assert "campaigns.0.bid" in told.detail


async def test_no_page_is_kept_while_slots_are_sold(shop):
    (product,) = await low(shop, 1)
    await use(shop, campaign("a", product, 0.4))
    tokens = {(await search(shop)).attribution_token for _ in range(2)}
    assert len(tokens) == 2


async def test_budgets_hold_after_a_restart(tmp_path):
    path = tmp_path / "campaigns.yaml"
    path.write_text(f"{HEAD}campaigns:\n{campaign('a', 'p00', 0.06, budget=0.06)}")
    settings = SponsoredSettings(campaigns_file=path, poll_seconds=3_600)
    seen = []
    for turn in range(2):
        async with serve_with_retrieval(
            tmp_path, list(products()), sponsored=settings, token_key="k" * 32
        ) as running:
            if turn == 0:
                page = await search(running)
                await click(running, page, "p00")
                again = await search(running)
            else:
                await click(running, page, "p00")
                await click(running, again, "p00")
                seen = [running.service._ledger.spent("a", day()), sponsored(await search(running))]
    assert list(sponsored(page)) == ["p00"]
    assert seen == [100_000, {}]


async def test_browsers_are_not_told_prices():
    def page():
        response = SearchResponse()
        result = response.results.add()
        result.sponsored.campaign_id, result.sponsored.price.amount = "a", 0.3
        result.product.price.amount = 12.0
        return response

    async def ask(_):
        return page()

    async def stream(_):
        yield SearchStreamResponse(page=page())
        yield SearchStreamResponse()

    whole = await without_prices(ask)(SearchRequest())
    parts = [part async for part in stream_without_prices(stream)(SearchStreamRequest())]
    assert [part.WhichOneof("part") for part in parts] == ["page", None]
    for response in (whole, parts[0].page):
        (result,) = response.results
        assert result.sponsored.campaign_id == "a"
        assert not result.sponsored.HasField("price")
        assert result.product.price.amount == 12.0


async def test_tokens_carry_offers_beside_arms():
    signer = TokenSigner(b"k" * 32)
    for arms in ((), [("e@1", "on")]):
        token = signer.attribution("r", "search", "cup", ["p"], unit="u", arms=arms, offers="x")
        told = signer.read_attribution(token)
        assert (told.offers, list(told.arms)) == ("x", list(arms))


async def test_a_log_that_is_shared_is_refused(tmp_path):
    with pytest.raises(ValidationError, match="events in files"):
        OrchestratorSettings(
            sponsored={"campaigns_file": tmp_path / "c.yaml"},
            events={"redis_url": "redis://127.0.0.1:1/0"},
        )

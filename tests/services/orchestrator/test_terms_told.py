"""What accounts are told in words: the real retrieval, reason and recommendation services."""

import asyncio
import time
from contextlib import AsyncExitStack

import grpc
import pytest
import pytest_asyncio

from services.reason.config import Settings as ReasonSettings
from services.reason.server import ReasonServer
from services.recommend.config import Settings as RecommendSettings
from services.recommend.server import RecommendServer
from shared.server import start_server
from shared.suite.ports import PortPlan
from tests.services.orchestrator.real_retrieval import serve_with_retrieval
from wherefore.common.v1.product_pb2 import AVAILABILITY_IN_STOCK, Product
from wherefore.common.v1.user_event_pb2 import USER_EVENT_TYPE_PURCHASE, ProductDetail, UserEvent
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1.recommendation_service_pb2 import RecommendRequest
from wherefore.orchestrator.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.orchestrator.v1.user_event_service_pb2 import UserEventServiceWriteRequest
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub

pytestmark = pytest.mark.asyncio(loop_scope="module")
TERMS = """
currency: EUR
accounts:
  - {id: acme, prices: [{product: p00, price: 0.80}, {product: p01, price: 0.95}]}
  - {id: zeta, discounts: [{percent: 50}]}
  - {id: nora, prices: [{product: p05, price: 5}, {product: p06, price: 12.50}]}
"""


def products():
    for n in range(12):
        title = {"en": f"Steel cup {n}", "zh": f"钢杯{n}"}
        product = Product(id=f"p{n:02}", titles=title, category_path=["Kitchen", "Cups"])
        product.price.currency_code, product.price.amount = "EUR", float(n + 2)
        product.stock.availability = AVAILABILITY_IN_STOCK
        yield product


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    (folder / "terms.yaml").write_text(TERMS)
    reason = ReasonSettings(port=0, metrics_port=0, model="", lame_duck_seconds=0)
    ports = PortPlan.free()
    async with AsyncExitStack() as stack:
        reasons = await start_server(ReasonServer(reason), reason)
        stack.push_async_callback(reasons.stop)
        await reasons.wait_ready(30)
        running = await stack.enter_async_context(
            serve_with_retrieval(
                folder,
                list(products()),
                terms={"file": folder / "terms.yaml"},
                reason_target=f"127.0.0.1:{reasons.port}",
                recommend_target=f"127.0.0.1:{ports.recommend}",
                budgets={
                    stage: {"seconds": 5, "reserve": 0}
                    for stage in ("nlu", "ranking", "reason", "products", "recommend")
                },
            )
        )
        settings = RecommendSettings(
            port=ports.recommend,
            metrics_port=0,
            lame_duck_seconds=0,
            orchestrator_target=f"127.0.0.1:{running.server.port}",
            retrieval_target=f"127.0.0.1:{running.retrieval.port}",
            event_wait_seconds=5,
        )
        recommend = await start_server(RecommendServer(settings), settings)
        stack.push_async_callback(recommend.stop)
        await recommend.wait_ready(30)
        yield running


async def told(shop, account, **fields):
    request = SearchRequest(user=UserContext(account_id=account), page_size=12, **fields)
    response = await SearchServiceStub(shop.channel).Search(request, timeout=20)
    return {result.product.id: result.reason.text for result in response.results}


async def test_reasons_name_the_accounts_price_and_never_the_catalogues(shop):
    acme = await told(shop, "acme", query="cup under 1")
    assert set(acme) == {"p00", "p01"}
    assert "€0.80" in acme["p00"]
    assert "€1" in acme["p00"], "the limit that was asked for"
    assert "€0.95" in acme["p01"]
    assert "€2" not in "".join(acme.values())
    zeta = await told(shop, "zeta", query="cup under 1")
    assert set(zeta) == {"p00"}
    assert "€1" in zeta["p00"]
    assert "0.80" not in "".join(zeta.values()), "acme's"
    everybody = await told(shop, "", query="cup")
    assert "0.80" not in "".join(everybody.values())


async def test_reasons_in_chinese_do_too(shop):
    acme = await told(shop, "acme", query="cup under 1", language_code="zh")
    assert "€0.80" in acme["p00"]
    assert "€2" not in acme["p00"]


async def test_what_is_due_again_is_told_with_its_history(shop):
    write = UserEventServiceStub(shop.channel).Write
    for days_ago in (121, 91, 61, 31):
        event = UserEvent(
            type=USER_EVENT_TYPE_PURCHASE,
            user_id="ann",
            account_id="acme",
            products=[ProductDetail(product_id="p00", quantity=40)],
        )
        event.event_time.FromSeconds(int(time.time()) - days_ago * 86_400 - 60)
        await write(UserEventServiceWriteRequest(event=event), timeout=10)
    recommend = RecommendationServiceStub(shop.channel).Recommend

    async def reorder(account, language):
        request = RecommendRequest(
            user=UserContext(account_id=account),
            serving_config="reorder",
            language_code=language,
        )
        return await recommend(request, timeout=20)

    async with asyncio.timeout(30):
        while (answer := await reorder("acme", "en")).degraded:  # noqa: ASYNC110 - it connects
            await asyncio.sleep(0.1)
    assert answer.serving_config == "reorder"
    (result,) = answer.results
    assert (result.product.id, result.terms.unit_price.amount) == ("p00", 0.8)
    history = "ordered 4 times at a median interval of 30 days, the last time 31 days ago"
    assert history in result.reason.text
    assert result.reason.codes[0] == "due_for_reorder"
    (leg,) = result.legs
    assert leg.leg == "due_again"
    assert 0 < leg.score <= 1
    chinese = (await reorder("acme", "zh")).results[0].reason.text
    assert "该补货了，订过4次，间隔的中位数为30天，上一次在31天前" in chinese
    other = await reorder("zeta", "en")
    assert other.serving_config != "reorder"
    assert not any("due_for_reorder" in each.reason.codes for each in other.results)


async def test_a_step_up_is_one_by_the_accounts_prices(shop):
    """Products at 2 to 13; p04 costs 6, and twice that is 12."""
    recommend = RecommendationServiceStub(shop.channel).Recommend

    async def better(account):
        request = RecommendRequest(
            product_ids=["p04"],
            user=UserContext(account_id=account),
            serving_config="up-sell",
            page_size=30,
        )
        answer = await recommend(request, timeout=20)
        assert answer.serving_config == "up-sell"
        return {result.product.id: result for result in answer.results}

    async with asyncio.timeout(30):
        while len(everybody := await better("")) != 6:  # noqa: ASYNC110 - it reads the catalogue
            await asyncio.sleep(0.1)
    assert set(everybody) == {f"p{n:02}" for n in range(5, 11)}
    # p05 costs nora less than p04 does, and p06 more than twice as much.
    nora = await better("nora")
    assert set(nora) == {f"p{n:02}" for n in range(7, 11)}
    assert {n.terms.unit_price.amount for n in nora.values()} == {9.0, 10.0, 11.0, 12.0}
    assert set(await better("zeta")) == set(everybody), "all are half as dear"


async def test_an_account_alone_is_nobody_for_the_other_configurations(shop):
    request = RecommendRequest(user=UserContext(account_id="acme"), serving_config="for-you")
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await RecommendationServiceStub(shop.channel).Recommend(request, timeout=10)
    assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT

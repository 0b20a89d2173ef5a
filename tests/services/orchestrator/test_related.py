"""Recommendations from a recommendation service in small, and without it."""

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import grpc
import pytest
import pytest_asyncio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from tests.services.orchestrator.conftest import serve
from tests.services.orchestrator.test_recommend import recommend, write
from wherefore.common.v1.diagnostics_pb2 import Degradation
from wherefore.common.v1.user_event_pb2 import (
    USER_EVENT_TYPE_PURCHASE,
    USER_EVENT_TYPE_VIEW,
)
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1.event_log_service_pb2 import FollowRequest
from wherefore.orchestrator.v1.event_log_service_pb2_grpc import EventLogServiceStub
from wherefore.recommend.v1 import recommend_service_pb2 as pb
from wherefore.recommend.v1 import recommend_service_pb2_grpc as pb_grpc
from wherefore.recommend.v1 import relation_pb2
from wherefore.retrieval.v1.candidate_pb2 import LegScore

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Finder(pb_grpc.RecommendServiceServicer):
    """Finds what it is told to, by strategy."""

    def __init__(self) -> None:
        self.found: dict[int, list[str]] = {}
        self.asked: list[pb.CandidatesRequest] = []
        self.broken = False
        self.degraded: list[Degradation] = []

    async def Candidates(self, request, context):  # noqa: N802
        self.asked.append(request)
        if self.broken:
            await context.abort(grpc.StatusCode.INTERNAL, "broken")
        products = [
            pb.RecommendedProduct(
                product_id=i,
                score=1 / rank,
                legs=[LegScore(leg="bought_together", rank=rank, score=1 / rank)],
                relations=[
                    relation_pb2.Relation(
                        kind=relation_pb2.RELATION_KIND_BOUGHT_TOGETHER,
                        product_id=request.product_ids[0] if request.product_ids else "",
                        customer_count=3,
                    )
                ],
            )
            for rank, i in enumerate(self.found.get(request.strategy, []), 1)
            if i not in request.excluded_ids
        ]
        return pb.CandidatesResponse(products=products, degraded=self.degraded)


async def _shop(tmp_path: Path, **settings: object) -> AsyncIterator[SimpleNamespace]:
    finder = Finder()
    server = grpc.aio.server()
    pb_grpc.add_RecommendServiceServicer_to_server(finder, server)
    servicer = health.aio.HealthServicer()
    name = "wherefore.recommend.v1.RecommendService"
    await servicer.set(name, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with serve(tmp_path, recommend_target=f"127.0.0.1:{port}", **settings) as running:
            running.finder = finder
            yield running
    finally:
        await server.stop(None)


@pytest_asyncio.fixture(loop_scope="module")
async def shop(tmp_path: Path) -> AsyncIterator[SimpleNamespace]:
    async for running in _shop(tmp_path):
        yield running


def ids_of(answer) -> list[str]:
    return sorted(result.product.id for result in answer.results)


@pytest.mark.parametrize(
    ("config", "strategy"),
    [
        ("frequently-bought-together", pb.STRATEGY_BOUGHT_TOGETHER),
        ("complements", pb.STRATEGY_COMPLEMENTS),
        ("up-sell", pb.STRATEGY_UP_SELL),
        ("buy-again", pb.STRATEGY_BUY_AGAIN),
        ("reorder", pb.STRATEGY_REORDER),
    ],
)
async def test_a_config_asks_for_its_strategy(shop, config: str, strategy: int) -> None:
    shop.finder.found[strategy] = ["p03", "gone", "p05"]
    user = UserContext(user_id="ann")
    answer = await recommend(shop, product_ids=["p01"], user=user, serving_config=config)
    assert answer.serving_config == config
    assert ids_of(answer) == ["p03", "p05"]
    assert {leg.leg for r in answer.results for leg in r.legs} == {"bought_together"}
    assert not answer.degraded


async def test_an_account_alone_suffices_for_what_it_orders_again(tmp_path) -> None:
    path = tmp_path / "terms.yaml"
    path.write_text("currency: EUR\naccounts: [{id: acme, discounts: [{percent: 10}]}]\n")
    async for shop in _shop(tmp_path / "shop", terms={"file": path}):
        shop.finder.found[pb.STRATEGY_REORDER] = ["p03", "p05"]
        for user in (
            UserContext(account_id="acme"),
            UserContext(account_id="acme", user_id="ann", session_id="visit"),
        ):
            answer = await recommend(shop, user=user, serving_config="reorder")
            assert answer.serving_config == "reorder"
            assert ids_of(answer) == ["p03", "p05"]
            assert {result.terms.account_id for result in answer.results} == {"acme"}
            asked = shop.finder.asked[-1].user
            assert asked.account_id == "acme"
            assert (asked.user_id == "") == (user.user_id == "")
        # Of what a user alone does, no account is told.
        shop.finder.found[pb.STRATEGY_BUY_AGAIN] = ["p03"]
        user = UserContext(account_id="acme", user_id="ann")
        await recommend(shop, user=user, serving_config="buy-again")
        assert shop.finder.asked[-1].user.account_id == ""
        for config in ("buy-again", "for-you"):
            with pytest.raises(grpc.aio.AioRpcError) as raised:
                await recommend(shop, user=UserContext(account_id="acme"), serving_config=config)
            assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_variants_take_one_place_but_all_come_to_be_bought_again(shop) -> None:
    for product_id in ("p03", "p05"):
        shop.fake.products[product_id].variant_group_id = "one"
    for strategy in (pb.STRATEGY_UP_SELL, pb.STRATEGY_BUY_AGAIN):
        shop.finder.found[strategy] = ["p03", "p05", "p06"]
    fields = {"user": UserContext(user_id="ann"), "product_ids": ["p01"]}
    assert ids_of(await recommend(shop, serving_config="up-sell", **fields)) == ["p03", "p06"]
    answer = await recommend(shop, serving_config="buy-again", **fields)
    assert ids_of(answer) == ["p03", "p05", "p06"]


async def test_the_answer_waits_for_what_was_acknowledged(shop) -> None:
    shop.finder.found[pb.STRATEGY_UP_SELL] = ["p03"]
    for n in range(1, 4):
        await write(shop, f"user{n}", USER_EVENT_TYPE_VIEW, "p07")
        await recommend(shop, product_ids=["p01"], serving_config="up-sell")
        assert shop.finder.asked[-1].event_sequence == n


async def test_bought_products_are_excluded_before_they_are_found(shop) -> None:
    shop.finder.found[pb.STRATEGY_COMPLEMENTS] = ["p03", "p05"]
    shop.finder.found[pb.STRATEGY_BUY_AGAIN] = ["p03"]
    await write(shop, "bob", USER_EVENT_TYPE_PURCHASE, "p03")
    fields = {"user": UserContext(user_id="bob"), "product_ids": ["p01"]}
    answer = await recommend(shop, serving_config="complements", **fields)
    assert ids_of(answer) == ["p05"]
    assert list(shop.finder.asked[-1].excluded_ids) == ["p03"]
    answer = await recommend(shop, serving_config="complements", include_bought=True, **fields)
    assert ids_of(answer) == ["p03", "p05"]
    assert ids_of(await recommend(shop, serving_config="buy-again", **fields)) == ["p03"]


async def test_you_may_also_like_holds_what_is_alike_too(shop) -> None:
    shop.finder.found[pb.STRATEGY_ALSO_LIKED] = ["p03"]
    answer = await recommend(
        shop, product_ids=["p01"], serving_config="you-may-also-like", page_size=100
    )
    assert answer.serving_config == "you-may-also-like"
    by_id = {r.product.id: [leg.leg for leg in r.legs] for r in answer.results}
    assert by_id["p03"] == ["bought_together", "similar"]
    assert all(legs == ["similar"] for i, legs in by_id.items() if i != "p03")
    assert len(by_id) > 20


@pytest.mark.parametrize(
    ("config", "answers"),
    [
        ("frequently-bought-together", "similar"),
        ("you-may-also-like", "similar"),
        ("complements", "similar"),
        ("up-sell", "similar"),
        ("buy-again", "popular"),
        ("reorder", "popular"),
    ],
)
async def test_another_config_steps_in(shop, config: str, answers: str) -> None:
    user = UserContext(user_id="nobody")
    fields = {"product_ids": ["p01"], "user": user, "serving_config": config}
    nothing = await recommend(shop, **fields)
    assert nothing.serving_config == answers
    assert nothing.results
    assert not nothing.degraded
    shop.finder.broken = True
    lost = await recommend(shop, **fields)
    assert lost.serving_config == answers
    assert lost.results
    assert [d.stage for d in lost.degraded] == ["recommend"]


async def test_baskets_without_history_are_answered_by_complements(shop) -> None:
    shop.finder.found[pb.STRATEGY_COMPLEMENTS] = ["p03"]
    answer = await recommend(shop, product_ids=["p01"], serving_config="frequently-bought-together")
    assert answer.serving_config == "complements"


async def test_what_the_service_lacks_is_passed_on(shop) -> None:
    shop.finder.found[pb.STRATEGY_COMPLEMENTS] = ["p03"]
    shop.finder.degraded = [Degradation(stage="recommend.events")]
    answer = await recommend(shop, product_ids=["p01"], serving_config="complements")
    assert [d.stage for d in answer.degraded] == ["recommend.events"]


async def test_the_log_is_followed_from_a_place_on(shop) -> None:
    for n in range(3):
        await write(shop, "ann", USER_EVENT_TYPE_VIEW, f"p0{n}", id=f"e{n}")
    stub = EventLogServiceStub(shop.channel)
    call = stub.Follow(FollowRequest(after_sequence=1), timeout=20)
    first = await call.read()
    assert [e.id for e in first.events] == ["e1", "e2"]
    assert first.sequence == 3
    await write(shop, "ann", USER_EVENT_TYPE_VIEW, "p02", id="e2")  # a duplicate is no event
    await write(shop, "ann", USER_EVENT_TYPE_VIEW, "p05", id="e3")
    second = await call.read()
    assert [e.id for e in second.events] == ["e3"]
    assert (second.sequence, second.log_id) == (4, first.log_id)
    call.cancel()
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await stub.Follow(FollowRequest(after_sequence=-1), timeout=5).read()
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_who_follows_does_not_hold_up_a_stop(tmp_path: Path) -> None:
    async with serve(tmp_path, drain_seconds=60) as running:
        call = EventLogServiceStub(running.channel).Follow(FollowRequest(), timeout=120)
        await call.read()
        await running.server.stop()
        assert await call.read() is grpc.aio.EOF


@pytest_asyncio.fixture(loop_scope="module")
async def foretelling(tmp_path: Path) -> AsyncIterator[SimpleNamespace]:
    """A shop whose "for-you" asks the model of sequences too."""
    async for running in _shop(tmp_path, next_items=True):
        yield running


async def test_for_you_holds_what_comes_next(foretelling) -> None:
    user = UserContext(user_id="eve")
    foretelling.finder.found[pb.STRATEGY_NEXT_ITEMS] = ["p20", "p21"]
    assert (await recommend(foretelling, user=user)).serving_config == "popular"
    await write(foretelling, "eve", USER_EVENT_TYPE_VIEW, "p01")
    await write(foretelling, "eve", USER_EVENT_TYPE_VIEW, "p03")
    answer = await recommend(foretelling, user=user, page_size=50)
    assert answer.serving_config == "for-you"
    asked = foretelling.finder.asked[-1]
    assert (asked.strategy, list(asked.product_ids)) == (pb.STRATEGY_NEXT_ITEMS, ["p03", "p01"])
    assert {"p20", "p21"} <= set(ids_of(answer))
    legs = {leg.leg for result in answer.results for leg in result.legs}
    assert {"similar", "bought_together"} <= legs  # the finder in small calls its leg so


async def test_for_you_does_without_the_model(foretelling) -> None:
    user = UserContext(user_id="eve")
    await write(foretelling, "eve", USER_EVENT_TYPE_VIEW, "p01")
    foretelling.finder.broken = True
    answer = await recommend(foretelling, user=user)
    assert answer.serving_config == "for-you"
    assert answer.results
    assert [d.stage for d in answer.degraded] == ["recommend"]

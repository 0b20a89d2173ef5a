"""Whole pages and candidates that are kept: told again, never to somebody else, never outdated."""

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.server import start_server
from shared.settings import ServiceSettings
from tests.redis_server import running_redis
from tests.services.orchestrator.conftest import serve
from tests.services.orchestrator.fake_backends import personal_order
from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.user_event_pb2 import USER_EVENT_TYPE_VIEW, ProductDetail, UserEvent
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1.product_service_pb2 import (
    ProductServiceDeleteRequest,
    ProductServiceUpdateRequest,
)
from wherefore.orchestrator.v1.product_service_pb2_grpc import ProductServiceStub
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.orchestrator.v1.user_event_service_pb2 import UserEventServiceWriteRequest
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub
from wherefore.recommend.v1.recommend_service_pb2 import RelateResponse
from wherefore.recommend.v1.recommend_service_pb2_grpc import (
    RecommendServiceServicer,
    add_RecommendServiceServicer_to_server,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")
KEPT = {"page_seconds": 600, "candidate_seconds": 600, "stale_seconds": 600}
TERMS = """
currency: EUR
accounts:
  - {id: acme, discounts: [{percent: 10}], prices: [{product: p01, price: 0.50}]}
  - {id: zeta, discounts: [{percent: 20}]}
"""
SHARES = {"": 1.0, "acme": 0.9, "zeta": 0.8}
"""Of the catalogue's price that each account is asked."""


class NoTies(RecommendServiceServicer):
    """A knowledge graph that is there and knows nothing: a page without it is not kept."""

    service_names = ("wherefore.recommend.v1.RecommendService",)

    def register(self, server) -> None:
        add_RecommendServiceServicer_to_server(self, server)

    async def start(self) -> None:
        pass

    async def check_ready(self) -> None:
        pass

    async def close(self) -> None:
        pass

    async def Relate(self, request, context):  # noqa: N802
        return RelateResponse()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def keeping(tmp_path_factory):
    """Keeps everything for longer than the tests take."""
    ties = await start_server(NoTies(), ServiceSettings(port=0))
    await ties.wait_ready(10)
    folder, target = tmp_path_factory.mktemp("keeping"), f"127.0.0.1:{ties.port}"
    terms = folder / "terms.yaml"
    terms.write_text(TERMS)
    budget = (("seconds", 5), ("reserve", 0))
    budgets = {stage: dict(budget) for stage in ("nlu", "ranking", "reason", "ties")}
    async with serve(
        folder,
        cache=KEPT,
        recommend_target=target,
        budgets=budgets,
        terms={"file": terms, "poll_seconds": 3_600},
    ) as running:
        yield running
    await ties.stop()


@dataclass
class Shop:
    """What callers do, and what they must be told."""

    running: object
    known: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    count: int = 0

    async def search(self, user: tuple[str, str], query: str, account: str = "", **fields):
        context = UserContext(user_id=user[0], session_id=user[1], account_id=account)
        request = SearchRequest(query=query, user=context, **fields)
        return await SearchServiceStub(self.running.channel).Search(request, timeout=10)

    async def view(self, user: tuple[str, str], product_id: str) -> None:
        self.count += 1
        event = UserEvent(
            id=f"{id(self)}-{self.count}",
            type=USER_EVENT_TYPE_VIEW,
            user_id=user[0],
            session_id=user[1],
            products=[ProductDetail(product_id=product_id)],
        )
        # Ages make the order: the latest is the first.
        event.event_time.FromNanoseconds(time.time_ns())
        write = UserEventServiceStub(self.running.channel).Write
        await write(UserEventServiceWriteRequest(event=event))
        known = self.known[user]
        if product_id in known:
            known.remove(product_id)
        known.insert(0, product_id)

    async def update(self, product_id: str, title: str) -> None:
        update = ProductServiceStub(self.running.channel).Update
        product = Product(id=product_id, titles={"en": title})
        await update(ProductServiceUpdateRequest(product=product))

    def expected(self, user: tuple[str, str]) -> list[str]:
        return personal_order(sorted(self.running.fake.products), self.known[user])


def history(reason: str) -> str:
    return reason.split("Known: ")[1].split(".", maxsplit=1)[0]


NAMES = st.sampled_from(["ann", "bob"])
USERS = (
    st.tuples(NAMES, st.just(""))
    | st.tuples(st.just(""), NAMES)  # a session called like a user is not that user
    | st.just(("", ""))
)
QUERIES = st.sampled_from(["cup", "mug"])
STEPS = st.lists(
    st.tuples(st.just("search"), USERS, st.tuples(QUERIES, st.sampled_from(sorted(SHARES))))
    | st.tuples(st.just("view"), USERS.filter(any), st.sampled_from(["p01", "p02", "p03"]))
    | st.tuples(st.just("update"), st.just(("", "")), st.sampled_from(["p01", "p05"])),
    min_size=2,
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(steps=STEPS)
async def test_every_page_is_the_callers_own_and_up_to_date(keeping, shop_of_all, steps):
    shop = shop_of_all
    for what, user, value in steps:
        if what == "view":
            await shop.view(user, value)
        elif what == "update":
            shop.count += 1
            await shop.update(value, f"Cup number {shop.count}")
        else:
            query, account = value
            answer = await shop.search(user, query, account, page_size=30)
            assert not answer.degraded
            assert [r.product.id for r in answer.results] == shop.expected(user)
            told = {history(r.reason.text) for r in answer.results}
            assert told == {" ".join(shop.known[user])}
            for result in answer.results:
                there = keeping.fake.products[result.product.id]
                assert result.product.titles == there.titles
                assert result.terms.account_id == account
                share = SHARES[account] * there.price.amount if account else 0.0
                wanted = 0.5 if (account, there.id) == ("acme", "p01") else share
                assert result.terms.unit_price.amount == pytest.approx(wanted, abs=0.005)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shop_of_all(keeping):
    return Shop(keeping)


async def test_a_page_is_made_once_and_told_with_its_own_request_id(keeping):
    shop, fake = Shop(keeping), keeping.fake
    first = await shop.search(("", ""), "kept")
    ranked = len(fake.seen_users)
    again = await shop.search(("", ""), "kept")
    assert len(fake.seen_users) == ranked
    await shop.view(("fay", ""), "p04")
    for _ in range(2):  # and so is one user's own
        own = await shop.search(("fay", ""), "kept")
        assert {history(r.reason.text) for r in own.results} == {"p04"}
    assert len(fake.seen_users) == (ranked := ranked + 1)
    assert again.results == first.results
    assert again.request_id != first.request_id
    assert [timing.stage for timing in again.timings] == ["total"]
    other = await shop.search(("eve", ""), "kept")
    assert len(fake.seen_users) == ranked + 1
    assert [r.product.id for r in other.results] == [r.product.id for r in first.results]


async def test_its_token_leads_to_the_next_page(keeping):
    shop = Shop(keeping)
    pages = [await shop.search(("", ""), "pages", page_size=9) for _ in range(2)]
    assert pages[0].next_page_token == pages[1].next_page_token
    following = await shop.search(
        ("", ""), "pages", page_size=9, page_token=pages[1].next_page_token
    )
    shown = [r.product.id for r in (*pages[1].results, *following.results)]
    assert shown == shop.expected(("", ""))[:18]


async def test_a_burst_is_one_search(keeping):
    shop, fake = Shop(keeping), keeping.fake
    before = len(fake.seen_users)
    answers = await asyncio.gather(*(shop.search(("", ""), "burst") for _ in range(20)))
    assert len(fake.seen_users) == before + 1
    assert len({answer.request_id for answer in answers}) == 20


async def test_candidates_are_found_once_for_all_users(keeping):
    shop, fake = Shop(keeping), keeping.fake
    await shop.search(("", ""), "shared")
    before = fake.retrieved
    answer = await shop.search(("zoe", ""), "shared")
    assert fake.retrieved == before
    assert "retrieval.dense" not in {timing.stage for timing in answer.timings}
    await shop.update("p07", f"Another cup {before}")
    await shop.search(("zoe", ""), "shared")
    assert fake.retrieved == before + 1


async def test_a_deleted_product_is_gone_at_once(keeping):
    shop = Shop(keeping)
    keeping.fake.put(Product(id="p99", titles={"en": "Last cup"}))
    await shop.update("p99", "The last cup")
    assert "p99" in {
        r.product.id for r in (await shop.search(("", ""), "gone", page_size=50)).results
    }
    await ProductServiceStub(keeping.channel).Delete(ProductServiceDeleteRequest(product_id="p99"))
    left = await shop.search(("", ""), "gone", page_size=50)
    assert "p99" not in {r.product.id for r in left.results}


async def test_what_went_without_a_part_is_not_kept(keeping):
    shop = Shop(keeping)
    keeping.fake.broken.add("reason")
    assert (await shop.search(("", ""), "poor")).degraded
    keeping.fake.broken.clear()
    async with asyncio.timeout(10):
        while (await shop.search(("", ""), "poor")).degraded:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.02)


async def test_another_process_changes_the_catalogue(tmp_path):
    kept = {**KEPT, "catalogue_poll_seconds": 0.02}
    async with serve(tmp_path, cache=kept) as running:
        shop = Shop(running)
        await shop.search(("", ""), "theirs")
        before = running.fake.retrieved
        running.fake.tells_version = True
        running.fake.version += 1
        async with asyncio.timeout(10):
            while running.fake.retrieved == before:
                await shop.search(("", ""), "theirs")
                await asyncio.sleep(0.02)


async def test_nothing_is_kept_while_the_version_is_not_known(tmp_path):
    async with serve(tmp_path, cache=KEPT) as running:
        for ranked in (1, 2, 2, 2):
            await Shop(running).search(("", ""), "early")
            assert len(running.fake.seen_users) == ranked


async def test_orchestrators_share_by_redis_what_is_nobodys_own(tmp_path):
    from redis.asyncio import Redis

    with running_redis(tmp_path) as redis:
        kept = {**KEPT, "redis_url": redis.url, "redis_timeout_seconds": 5}
        async with (
            serve(tmp_path / "a", cache=kept) as here,
            serve(tmp_path / "b", cache=kept) as there,
        ):
            stored = Redis.from_url(redis.url)
            for _ in range(2):  # the first answer tells the version of the catalogue
                await Shop(here).search(("", ""), "everybody's")
            keys = set(await stored.keys())
            assert len(keys) == 3, "a parse, candidates and a page"
            there.fake.broken |= {"nlu", "ranking"}
            # As its first answer would tell it.
            there.service._clients.caches.catalogue.note(here.fake.version)
            answer = await Shop(there).search(("", ""), "everybody's")
            assert not answer.degraded
            assert answer.results
            shop = Shop(here)
            await shop.view(("ann", ""), "p03")
            await shop.search(("ann", ""), "everybody's")
            assert set(await stored.keys()) == keys
            redis.stop()
            assert not (await shop.search(("", ""), "without it")).degraded
            await stored.aclose()

"""The service over a real port, fed by a real log of events and a catalogue in small."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import grpc
import pytest
import pytest_asyncio

from services.orchestrator.event_files.store import SqliteEventStore
from services.orchestrator.servers.event_log import EventLogServer
from services.recommend.config import Settings
from services.recommend.server import RecommendServer
from shared.server import start_server
from wherefore.common.v1 import user_event_pb2 as event_pb
from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1.event_log_service_pb2_grpc import (
    add_EventLogServiceServicer_to_server,
)
from wherefore.recommend.v1 import recommend_service_pb2 as pb
from wherefore.recommend.v1.recommend_service_pb2_grpc import RecommendServiceStub
from wherefore.recommend.v1.relation_pb2 import (
    RELATION_KIND_BOUGHT_BEFORE,
    RELATION_KIND_BOUGHT_TOGETHER,
    RELATION_KIND_DUE_AGAIN,
    RELATION_KIND_FITS,
)
from wherefore.retrieval.v1 import retrieval_service_pb2 as retrieval_pb
from wherefore.retrieval.v1 import retrieval_service_pb2_grpc as retrieval_grpc

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Catalogue(retrieval_grpc.RetrievalServiceServicer):
    def __init__(self) -> None:
        self.version = 1
        self.products = [
            Product(id=f"p{n:04}", titles={"en": f"Cup {n}"}, category_path=["Kitchen", "Cups"])
            for n in range(1_200)
        ]
        for n, product in enumerate(self.products):
            product.price.currency_code, product.price.amount = "EUR", 10.0 + n

    async def Stats(self, request, context):  # noqa: N802
        return retrieval_pb.StatsResponse(index_version=self.version)

    async def ListProducts(self, request, context):  # noqa: N802
        left = [p for p in self.products if p.id > request.after_id]
        page = left[: request.page_size]
        after = page[-1].id if len(left) > len(page) else ""
        return retrieval_pb.ListProductsResponse(products=page, next_after_id=after)


class Sources:
    """The log and the catalogue, on a port that stays when they go."""

    def __init__(self, folder: Path) -> None:
        self.store = SqliteEventStore(folder / "events.sqlite")
        self.catalogue = Catalogue()
        self.port = 0

    async def open(self) -> None:
        await self.store.open()
        self.server = grpc.aio.server()
        add_EventLogServiceServicer_to_server(EventLogServer(self.store), self.server)
        retrieval_grpc.add_RetrievalServiceServicer_to_server(self.catalogue, self.server)
        self.port = self.server.add_insecure_port(f"127.0.0.1:{self.port}")
        await self.server.start()

    async def close(self) -> None:
        self.store.place.end_waits()
        await self.server.stop(None)
        await self.store.close()

    def known(self, user: str) -> UserContext:
        """A user as the log tells of them: by a pseudonym."""
        return self.store.alias(UserContext(user_id=user))

    async def buy(self, user: str, *ids: str, account: str = "", days_ago: int = 0) -> int:
        event = event_pb.UserEvent(
            id=f"{user}-{'-'.join(ids)}-{account}-{days_ago}",
            type=event_pb.USER_EVENT_TYPE_PURCHASE,
            user_id=user,
            account_id=account,
            products=[event_pb.ProductDetail(product_id=i) for i in ids],
        )
        event.event_time.GetCurrentTime()
        event.event_time.seconds -= days_ago * 86_400
        await self.store.append([event])
        return self.store.place.last_sequence


@pytest_asyncio.fixture(loop_scope="module")
async def running(tmp_path: Path) -> AsyncIterator[SimpleNamespace]:
    sources = Sources(tmp_path)
    await sources.open()
    target = f"127.0.0.1:{sources.port}"
    settings = Settings(
        port=0,
        metrics_port=0,
        lame_duck_seconds=0,
        orchestrator_target=target,
        retrieval_target=target,
        catalogue_poll_seconds=0.05,
        event_wait_seconds=5,
    )
    server = await start_server(RecommendServer(settings), settings)
    await server.wait_ready(10)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        stub = RecommendServiceStub(channel)
        parts = SimpleNamespace(sources=sources, stub=stub)
        yield parts
    await server.stop()
    await parts.sources.close()


async def ask(running: SimpleNamespace, strategy: int, **fields: object) -> pb.CandidatesResponse:
    request = pb.CandidatesRequest(strategy=strategy, **fields)  # type: ignore[arg-type]
    return await running.stub.Candidates(request, timeout=20)


async def test_an_acknowledged_event_counts_in_the_next_answer(running: SimpleNamespace) -> None:
    last = 0
    for n in range(2, 12):
        last = await running.sources.buy(f"user{n}", "p0001", "p0002")
        answer = await ask(
            running,
            pb.STRATEGY_BOUGHT_TOGETHER,
            product_ids=["p0001"],
            user=running.sources.known("user2"),
            event_sequence=last,
        )
        assert not answer.degraded
        assert answer.event_sequence == last
        counts = [r.customer_count for each in answer.products for r in each.relations]
        assert counts == ([n - 1] if n > 2 else [])
    (product,) = answer.products
    (relation,) = product.relations
    assert (product.product_id, relation.kind) == ("p0002", RELATION_KIND_BOUGHT_TOGETHER)
    assert relation.owned
    assert [(leg.leg, leg.rank) for leg in product.legs] == [("bought_together", 1)]


async def test_a_page_is_related_to_what_the_user_has(running: SimpleNamespace) -> None:
    catalogue = running.sources.catalogue
    printer, ink = catalogue.products[10], catalogue.products[11]
    for each, title, kind in (
        (printer, "Brother DCP-L2530 printer", "Printers"),
        (ink, "Brother toner for DCP-L2530", "Inks"),
    ):
        each.brand, each.titles["en"], each.category_path[-1] = "Brother", title, kind
    catalogue.version += 1
    last = await running.sources.buy("zoe", printer.id)
    await ask(
        running, pb.STRATEGY_BUY_AGAIN, user=running.sources.known("zoe"), event_sequence=last
    )
    request = pb.RelateRequest(
        product_ids=[ink.id, "p0500"],
        beside_product_ids=[printer.id],
        user=running.sources.known("zoe"),
    )
    for _ in range(400):
        answer = await running.stub.Relate(request, timeout=20)
        if answer.products:
            break
        await asyncio.sleep(0.05)
    (product,) = answer.products
    (relation,) = product.relations
    assert (product.product_id, relation.product_id) == (ink.id, printer.id)
    assert (relation.kind, relation.evidence) == (RELATION_KIND_FITS, "DCP-L2530")
    assert relation.owned


async def test_relating_names_the_fields_at_fault(running: SimpleNamespace) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await running.stub.Relate(pb.RelateRequest(product_ids=["p"] * 101), timeout=20)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "product_ids" in caught.value.details()


async def test_an_account_is_told_what_its_people_order_again(running: SimpleNamespace) -> None:
    last = 0
    for user, days_ago in (("eva", 91), ("fay", 61), ("eva", 31)):
        last = await running.sources.buy(user, "p0009", account="acme", days_ago=days_ago)
    for user, found in (
        (UserContext(account_id="acme"), ["p0009"]),
        (UserContext(account_id="zeta"), []),
        (running.sources.known("eva"), []),
    ):
        answer = await ask(running, pb.STRATEGY_REORDER, user=user, event_sequence=last)
        assert [each.product_id for each in answer.products] == found
        for each in answer.products:
            (relation,) = each.relations
            assert relation.kind == RELATION_KIND_DUE_AGAIN
            assert (relation.purchase_count, relation.interval_days) == (3, 30)
            assert relation.age_seconds == pytest.approx(31 * 86_400, abs=600)
            assert [leg.leg for leg in each.legs] == ["due_again"]


async def test_own_purchases(running: SimpleNamespace) -> None:
    last = await running.sources.buy("ann", "p0003")
    fields = {"event_sequence": last, "user": running.sources.known("ann")}
    answer = await ask(running, pb.STRATEGY_BUY_AGAIN, **fields)
    (product,) = answer.products
    (relation,) = product.relations
    assert (product.product_id, relation.kind) == ("p0003", RELATION_KIND_BOUGHT_BEFORE)
    assert relation.purchase_count == 1


async def graph_of(running: SimpleNamespace, version: int) -> None:
    """Returns once the graph is of a version; until there is one, answers say so."""
    async with asyncio.timeout(300):  # for a graph that never comes; a busy machine takes a minute
        while True:
            answer = await ask(running, pb.STRATEGY_UP_SELL, product_ids=["p0000"])
            without = "recommend.graph" in {d.stage for d in answer.degraded}
            assert without == (not answer.index_version)
            if answer.index_version == version:
                return
            await asyncio.sleep(0.05)


async def test_the_graph_covers_all_pages_and_follows_the_catalogue(
    running: SimpleNamespace,
) -> None:
    await graph_of(running, 1)
    answer = await ask(running, pb.STRATEGY_UP_SELL, product_ids=["p1100"], limit=1000)
    assert {each.product_id for each in answer.products} == {f"p{n:04}" for n in range(1101, 1200)}
    running.sources.catalogue.products.pop()
    running.sources.catalogue.version = 2
    await graph_of(running, 2)
    answer = await ask(running, pb.STRATEGY_UP_SELL, product_ids=["p1100"], limit=1000)
    assert len(answer.products) == 98


async def test_events_that_do_not_come_are_told(running: SimpleNamespace, tmp_path: Path) -> None:
    last = await running.sources.buy("ann", "p0001", "p0002")
    request = pb.CandidatesRequest(
        strategy=pb.STRATEGY_BOUGHT_TOGETHER, product_ids=["p0001"], event_sequence=last + 1
    )
    answer = await running.stub.Candidates(request, timeout=20)
    (degraded,) = answer.degraded
    assert degraded.stage == "recommend.events"


async def test_a_log_that_comes_back_is_followed_on_and_a_new_one_anew(
    running: SimpleNamespace, tmp_path: Path
) -> None:
    sources = running.sources
    for user in ("ann", "bob"):
        last = await sources.buy(user, "p0001", "p0002")
    fields = {"product_ids": ["p0001"]}
    assert (await ask(running, pb.STRATEGY_BOUGHT_TOGETHER, event_sequence=last, **fields)).products
    await sources.close()
    assert (await ask(running, pb.STRATEGY_BOUGHT_TOGETHER, **fields)).products  # kept meanwhile
    back = Sources(tmp_path)
    back.port = sources.port
    await back.open()
    last = await back.buy("cat", "p0001", "p0002")
    answer = await ask(running, pb.STRATEGY_BOUGHT_TOGETHER, event_sequence=last, **fields)
    assert answer.products[0].relations[0].customer_count == 3
    await back.close()
    (tmp_path / "other").mkdir()
    running.sources = other = Sources(tmp_path / "other")
    other.port = sources.port
    await other.open()
    for _ in range(600):
        answer = await ask(running, pb.STRATEGY_BOUGHT_TOGETHER, **fields)
        if not answer.products:
            break
        await asyncio.sleep(0.05)
    assert not answer.products


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "strategy"),
        ({"strategy": pb.STRATEGY_BUY_AGAIN}, "user"),
        ({"strategy": pb.STRATEGY_BUY_AGAIN, "user": UserContext(account_id="acme")}, "user"),
        ({"strategy": pb.STRATEGY_REORDER}, "user"),
        ({"strategy": pb.STRATEGY_COMPLEMENTS}, "product_ids"),
        ({"strategy": pb.STRATEGY_UP_SELL, "product_ids": ["a"] * 51}, "product_ids"),
        ({"strategy": pb.STRATEGY_UP_SELL, "product_ids": ["a"], "limit": 1001}, "limit"),
        ({"strategy": pb.STRATEGY_UP_SELL, "product_ids": ["a"], "limit": -1}, "limit"),
        (
            {"strategy": pb.STRATEGY_UP_SELL, "product_ids": ["a"], "event_sequence": -1},
            "event_sequence",
        ),
    ],
)
async def test_bad_input_names_the_field(running: SimpleNamespace, fields, field: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await running.stub.Candidates(pb.CandidatesRequest(**fields), timeout=5)
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert field in (error.value.details() or "")

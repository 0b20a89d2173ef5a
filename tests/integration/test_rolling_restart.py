"""Every service is restarted, replica by replica, while calls go on: none of them fails."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice

import grpc
import pytest

from benchmarks.load.loops import arrival_times
from shared.catalogue import bundled_catalogue_path, read_catalogue
from shared.channel import open_channel
from shared.suite import PortPlan, Suite
from shared.suite.ports import SERVICES
from tests.integration.replicas import SHARED_FOLDER, Replicas
from wherefore.common.v1.user_event_pb2 import USER_EVENT_TYPE_VIEW, ProductDetail, UserEvent
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1.event_log_service_pb2 import FollowRequest
from wherefore.orchestrator.v1.event_log_service_pb2_grpc import EventLogServiceStub
from wherefore.orchestrator.v1.product_service_pb2 import ProductServiceImportRequest
from wherefore.orchestrator.v1.product_service_pb2_grpc import ProductServiceStub
from wherefore.orchestrator.v1.recommendation_service_pb2 import RecommendRequest
from wherefore.orchestrator.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.orchestrator.v1.user_event_service_pb2 import UserEventServiceWriteRequest
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub

pytestmark = pytest.mark.suite

RATE = 8.0
"""Calls a second, sent on time whether or not those before them are answered."""
DEADLINE = 20.0
"""Of each call, in seconds: for a machine that starts processes meanwhile."""
SEARCH = "wherefore.orchestrator.v1.SearchService"


class Load:
    """Calls over one channel to both orchestrators, as the documentation says to open it."""

    def __init__(self, channel: grpc.aio.Channel, product_id: str) -> None:
        self._channel = channel
        self._product_id = product_id
        self._tasks: set[asyncio.Task[None]] = set()
        self.failed: list[str] = []
        self.seconds: list[float] = []
        self.degraded: Counter[str] = Counter()
        self.acknowledged: set[str] = set()

    async def run(self) -> None:
        """Send until cancelled."""
        begun = time.monotonic()
        for number, at in enumerate(arrival_times(RATE, 1e9, "poisson", seed=7)):
            await asyncio.sleep(begun + at - time.monotonic())
            task = asyncio.create_task(self._one(number))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def rest(self) -> None:
        """Wait for the calls under way."""
        await asyncio.gather(*self._tasks)

    async def _one(self, number: int) -> None:
        started = time.monotonic()
        try:
            response = await self._send(number)
        except grpc.aio.AioRpcError as error:
            self.failed.append(f"{number % 4}: {error.code().name}: {error.details()}")
        else:
            self.degraded.update(d.stage for d in getattr(response, "degraded", ()))
        self.seconds.append(time.monotonic() - started)

    async def _send(self, number: int):
        patient = {"timeout": DEADLINE, "wait_for_ready": True}
        if number % 4 == 1:
            recommend = RecommendationServiceStub(self._channel).Recommend
            request = RecommendRequest(
                serving_config="frequently-bought-together",
                product_ids=[self._product_id],
                user=UserContext(user_id=f"u{number % 50}"),
            )
            return await recommend(request, **patient)
        if number % 4 == 2:
            event = UserEvent(
                id=f"event-{number}",
                type=USER_EVENT_TYPE_VIEW,
                user_id=f"u{number % 50}",
                products=[ProductDetail(product_id=self._product_id)],
            )
            write = UserEventServiceStub(self._channel).Write
            answer = await write(UserEventServiceWriteRequest(event=event), **patient)
            self.acknowledged.add(event.id)
            return answer
        # New ones each time: a cache must not answer for a dead part.
        search = SearchRequest(query=f"blue cup {number}", page_size=5)
        answer = await SearchServiceStub(self._channel).Search(search, **patient)
        assert answer.results
        return answer


async def _import(target: str) -> None:
    rows = islice(read_catalogue(bundled_catalogue_path()), 250)
    products = [row.product for row in rows if row.product is not None]
    batch = ProductServiceImportRequest(products=products, rows=range(len(products)))
    async with grpc.aio.insecure_channel(target) as channel:
        call = ProductServiceStub(channel).Import(iter([batch]), timeout=120)
        (*_, last) = [response async for response in call]
    assert last.imported_count == len(products)


async def _logged(channel: grpc.aio.Channel, wanted: set[str]) -> set[str]:
    found: set[str] = set()
    follow = EventLogServiceStub(channel).Follow(FollowRequest(), timeout=DEADLINE)
    async for response in follow:
        found |= {event.id for event in response.events}
        if wanted <= found:
            break
    follow.cancel()
    return found


@pytest.fixture
def replicas(tmp_path) -> Iterator[Replicas]:
    with Suite(tmp_path, PortPlan.free(), services=(), private=True) as suite:
        suite.up()
        replicas = Replicas(suite)
        try:
            replicas.up()
            yield replicas
        finally:
            replicas.down()


async def test_no_call_fails_while_every_service_is_restarted(replicas: Replicas) -> None:
    for name in SERVICES:
        assert replicas.serving(name) == (["a"] if name in SHARED_FOLDER else ["a", "b"])
    await _import(f"127.0.0.1:{replicas.ports['a'].orchestrator}")
    async with open_channel(replicas.target("orchestrator"), wait_for_health_of=SEARCH) as channel:
        search = SearchServiceStub(channel).Search
        first = await search(SearchRequest(query="cup"), timeout=DEADLINE, wait_for_ready=True)
        load = Load(channel, first.results[0].product.id)
        sending = asyncio.create_task(load.run())
        for name in SERVICES:
            for which in ("a", "b"):
                await asyncio.to_thread(replicas.restart, name, which)
                await asyncio.sleep(0.5)
            assert len(replicas.serving(name)) == (1 if name in SHARED_FOLDER else 2)
        sending.cancel()
        await load.rest()
        seconds = sorted(load.seconds)
        print(  # with -s this is the measurement
            f"{len(seconds)} calls, {len(load.failed)} failed, degraded {dict(load.degraded)},"
            f" p50 {seconds[len(seconds) // 2]:.3f} s, longest {seconds[-1]:.3f} s"
        )
        assert not load.failed
        assert len(seconds) > 50
        assert load.acknowledged <= await _logged(channel, load.acknowledged)

"""kill -9 of the whole orchestrator and of retrieval: what was acknowledged is there again."""

import asyncio
import itertools
import os
import socket
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
import pytest_asyncio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.services.orchestrator.fake_backends import DIMENSION, serve_backends
from wherefore.common.v1.product_pb2 import Price, Product
from wherefore.common.v1.user_event_pb2 import USER_EVENT_TYPE_VIEW, ProductDetail, UserEvent
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1 import product_service_pb2 as products_pb
from wherefore.orchestrator.v1.product_service_pb2_grpc import ProductServiceStub
from wherefore.orchestrator.v1.recommendation_service_pb2 import RecommendRequest
from wherefore.orchestrator.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.orchestrator.v1.user_event_service_pb2 import UserEventServiceWriteRequest
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

ROOT = Path(__file__).parents[3]
ROWS = 20


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Pair:
    """The orchestrator and retrieval as processes of their own, over one folder."""

    def __init__(self, folder: Path, helpers: str) -> None:
        self._folder = folder
        self._helpers = helpers
        self._processes: list[asyncio.subprocess.Process] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[grpc.aio.Channel]:
        """Both until the end of the block, where they are killed."""
        orchestrator, retrieval = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
        common = {key: value for key, value in os.environ.items() if "WHEREFORE" not in key}
        prefix = "WHEREFORE_RETRIEVAL_"
        await self._start(
            "retrieval",
            common
            | {
                f"{prefix}PORT": retrieval.split(":")[1],
                f"{prefix}DATA_DIR": str(self._folder / "retrieval"),
                f"{prefix}VECTOR_DIMENSION": str(DIMENSION),
            },
        )
        prefix = "WHEREFORE_ORCHESTRATOR_"
        targets = {"NLU": self._helpers, "RANKING": self._helpers, "REASON": self._helpers}
        await self._start(
            "orchestrator",
            common
            | {f"{prefix}{name}_TARGET": target for name, target in targets.items()}
            | {
                f"{prefix}PORT": orchestrator.split(":")[1],
                f"{prefix}RETRIEVAL_TARGET": retrieval,
                f"{prefix}DATA_DIR": str(self._folder / "orchestrator"),
                f"{prefix}HTTP_ENABLED": "false",
            },
        )
        try:
            async with grpc.aio.insecure_channel(orchestrator) as channel:
                await serving(channel)
                yield channel
        finally:
            for process in self._processes:
                process.kill()
                await process.wait()
            self._processes.clear()

    async def _start(self, name: str, environment: dict[str, str]) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", f"services.{name}",
            cwd=ROOT, env=environment, stdout=DEVNULL, stderr=DEVNULL,
        )  # fmt: skip
        self._processes.append(process)


async def serving(channel: grpc.aio.Channel) -> None:
    health = health_pb2_grpc.HealthStub(channel)
    request = health_pb2.HealthCheckRequest(service="wherefore.orchestrator.v1.SearchService")
    async with asyncio.timeout(60):
        async for response in health.Watch(request, wait_for_ready=True):
            if response.status == health_pb2.HealthCheckResponse.SERVING:
                return


@pytest_asyncio.fixture(loop_scope="module")
async def pair(tmp_path):
    async with serve_backends() as backends:
        yield Pair(tmp_path, backends.target), backends.fake


def rows(batch: int, price: float = 1.0) -> list[Product]:
    price_of = Price(currency_code="EUR", amount=price)
    ids = [f"{batch:03}-{row:02}" for row in range(ROWS)]
    return [Product(id=i, titles={"en": f"Kettle {i}"}, price=price_of) for i in ids]


async def endless() -> AsyncIterator[products_pb.ProductServiceImportRequest]:
    for batch in itertools.count():
        yield products_pb.ProductServiceImportRequest(products=rows(batch))


async def test_what_was_acknowledged_outlives_the_processes(pair):
    processes, fake = pair
    event = UserEvent(id="one", type=USER_EVENT_TYPE_VIEW, user_id="ann")
    event.products.append(ProductDetail(product_id="000-00"))
    acknowledged = 0
    async with processes.running() as channel:
        # The stream is still under way, rows in flight, when the processes die.
        stream = ProductServiceStub(channel).Import(endless())
        async for progress in stream:
            acknowledged = progress.acknowledged_row
            if acknowledged >= 5 * ROWS:
                break
        write = UserEventServiceWriteRequest(event=event)
        assert not (await UserEventServiceStub(channel).Write(write)).duplicate

    fake.embedded.clear()
    async with processes.running() as channel:
        assert (await UserEventServiceStub(channel).Write(write)).duplicate
        found = await recommended(channel)
        assert found.serving_config == "for-you"
        assert found.results
        products = ProductServiceStub(channel)
        listed = await products.List(products_pb.ProductServiceListRequest(page_size=1_000))
        kept = {product.id for product in listed.products}
        settled = [product.id for batch in range(acknowledged // ROWS) for product in rows(batch)]
        assert set(settled) <= kept
        search = SearchRequest(query="kettle", filter='id: "000-07"')
        results = (await SearchServiceStub(channel).Search(search)).results
        assert [result.product.id for result in results] == ["000-07"]

        # Their vectors are there too: neither the same rows nor a new price asks the model.
        same = products_pb.ProductServiceImportRequest(products=rows(0) + rows(1))
        cheaper = products_pb.ProductServiceImportRequest(products=rows(2, price=0.5))
        last = [r async for r in products.Import(iter([same, cheaper]))][-1]
        assert (last.unchanged_count, last.imported_count, last.failed_count) == (40, 20, 0)
        assert fake.embedded == []


async def recommended(channel: grpc.aio.Channel):
    request = RecommendRequest(user=UserContext(user_id="ann"))
    return await RecommendationServiceStub(channel).Recommend(request)

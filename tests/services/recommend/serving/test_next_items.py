"""What comes next, from a model trained on events, in a real Triton, over a real port."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
import pytest_asyncio

from services.recommend.config import Settings
from services.recommend.sequences import sequences_of_events
from services.recommend.sequential import SequentialSettings
from services.recommend.server import RecommendServer
from services.recommend.serving.next_items import NextItems
from services.recommend.train import train
from shared.errors import UnavailableError
from shared.inference import InferenceSettings
from shared.server import start_server
from tests.triton_server import RunningTriton, running_triton
from wherefore.common.v1 import diagnostics_pb2, user_event_pb2
from wherefore.recommend.v1 import recommend_service_pb2 as pb
from wherefore.recommend.v1.recommend_service_pb2_grpc import RecommendServiceStub

RING = 24
MODEL = "next_item"


def walks() -> list[user_event_pb2.UserEvent]:
    """Users that walk along a ring of products, their events in no order."""
    events = [
        user_event_pb2.UserEvent(
            type=user_event_pb2.USER_EVENT_TYPE_VIEW,
            user_id=f"u{start}-{copy}",
            event_time={"seconds": 1_000 + step},
            products=[{"product_id": f"p{(start + step) % RING}"}],
        )
        for step in reversed(range(7))
        for start in range(RING)
        for copy in range(3)
    ]
    events.append(user_event_pb2.UserEvent(type=user_event_pb2.USER_EVENT_TYPE_SEARCH))
    return events


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model repository with a model trained on the walks."""
    folder = tmp_path_factory.mktemp("models")
    data = sequences_of_events(Path("events"), walks())
    assert (len(data.users), len(data.items)) == (3 * RING, RING)
    settings = SequentialSettings(minutes=0.5, threads=1)
    assert train(data, None, folder, settings).test_hits > 0.9
    return folder


class Served:
    """The service, and the Triton behind it."""

    def __init__(self, stub: RecommendServiceStub, triton: RunningTriton) -> None:
        self.stub = stub
        self.triton = triton

    async def after(self, *latest_first: str) -> pb.CandidatesResponse:
        request = pb.CandidatesRequest(
            strategy=pb.STRATEGY_NEXT_ITEMS, product_ids=latest_first, limit=5
        )
        return await self.stub.Candidates(request, timeout=10)


def settings_of(repository: Path, target: str, model: str = MODEL) -> Settings:
    return Settings(
        port=0,
        metrics_port=0,
        lame_duck_seconds=0,
        orchestrator_target="127.0.0.1:1",
        retrieval_target="127.0.0.1:1",
        next_item_model=model,
        next_item_timeout_seconds=5,
        inference=InferenceSettings(triton_target=target, model_dir=repository),
    )


@pytest_asyncio.fixture
async def served(repository: Path, tmp_path: Path) -> AsyncIterator[Served]:
    with running_triton(repository, (MODEL,), tmp_path) as triton:
        settings = settings_of(repository, triton.target)
        server = await start_server(RecommendServer(settings), settings)
        await server.wait_ready(10)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            yield Served(RecommendServiceStub(channel), triton)
        await server.stop()


async def test_the_latest_product_decides_and_a_lost_triton_is_told(served: Served) -> None:
    for latest, following in (("p5", "p6"), ("p6", "p7"), ("p23", "p0")):
        number = int(latest[1:])
        history = [f"p{(number - back) % RING}" for back in range(4)]
        answer = await served.after(*history)
        assert not answer.degraded
        assert answer.products[0].product_id == following
        assert not {p.product_id for p in answer.products} & set(history)
        (leg,) = answer.products[0].legs
        assert (leg.leg, leg.rank) == ("next_item", 1)
        assert not answer.products[0].relations  # a guess, which no reason should tell
        assert any(timing.stage == "recommend.next_item" for timing in answer.timings)
    unknown = await served.after("nobody-knows-it")
    assert not unknown.products
    assert not unknown.degraded

    served.triton.kill()
    started = time.monotonic()
    answer = await served.after("p5", "p4")
    assert not answer.products
    (degraded,) = answer.degraded
    assert degraded.stage == "recommend.next_item"
    assert degraded.cause == diagnostics_pb2.DEGRADATION_CAUSE_UNAVAILABLE
    assert time.monotonic() - started < 5


async def test_without_a_model_the_answer_says_so() -> None:
    settings = settings_of(Path("nowhere"), "127.0.0.1:1", model="")
    server = await start_server(RecommendServer(settings), settings)
    await server.wait_ready(10)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        request = pb.CandidatesRequest(strategy=pb.STRATEGY_NEXT_ITEMS, product_ids=["p1"])
        answer = await RecommendServiceStub(channel).Candidates(request, timeout=10)
    await server.stop()
    assert [(d.stage, d.detail) for d in answer.degraded] == [
        ("recommend.next_item", "no model is set: WHEREFORE_RECOMMEND_NEXT_ITEM_MODEL")
    ]


def test_a_model_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="wherefore train recommend"):
        NextItems.open(InferenceSettings(model=MODEL, model_dir=tmp_path))

"""What shoppers do changes the ranking: events joined with their pages, learnt from by the log."""

import asyncio
import socket
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest

from services.ranking.config import Settings
from services.ranking.features import FEATURE_SET, FEATURES
from services.ranking.online.checkpoint import read_checkpoint
from services.ranking.server import RankingServer
from shared.server import start_server
from tests.services.orchestrator.conftest import serve as serve_shop
from wherefore.common.v1 import user_event_pb2 as events_pb
from wherefore.common.v1.shown_page_pb2 import ExperimentArm, ShownPage
from wherefore.orchestrator.v1.experiment_service_pb2 import ExperimentServiceReportRequest
from wherefore.orchestrator.v1.experiment_service_pb2_grpc import ExperimentServiceStub
from wherefore.orchestrator.v1.recommendation_service_pb2 import RecommendRequest
from wherefore.orchestrator.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.orchestrator.v1.user_event_service_pb2 import (
    UserEventServiceImportRequest,
    UserEventServiceWriteRequest,
)
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub

pytestmark = pytest.mark.asyncio(loop_scope="module")
PATIENT = {name: {"seconds": 20, "reserve": 0} for name in ("nlu", "retrieval", "ranking")}
LIKED = {f"p{n:02}" for n in range(0, 30, 3)}


def serve(folder: Path, ranker_port: int, **fields: object):
    """A shop before a real ranking service, which a busy machine does not hurry."""
    return serve_shop(folder, ranking_target=f"127.0.0.1:{ranker_port}", budgets=PATIENT, **fields)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@asynccontextmanager
async def ranking(folder: Path, port: int, **online: object):
    settings = Settings(
        port=0,
        metrics_port=0,
        lame_duck_seconds=0,
        data_dir=folder,
        orchestrator_target=f"127.0.0.1:{port}",
        online={"mode": "serve", "least_updates": 20, **online},
    )
    server = await start_server(RankingServer(settings), settings)
    await server.wait_ready(10)
    yield server
    await server.stop()


async def learnt(folder: Path, sequence: int) -> bytes:
    """Waits for a checkpoint of all events, and returns its bytes."""
    path = folder / "online.json"
    for _ in range(200):
        if path.exists() and read_checkpoint(path).sequence >= sequence:
            return path.read_bytes()
        await asyncio.sleep(0.05)
    pytest.fail(f"not learnt up to {sequence}")


async def search(channel, user: str = "", **fields):
    request = SearchRequest(query="steel cup", page_size=10, skip_reasons=True, **fields)
    request.user.user_id = user
    return await SearchServiceStub(channel).Search(request, timeout=10)


async def write(channel, event: events_pb.UserEvent) -> events_pb.UserEvent:
    request = UserEventServiceWriteRequest(event=event)
    return (await UserEventServiceStub(channel).Write(request, timeout=10)).event


def event_of(page, product_id: str, user: str, kind=events_pb.USER_EVENT_TYPE_CLICK):
    event = events_pb.UserEvent(
        type=kind, user_id=user, attribution_token=page.attribution_token, query="steel cup"
    )
    event.products.add(product_id=product_id)
    return event


async def test_the_ranking_follows_what_shoppers_choose_and_a_replay_gives_the_same(tmp_path):
    port = free_port()
    fast = {"checkpoint_seconds": 0.05}
    async with (
        ranking(tmp_path / "a", port, **fast) as first,
        serve(tmp_path / "o", first.port, port=port, shown_pages=500) as shop,
    ):
        for product_id, product in shop.fake.products.items():
            product.review_summary.rating_count = 900
            product.review_summary.average_rating = 5.0 if product_id in LIKED else 1.5
        before = await search(shop.channel)
        assert before.ranking_model.startswith("linear-search@")
        assert "online" not in before.ranking_model
        for number in range(60):
            page = await search(shop.channel)
            liked = [r.product.id for r in page.results if r.product.id in LIKED]
            await write(shop.channel, event_of(page, liked[number % len(liked)], f"user-{number}"))
        bytes_of_first = await learnt(tmp_path / "a", 60)
        after = await search(shop.channel)
        assert after.ranking_model == f"{before.ranking_model}+online@60"
        share = [sum(r.product.id in LIKED for r in p.results) for p in (before, after)]
        assert share[1] > share[0]

        async with ranking(tmp_path / "b", port, **fast):
            assert await learnt(tmp_path / "b", 60) == bytes_of_first


@pytest.mark.parametrize(
    ("kind", "places"),
    [
        (events_pb.USER_EVENT_TYPE_CLICK, 10),
        (events_pb.USER_EVENT_TYPE_PURCHASE, 10),
        (events_pb.USER_EVENT_TYPE_IMPRESSION, 0),
    ],
)
async def test_an_event_is_written_with_the_page_that_it_names(tmp_path, kind, places):
    port = free_port()
    async with (
        ranking(tmp_path / "a", port, mode="learn") as ranker,
        serve(tmp_path / "o", ranker.port, port=port, shown_pages=500) as shop,
    ):
        page = await search(shop.channel)
        event = event_of(page, page.results[2].product.id, "ada", kind)
        # Who could say what was shown would tell the ranker what to learn.
        event.shown.CopyFrom(ShownPage(model="forged"))
        event.experiments.append(ExperimentArm(experiment="forged", arm="forged"))
        stored = await write(shop.channel, event)
        assert stored.shown.feature_set == FEATURE_SET
        assert stored.shown.serving_config == "search"
        assert stored.shown.model == page.ranking_model
        assert not stored.experiments
        assert len(stored.shown.places) == places
        if places:
            assert [p.product_id for p in stored.shown.places] == [
                r.product.id for r in page.results
            ]
            assert [p.place for p in stored.shown.places] == list(range(1, 11))
            assert {len(p.features) for p in stored.shown.places} == {len(FEATURES)}


async def test_recommendations_are_joined_too_and_say_their_model(tmp_path):
    port = free_port()
    async with (
        ranking(tmp_path / "a", port) as ranker,
        serve(tmp_path / "o", ranker.port, port=port, shown_pages=500) as shop,
    ):
        request = RecommendRequest(
            product_ids=["p01"], serving_config="similar", skip_reasons=True, page_size=5
        )
        page = await RecommendationServiceStub(shop.channel).Recommend(request, timeout=10)
        assert page.ranking_model.startswith("linear-recommend@")
        stored = await write(shop.channel, event_of(page, page.results[0].product.id, "ada"))
        assert stored.shown.serving_config == "recommend"


async def test_without_kept_pages_events_are_as_they_came(shop):
    page = await search(shop.channel)
    event = event_of(page, page.results[0].product.id, "ada")
    event.shown.model = "forged"
    assert not (await write(shop.channel, event)).HasField("shown")

    async def imported():
        yield UserEventServiceImportRequest(events=[event])

    response = await UserEventServiceStub(shop.channel).Import(imported(), timeout=10)
    assert response.imported_count == 1
    kept = await shop.service._store.recent("u:ada", 10)
    assert len(kept) == 2
    assert not any(each.HasField("shown") for each in kept)


EXPERIMENT = """
layers:
  - name: ranking
    salt: s
    experiments:
      - id: head
        arms:
          - {name: control, share: 0.5, ranking_model: weights}
          - {name: tried, share: 0.5, ranking_model: MODEL}
        guard: {metrics: [click]}
"""


async def test_arms_rank_by_their_model_until_their_guard_falls(tmp_path):
    port = free_port()
    file = tmp_path / "experiments.yaml"
    file.write_text(EXPERIMENT.replace("MODEL", "candidate"))
    async with (
        ranking(tmp_path / "a", port, mode="learn") as ranker,
        serve(
            tmp_path / "o",
            ranker.port,
            port=port,
            experiments_file=file,
            experiments_poll_seconds=0.001,
        ) as shop,
    ):
        pages = {f"user-{n}": await search(shop.channel, f"user-{n}") for n in range(120)}
        arms = {user: page.experiments[0].arm for user, page in pages.items()}
        assert set(arms.values()) == {"control", "tried"}
        assert all(page.experiments[0].experiment == "head" for page in pages.values())
        # The candidate is not there: the weights answer, and the answer says so.
        for user, page in pages.items():
            stages = [each.stage for each in page.degraded]
            assert stages == (["experiment"] if arms[user] == "tried" else [])

        for user, page in pages.items():
            if arms[user] == "control":
                stored = await write(shop.channel, event_of(page, page.results[0].product.id, user))
                assert [(e.experiment, e.arm) for e in stored.experiments] == [("head", "control")]
        reports = ExperimentServiceStub(shop.channel)
        told = await reports.Report(ExperimentServiceReportRequest(experiment="head"), timeout=5)
        control, tried = told.reports[0].arms
        assert control.metrics[0].converted_users == list(arms.values()).count("control")
        assert tried.metrics[0].converted_users == 0
        assert tried.metrics[0].lift_high < 1.0
        assert tried.roll_back.metric == "click"
        assert len(tried.metrics[0].points) > 10

        user = next(user for user, arm in arms.items() if arm == "tried")
        page = await search(shop.channel, user)
        assert not page.experiments
        assert not page.degraded
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await reports.Report(ExperimentServiceReportRequest(experiment="none"), timeout=5)
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_an_arm_serves_what_was_learnt_while_all_others_get_the_weights(tmp_path):
    port = free_port()
    file = tmp_path / "experiments.yaml"
    file.write_text(EXPERIMENT.replace("MODEL", "online"))
    online = {"mode": "learn", "checkpoint_seconds": 0.05, "least_updates": 1}
    async with (
        ranking(tmp_path / "a", port, **online) as ranker,
        serve(
            tmp_path / "o",
            ranker.port,
            port=port,
            experiments_file=file,
            shown_pages=100,
        ) as shop,
    ):
        first = await search(shop.channel, "user-0")
        await write(shop.channel, event_of(first, first.results[0].product.id, "user-0"))
        await learnt(tmp_path / "a", 1)
        models = set()
        for n in range(20):
            page = await search(shop.channel, f"user-{n}")
            models.add((page.experiments[0].arm, "+online@1" in page.ranking_model))
        nobody = await search(shop.channel)
        assert models <= {("control", False), ("tried", True), ("tried", False)}
        assert ("control", False) in models
        assert "online" not in nobody.ranking_model

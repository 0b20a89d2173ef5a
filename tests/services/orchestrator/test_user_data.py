"""Erasure, export and consent of a user over real ports: no place keeps what is to be forgotten."""

import asyncio
import contextlib
import sqlite3
import time
from pathlib import Path

import grpc
import pytest

from tests.services.orchestrator.conftest import serve
from wherefore.common.v1 import user_event_pb2 as events_pb
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1 import user_data_service_pb2 as pb
from wherefore.orchestrator.v1.completion_service_pb2 import CompleteRequest
from wherefore.orchestrator.v1.completion_service_pb2_grpc import CompletionServiceStub
from wherefore.orchestrator.v1.event_log_service_pb2 import FollowRequest
from wherefore.orchestrator.v1.event_log_service_pb2_grpc import EventLogServiceStub
from wherefore.orchestrator.v1.recommendation_service_pb2 import RecommendRequest
from wherefore.orchestrator.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.orchestrator.v1.user_data_service_pb2_grpc import UserDataServiceStub
from wherefore.orchestrator.v1.user_event_service_pb2 import (
    UserEventServiceImportRequest,
    UserEventServiceWriteRequest,
)
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub

pytestmark = pytest.mark.asyncio(loop_scope="module")

ANN = UserContext(user_id="ann")
PERSONALISATION = events_pb.DATA_PURPOSE_PERSONALISATION
ANALYTICS = events_pb.DATA_PURPOSE_ANALYTICS
TRAINING = events_pb.DATA_PURPOSE_TRAINING


async def write(shop, user: str, product: str = "p03", **fields) -> events_pb.UserEvent:
    event = events_pb.UserEvent(type=events_pb.USER_EVENT_TYPE_CLICK, user_id=user, **fields)
    event.products.add(product_id=product)
    response = await UserEventServiceStub(shop.channel).Write(
        UserEventServiceWriteRequest(event=event)
    )
    return response.event


async def purge(shop, **user: str) -> pb.PurgeUserResponse:
    request = pb.PurgeUserRequest(user=UserContext(**user))
    return await UserDataServiceStub(shop.channel).PurgeUser(request)


async def refuse(shop, user: UserContext, *purposes: events_pb.DataPurpose.ValueType):
    request = pb.SetConsentRequest(user=user, refused_purposes=purposes)
    return await UserDataServiceStub(shop.channel).SetConsent(request)


async def exported(shop, user: UserContext = ANN) -> list[pb.ExportUserResponse]:
    stub = UserDataServiceStub(shop.channel)
    return [part async for part in stub.ExportUser(pb.ExportUserRequest(user=user))]


async def recommended(shop, user: str = "ann", config: str = "") -> str:
    request = RecommendRequest(user=UserContext(user_id=user), serving_config=config)
    return (await RecommendationServiceStub(shop.channel).Recommend(request)).serving_config


async def completions(shop) -> list[str]:
    stub = CompletionServiceStub(shop.channel)
    response = await stub.Complete(CompleteRequest(prefix="secret"))
    return [each.text for each in response.completions]


async def followed(shop, purpose: events_pb.DataPurpose.ValueType = ANALYTICS):
    stub = EventLogServiceStub(shop.channel)
    events, erased = [], []
    async for piece in stub.Follow(FollowRequest(purpose=purpose), timeout=20):
        events += piece.events
        erased += piece.erased
        if piece.sequence >= piece.last_sequence:
            return events, erased
    raise AssertionError


def counts(shop):
    service = shop.service
    chosen = service._choices.best("secret wish", 9)
    return service._popularity.top(9), chosen, service._searches.snapshot()


async def test_a_purge_reaches_every_place(running) -> None:
    await write(running, "bob", "p05")
    for user in ("ann", "u2", "u3", "u4", "u5"):
        product = "p03" if user == "ann" else "p05"
        await write(running, user, product, query="secret wish")
    for user in ("u2", "u3", "ann"):
        await write(running, user, "p07", query="secret wish", session_id=f"visit-{user}")
    await write(running, "", "p03", session_id="visit-ann")
    await running.service._completer.refresh()
    assert await completions(running) == ["secret wish"]
    assert counts(running)[1]
    assert await recommended(running) == "for-you"
    search = SearchRequest(query="cup", user=ANN, page_size=2)
    token = (await SearchServiceStub(running.channel).Search(search)).next_page_token
    assert token
    assert running.service._clients is not None

    gone = await purge(running, user_id="ann")
    assert (gone.erased_count, gone.session_count) == (3, 1)

    assert await recommended(running) == "popular"
    assert await completions(running) == []
    popular, chosen, searched = counts(running)
    assert "p03" not in popular
    assert [product_id for product_id, _ in chosen] == ["p05"]  # of p07 two are left
    assert searched == []
    events, erased = await followed(running)
    alias = running.service._store.alias(UserContext(user_id="ann", session_id="visit-ann"))
    assert {(e.user_id, e.session_id) for e in erased} == {
        (alias.user_id, ""),
        ("", alias.session_id),
    }
    assert alias.user_id not in {e.user_id for e in events}
    assert len(events) == 7
    assert [
        part for part in await exported(running) if part.events or part.HasField("profile")
    ] == []
    again = await purge(running, user_id="ann")
    assert (again.erased_count, again.session_count) == (0, 0)


async def test_events_of_before_a_purge_come_too_late(running) -> None:
    await write(running, "ann")
    await purge(running, user_id="ann")
    late = events_pb.UserEvent(id="x", type=events_pb.USER_EVENT_TYPE_VIEW, user_id="ann")
    late.event_time.FromSeconds(int(time.time()) - 60)
    late.products.add(product_id="p03")
    stub = UserEventServiceStub(running.channel)
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await stub.Write(UserEventServiceWriteRequest(event=late))
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "event.event_time" in (error.value.details() or "")
    bob = events_pb.UserEvent()
    bob.CopyFrom(late)
    bob.id, bob.user_id = "y", "bob"
    request = UserEventServiceImportRequest(events=[late, bob])
    response = await stub.Import(iter([request]))
    assert (response.imported_count, response.failed_count) == (1, 1)
    assert (response.errors[0].row, response.errors[0].field) == (1, "event_time")
    assert await recommended(running) == "popular"
    await write(running, "ann", "p04")  # a new start
    assert await recommended(running) == "for-you"


async def test_an_export_is_all_that_a_purge_would_erase(running) -> None:
    own = [await write(running, "ann", f"p0{n}", session_id="v") for n in range(1, 4)]
    visit = await write(running, "", "p09", session_id="v")
    await write(running, "bob", "p09")
    await refuse(running, ANN, TRAINING)
    first, *pieces, last = await exported(running)
    assert first.profile.user_id == "ann"
    assert {p.product_id for p in first.profile.recent_products} == {"p01", "p02", "p03"}
    assert list(first.refused_purposes) == [TRAINING]
    assert [e for piece in pieces for e in piece.events] == [*own, visit]
    assert not last.degraded
    assert (await purge(running, user_id="ann")).erased_count == 4


async def test_an_export_says_what_is_damaged(running, tmp_path: Path) -> None:
    for n in range(3):
        await write(running, "ann", id=f"e{n}")
    with contextlib.closing(sqlite3.connect(tmp_path / "events.sqlite")) as connection, connection:
        connection.execute("UPDATE sealed_events SET payload = x'00' WHERE sequence = 2")
    *_, pieces, last = await exported(running)
    assert [e.id for e in pieces.events] == ["e0", "e2"]
    assert "1 events are damaged" in last.degraded[0].detail


async def test_who_refuses_personalisation_gets_answers_for_everybody(running) -> None:
    await write(running, "ann")
    assert await recommended(running) == "for-you"
    assert list((await refuse(running, ANN, PERSONALISATION)).refused_purposes) == [PERSONALISATION]
    assert await recommended(running) == "popular"
    assert await recommended(running, config="buy-again") == "popular"
    running.fake.seen_users.clear()
    await SearchServiceStub(running.channel).Search(SearchRequest(query="ranked", user=ANN))
    assert running.fake.seen_users == [""]
    assert running.service._popularity.top(9) == ["p03"]  # counts were not refused
    assert list((await refuse(running, ANN)).refused_purposes) == []
    assert await recommended(running) == "for-you"


async def test_who_refuses_counts_is_not_counted(running) -> None:
    await write(running, "ann")
    await write(running, "bob", "p05", refused_purposes=[ANALYTICS])
    assert running.service._popularity.top(9) == ["p03"]
    await refuse(running, ANN, ANALYTICS)
    await write(running, "ann", "p04")
    assert running.service._popularity.top(9) == []
    assert await recommended(running) == "for-you"  # their own answers were not refused
    events, erased = await followed(running, ANALYTICS)
    assert (events, len(erased)) == ([], 1)
    events, erased = await followed(running, TRAINING)
    assert (len(events), erased) == (3, [])


async def test_files_followers_and_logs_have_no_raw_id(running, tmp_path: Path, capfd) -> None:
    await write(running, "carol.jones@example.com", session_id="visit-4711")
    events, _ = await followed(running)
    assert "carol" not in str(events)
    assert "visit-4711" not in str(events)
    await purge(running, user_id="carol.jones@example.com")
    logged = "".join(capfd.readouterr())
    assert "carol" not in logged
    for path in tmp_path.iterdir():  # noqa: ASYNC240
        assert b"carol" not in path.read_bytes(), path


async def test_bad_requests(shop) -> None:
    stub = UserDataServiceStub(shop.channel)
    for call, request in (
        (stub.PurgeUser, pb.PurgeUserRequest()),
        (stub.SetConsent, pb.SetConsentRequest(user=UserContext(user_id="x" * 200))),
        (stub.SetConsent, pb.SetConsentRequest(user=ANN, refused_purposes=[0])),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await call(request)
        assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await exported(shop, UserContext())
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_purge_outlives_a_restart(tmp_path: Path) -> None:
    async with serve(tmp_path) as shop:
        await write(shop, "ann")
        await write(shop, "bob", "p05")
        await refuse(shop, UserContext(user_id="bob"), PERSONALISATION)
        await asyncio.gather(*(purge(shop, user_id="ann") for _ in range(4)))
    async with serve(tmp_path) as shop:
        assert shop.service._popularity.top(9) == ["p05"]
        assert await recommended(shop) == "popular"
        assert await recommended(shop, "bob") == "popular"

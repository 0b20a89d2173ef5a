"""Two orchestrators at work at a time over one log in Redis, over real ports."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo

from services.orchestrator.privacy_settings import PrivacySettings
from services.orchestrator.sweeper import Sweeper
from shared.status_details import detail_of, status_of
from tests.redis_server import RedisServer
from tests.services.orchestrator.conftest import serve
from tests.services.orchestrator.test_sweeper import aged
from tests.services.orchestrator.test_user_data import (
    ANALYTICS,
    ANN,
    exported,
    followed,
    purge,
    recommended,
    refuse,
    write,
)
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1.event_log_service_pb2 import FollowRequest, FollowResponse
from wherefore.orchestrator.v1.event_log_service_pb2_grpc import EventLogServiceStub
from wherefore.orchestrator.v1.recommendation_service_pb2 import RecommendRequest
from wherefore.orchestrator.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub

BASE = time.time()

pytest.importorskip("redis", reason="the extra redis is not installed")


@contextlib.asynccontextmanager
async def shop(
    redis: RedisServer, folder: Path, name: str, **events: object
) -> AsyncIterator[SimpleNamespace]:
    async with serve(
        folder / name,
        events={"redis_url": redis.url, "read_seconds": 2, **events},
        privacy={"key_file": folder / "shared.key"},
    ) as running:
        yield running


@contextlib.asynccontextmanager
async def two(
    redis: RedisServer, folder: Path, **events: object
) -> AsyncIterator[tuple[SimpleNamespace, SimpleNamespace]]:
    async with (
        shop(redis, folder, "one", **events) as one,
        shop(redis, folder, "other", **events) as other,
    ):
        yield one, other


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)


def state(shop: SimpleNamespace):
    """All that is counted, in a form that is the same in every process."""
    service = shop.service
    landmark = service._popularity._landmark
    half_life = service._popularity._half_life
    weight = 2 ** ((landmark - BASE) / half_life)
    searched = service._searches._users
    return (
        {p: pytest.approx(each * weight) for p, each in service._popularity._sums.items()},
        {query: sorted(users.values()) for query, users in searched.items()},
        {
            query: {p: len(users) for p, users in products.items()}
            for query, products in service._choices._chosen.items()
        },
    )


async def test_an_event_at_one_changes_the_next_page_of_the_other(
    redis: RedisServer, tmp_path: Path
) -> None:
    async with two(redis, tmp_path) as (one, other):
        assert await recommended(other) == "popular"
        stub = EventLogServiceStub(other.channel)
        stream = stub.Follow(FollowRequest(purpose=ANALYTICS), timeout=20)
        first = await stream.read()
        assert isinstance(first, FollowResponse)

        event = await write(one, "ann", "p03", query="secret wish")
        assert await recommended(other) == "for-you"
        piece = await stream.read()
        assert isinstance(piece, FollowResponse)
        assert [each.id for each in piece.events] == [event.id]
        assert piece.sequence > first.sequence
        await until(lambda: other.service._popularity.top(9) == ["p03"])
        stream.cancel()

        for number in range(20):
            await write((one, other)[number % 2], f"u{number % 7}", f"p{number % 4}", query="mug")
        await until(lambda: state(one) == state(other))
        assert len(other.service._popularity.top(9)) == 5
    async with shop(redis, tmp_path, "third") as third:  # whoever starts comes to the same
        assert state(third) == state(one)
        assert len((await followed(third))[0]) == 21


async def test_what_was_written_is_counted_when_it_is_acknowledged(
    redis: RedisServer, tmp_path: Path
) -> None:
    async with shop(redis, tmp_path, "one") as one:
        for number in range(30):
            await write(one, "ann", f"p{number}")
            assert f"p{number}" in one.service._popularity._sums


async def test_a_purge_at_one_reaches_the_other(redis: RedisServer, tmp_path: Path) -> None:
    async with two(redis, tmp_path) as (one, other):
        await write(one, "ann", "p03", query="wish", session_id="visit")
        await write(other, "", "p03", session_id="visit")
        await write(other, "bob", "p05")
        await until(lambda: set(other.service._popularity.top(9)) == {"p03", "p05"})
        gone = await purge(one, user_id="ann")
        assert (gone.erased_count, gone.session_count) == (2, 1)
        assert await recommended(other) == "popular"
        assert [part.events for part in await exported(other) if part.events] == []
        await until(lambda: other.service._popularity.top(9) == ["p05"])
        await until(lambda: not other.service._searches._users)
        assert one.service._popularity.top(9) == ["p05"]
        events, erased = await followed(other)
        assert len(events) == 1
        assert len(erased) == 2
        store = other.service._store
        assert store._session.roster.find("u:ann") is None  # its key is not in memory either


async def test_a_refusal_at_one_reaches_the_other(redis: RedisServer, tmp_path: Path) -> None:
    async with two(redis, tmp_path) as (one, other):
        await write(other, "ann", "p03")
        await write(other, "bob", "p05")
        await refuse(one, ANN, ANALYTICS)
        await until(lambda: other.service._popularity.top(9) == ["p05"])
        await until(lambda: one.service._popularity.top(9) == ["p05"])
        await write(other, "ann", "p07")
        assert other.service._popularity.top(9) == ["p05"]


async def test_a_sweep_by_one_is_one_for_both(redis: RedisServer, tmp_path: Path) -> None:
    async with two(redis, tmp_path) as (one, other):
        for days, product in ((40, "p03"), (31, "p04"), (2, "p05")):
            await write(one, "ann", product, event_time=aged(days))
        await until(lambda: len(other.service._popularity.top(9)) == 3)
        sweepers = [
            Sweeper(each.service._store, each.service._events, PrivacySettings(retention_days=30))
            for each in (one, other)
        ]
        assert sum(await asyncio.gather(*(each.sweep() for each in sweepers))) == 2
        for each in (one, other):
            await until(lambda e=each: e.service._popularity.top(9) == ["p05"])
        await until(lambda: one.service._store.log_id == other.service._store.log_id)


async def test_without_redis_nothing_is_acknowledged_and_pages_say_so(
    redis: RedisServer, tmp_path: Path
) -> None:
    async with shop(redis, tmp_path, "one", read_seconds=0.5, write_seconds=0.5) as one:
        await write(one, "ann", "p03")
        assert await recommended(one) == "for-you"
        redis.stop()
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await write(one, "ann", "p04", id="again")
        assert error.value.code() is grpc.StatusCode.UNAVAILABLE
        status = status_of(error.value)
        assert status is not None
        assert detail_of(status, RetryInfo) is not None
        await until(lambda: bool(one.service._store.problem))

        search = SearchRequest(query="cup", user=ANN)
        page = await SearchServiceStub(one.channel).Search(search, timeout=5)
        assert page.results
        assert {each.stage for each in page.degraded} >= {"profile"}
        found = await RecommendationServiceStub(one.channel).Recommend(
            RecommendRequest(user=UserContext(user_id="ann")), timeout=5
        )
        assert found.serving_config == "popular"
        assert found.results
        assert {each.stage for each in found.degraded} >= {"profile", "events"}

        redis.start()
        await until(lambda: not one.service._store.problem)
        await asyncio.sleep(0.6)  # the breaker's pause
        await write(one, "ann", "p04", id="again")
        assert await recommended(one) == "for-you"
        events, _ = await followed(one)
        assert [each.products[0].product_id for each in events] == ["p03", "p04"]
        page = await SearchServiceStub(one.channel).Search(search, timeout=5)
        assert "profile" not in {each.stage for each in page.degraded}


async def test_a_kept_page_is_not_needed_to_answer(redis: RedisServer, tmp_path: Path) -> None:
    async with serve(
        tmp_path / "one",
        events={"redis_url": redis.url, "read_seconds": 0.5},
        cache={"page_seconds": 60},
    ) as one:
        await write(one, "ann", "p03")
        search = SearchRequest(query="cup", user=ANN)
        assert (await SearchServiceStub(one.channel).Search(search)).results
        redis.stop()
        page = await SearchServiceStub(one.channel).Search(search, timeout=5)
        assert page.results
        assert "profile" in {each.stage for each in page.degraded}


async def test_a_start_waits_for_redis(redis: RedisServer, tmp_path: Path) -> None:
    async with shop(redis, tmp_path, "one") as one:
        await write(one, "ann", "p03")
    redis.stop()

    async def come_back() -> None:
        await asyncio.sleep(1)
        redis.start()

    coming = asyncio.create_task(come_back())
    async with shop(redis, tmp_path, "one") as one:
        assert coming.done()
        assert one.service._popularity.top(9) == ["p03"]

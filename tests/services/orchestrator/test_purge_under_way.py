"""Purges while users go on, an import runs and a follower reads: a replay gives the same state."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Sequence

import grpc
import pytest

from services.orchestrator.popularity import Popularity
from shared.event_feed import EventFeed
from tests.services.orchestrator.conftest import serve
from wherefore.common.v1.user_event_pb2 import USER_EVENT_TYPE_CLICK, ProductDetail, UserEvent
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1.user_data_service_pb2 import PurgeUserRequest
from wherefore.orchestrator.v1.user_data_service_pb2_grpc import UserDataServiceStub
from wherefore.orchestrator.v1.user_event_service_pb2 import (
    UserEventServiceImportRequest,
    UserEventServiceWriteRequest,
)
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub

USERS = [f"user-{n}" for n in range(6)]
LIVE, IMPORTED, PURGES = 240, 600, 8


class Heard:
    """Knows which events of whom it has heard of."""

    def __init__(self) -> None:
        self.events: dict[str, set[str]] = {}
        self.twice: list[str] = []

    def learn(self, event: UserEvent) -> None:
        known = self.events.setdefault(event.user_id, set())
        if event.id in known:
            self.twice.append(event.id)
        known.add(event.id)

    def forget(self, user: UserContext) -> None:
        self.events.pop(user.user_id, None)

    def all(self) -> dict[str, set[str]]:
        return {user: events for user, events in self.events.items() if events}


def clicks(chance: random.Random, name: str, count: int) -> list[UserEvent]:
    """Returns events of the last hour in any order."""
    made: list[UserEvent] = []
    for number in range(count):
        event = UserEvent(
            id=f"{name}-{number}",
            type=USER_EVENT_TYPE_CLICK,
            user_id=chance.choice(USERS),
            products=[ProductDetail(product_id=f"p{chance.randrange(5):02}")],
        )
        # Some are late: from before a purge that comes before them.
        event.event_time.FromMilliseconds(
            round(1e3 * (time.time() + chance.choice([-3600, -1, 5, 60])))
        )
        made.append(event)
    return made


async def followed(channel: grpc.aio.Channel, place: int) -> Heard:
    feed = EventFeed(channel, Heard)
    task = asyncio.create_task(feed.run())
    assert await feed.wait_for(place, 20)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return feed.learner


async def taken(call: Awaitable[object]) -> bool:
    """Whether an event was taken; one of before its user's erasure is refused."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.INVALID_ARGUMENT:
            raise
        return False
    return True


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_replay_gives_what_was_followed(tmp_path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a test's
    async with serve(tmp_path) as shop:
        events = UserEventServiceStub(shop.channel)
        data = UserDataServiceStub(shop.channel)
        following = EventFeed(shop.channel, Heard)
        task = asyncio.create_task(following.run())
        written: set[str] = set()

        async def live(mine: Sequence[UserEvent]) -> None:
            for event in mine:
                if await taken(events.Write(UserEventServiceWriteRequest(event=event), timeout=20)):
                    written.add(event.id)

        async def purges() -> None:
            for _ in range(PURGES):
                await asyncio.sleep(0.05)
                user = UserContext(user_id=chance.choice(USERS))
                await data.PurgeUser(PurgeUserRequest(user=user), timeout=20)

        made = clicks(chance, "import", IMPORTED)
        messages = [
            UserEventServiceImportRequest(events=made[n : n + 200]) for n in range(0, IMPORTED, 200)
        ]
        single = clicks(chance, "live", LIVE)
        await asyncio.gather(
            purges(),
            events.Import(iter(messages), timeout=60),
            *(live(single[n::8]) for n in range(8)),
        )
        place = shop.service._store.place.last_sequence
        assert await following.wait_for(place, 20)
        replayed = await followed(shop.channel, place)
        assert following.learner.all() == replayed.all()
        assert not following.learner.twice
        heard = set().union(*replayed.all().values())
        assert {each for each in heard if each.startswith("live")} <= written

        counted: Popularity = shop.service._popularity
        again = Popularity(7)
        async for stored in shop.service._store.since(0.0):
            again.count(stored.event)
        assert Counter(counted._events) == Counter(again._events)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

"""The same events come to the same, whatever keeps them, as they arrive and after a start."""

import asyncio
import random
from pathlib import Path

import pytest

from services.orchestrator.event_files.store import SqliteEventStore
from services.orchestrator.event_store import EventStore
from services.orchestrator.event_stream.store import RedisEventStore
from tests.redis_server import RedisServer
from tests.services.orchestrator.test_event_arrival import (
    KINDS,
    PRODUCTS,
    Arrived,
    alike,
    events,
)
from wherefore.common.v1 import user_event_pb2 as pb
from wherefore.common.v1.user_profile_pb2 import UserContext

pytest.importorskip("redis", reason="the extra redis is not installed")


def made(seed: int) -> list[pb.UserEvent]:
    chance = random.Random(seed)  # noqa: S311
    return events(
        [
            (
                chance.choice(KINDS),
                chance.choice(["ann", "bob", "carol", "dave"]),
                chance.randrange(40),
                chance.sample(sorted(PRODUCTS), 2),
                chance.choice(["", "kettle", "steel kettle"]),
                chance.randint(1, 5),
            )
            for _ in range(120)
        ]
    )


def same(one: Arrived, other: Arrived) -> None:
    assert dict(other.popularity._sums) == pytest.approx(dict(one.popularity._sums))
    assert other.popularity._events == one.popularity._events
    assert sorted(one.searches.snapshot()) == sorted(other.searches.snapshot())
    assert {
        q: {p: len(u) for p, u in found.items()} for q, found in one.choices._chosen.items()
    } == {q: {p: len(u) for p, u in found.items()} for q, found in other.choices._chosen.items()}


async def until_counted(arrived: Arrived, store: EventStore) -> None:
    async with asyncio.timeout(20):
        await arrived.log._counted.wait_past(store.place.last_sequence - 1)


async def test_both_logs_come_to_the_same(redis: RedisServer, tmp_path: Path) -> None:
    in_order = made(1)
    files = SqliteEventStore(tmp_path / "events.sqlite")
    streams = [
        RedisEventStore(redis.url, "test", tmp_path / "shared.key", read_seconds=5, write_seconds=5)
        for _ in range(3)
    ]
    for store in (files, *streams[:2]):
        await store.open()
    of_files, *of_redis = (Arrived(tmp_path, store) for store in (files, *streams[:2]))
    for each in (of_files, *of_redis):
        await each.log.load()
    following = [asyncio.create_task(each.log.follow()) for each in of_redis]

    await of_files.log.write(in_order)
    shuffled = [*in_order, *in_order[:30]]  # some are sent again
    random.Random(2).shuffle(shuffled)  # noqa: S311
    for number, event in enumerate(shuffled):
        await of_redis[number % 2].log.write([event])
    for each, store in zip(of_redis, streams, strict=False):
        await until_counted(each, store)
        same(of_files, each)
        for user in ("ann", "bob", "carol", "dave"):
            alike(await of_files.profile(user), await each.profile(user))

    # Who starts later comes to the same.
    await streams[2].open()
    late = Arrived(tmp_path, streams[2])
    await late.log.load()
    same(of_files, late)

    # And without a user, as if they had never come.
    _, gone = await files.erase(UserContext(user_id="ann"))
    of_files.log.uncount(gone)
    fresh = Arrived(tmp_path, files)
    await fresh.log.load()
    _, gone = await streams[0].erase(UserContext(user_id="ann"))
    for each, store in zip(of_redis, streams, strict=False):
        await store.place.wait_past(len(in_order))
        await until_counted(each, store)
        same(fresh, each)
        alike(await fresh.profile("bob"), await each.profile("bob"))
    for task in following:
        task.cancel()
    await asyncio.gather(*following, return_exceptions=True)
    for store in (files, *streams):
        await store.close()

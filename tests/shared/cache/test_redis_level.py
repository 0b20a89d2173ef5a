"""The second level on a real Redis, and without one."""

import asyncio
from collections.abc import Iterator

import pytest

from shared.cache import LayeredCache, Made
from shared.cache.second_level import RedisLevel
from tests.redis_server import RedisServer, running_redis

pytest.importorskip("redis", reason="the extra redis is not installed")


@pytest.fixture
def redis(tmp_path) -> Iterator[RedisServer]:
    with running_redis(tmp_path) as server:
        yield server


async def test_it_keeps_bytes_and_knows_their_age(redis: RedisServer) -> None:
    now = 1_000.0
    level = RedisLevel(redis.url, timeout_seconds=5, clock=lambda: now)
    assert await level.get(b"k") is None
    await level.set(b"k", b"\x00value", 60)
    now += 7
    assert await level.get(b"k") == (b"\x00value", 7.0)
    await level.set(b"short", b"v", 0.001)
    await asyncio.sleep(0.05)
    assert await level.get(b"short") is None
    await level.close()


async def test_two_processes_share_what_one_made(redis: RedisServer) -> None:
    async def make() -> Made:
        return Made(b"made here")

    async def never() -> Made:
        raise AssertionError

    levels = [RedisLevel(redis.url, timeout_seconds=5) for _ in range(2)]
    here, there = (LayeredCache("test", size=8, fresh_seconds=60, second=level) for level in levels)
    assert (await here.get(b"k", make)).own
    found = await there.get(b"k", never)
    assert (found.value, found.own) == (b"made here", False)
    for level in levels:
        await level.close()


async def test_losing_it_loses_nothing_and_it_heals(redis: RedisServer) -> None:
    level = RedisLevel(redis.url, timeout_seconds=1)
    await level.set(b"k", b"v", 60)
    redis.stop()
    cache = LayeredCache("test", size=8, fresh_seconds=60, second=level)

    async def make() -> Made:
        return Made(b"made")

    for number in range(10):
        assert (await cache.get(b"%d" % number, make)).value == b"made"
    redis.start()
    async with asyncio.timeout(20):
        while True:  # until the breaker has let a probe through
            await level.set(b"back", b"v", 60)
            if await level.get(b"back"):
                break
            await asyncio.sleep(0.05)
    await level.close()


async def test_one_that_never_was_there_costs_nothing_but_the_wait() -> None:
    level = RedisLevel("redis://127.0.0.1:1/0")
    for _ in range(5):
        assert await level.get(b"k") is None
        await level.set(b"k", b"v", 1)
    await level.close()

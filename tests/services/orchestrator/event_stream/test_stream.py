"""The log in Redis: several writers, a Redis that goes and comes back, what its file holds."""

import asyncio
import contextlib
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.orchestrator.event_stream.durability import problems
from services.orchestrator.event_stream.store import RedisEventStore
from shared.errors import UnavailableError
from tests.redis_server import RedisServer, running_redis
from tests.services.orchestrator.event_files.test_store import ANN, QUERY, event
from tests.services.orchestrator.test_event_store import ids
from wherefore.common.v1.user_profile_pb2 import UserContext

pytest.importorskip("redis", reason="the extra redis is not installed")


@contextlib.asynccontextmanager
async def opened(redis: RedisServer, folder: Path, **fields: Any) -> AsyncIterator[RedisEventStore]:
    waits = {"read_seconds": 5.0, "write_seconds": 5.0} | fields
    store = RedisEventStore(redis.url, "test", folder / "events.key", **waits)
    try:
        await store.open()
        yield store
    finally:
        await store.close()


@contextlib.asynccontextmanager
async def two(redis: RedisServer, folder: Path) -> AsyncIterator[tuple[RedisEventStore, ...]]:
    async with opened(redis, folder) as one, opened(redis, folder) as other:
        yield one, other


async def healed(store: RedisEventStore) -> None:
    async with asyncio.timeout(20):
        while store.problem:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def lost(store: RedisEventStore) -> None:
    async with asyncio.timeout(20):
        while not store.problem:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_each_hears_of_what_the_other_writes(redis: RedisServer, tmp_path: Path) -> None:
    async with two(redis, tmp_path) as (one, other):
        assert one.log_id == other.log_id
        waiting = asyncio.create_task(other.place.wait_past(other.place.last_sequence))
        await asyncio.sleep(0.05)
        (stored,) = await one.append([event("a")])
        await asyncio.wait_for(waiting, 5)
        assert other.place.last_sequence == stored.sequence
        assert [e.id for e in await other.recent("u:ann.smith", 9)] == ["a"]
        assert other.alias(ANN) == one.alias(ANN)


async def test_two_writers_double_nothing_and_agree_on_the_order(
    redis: RedisServer, tmp_path: Path
) -> None:
    async with two(redis, tmp_path) as stores:
        log_ids = [store.log_id for store in stores]
        for number in range(200):  # while one of them looks how far the log reaches
            await stores[number % 2].append([event(f"single{number}")])
        found = await asyncio.gather(
            *(
                store.append([event(f"e{n}", f"u{n % 5}"), event(f"{number}-{n}")])
                for n in range(100)
                for number, store in enumerate(stores)
            )
        )
        assert sum(not shared.duplicate for shared, _ in found) == 100
        assert not any(own.duplicate for _, own in found)
        assert [store.log_id for store in stores] == log_ids
        pieces = [await store.after(0, 1_000) for store in stores]
        assert len(pieces[0].events) == 500
        assert pieces[0] == pieces[1]


async def test_an_answer_that_got_lost_doubles_nothing(
    redis: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(redis, tmp_path) as store:
        run = store._link._run

        async def twice(name: str, arguments: Any) -> Any:
            if name == "append":
                await run(name, arguments)
            return await run(name, arguments)

        monkeypatch.setattr(store._link, "_run", twice)
        (stored,) = await store.append([event("a")])
        assert not stored.duplicate  # it was this very write
        assert stored.sequence == store.place.last_sequence
        assert await ids(store) == ["a"]


async def test_what_one_erases_the_other_cannot_write(redis: RedisServer, tmp_path: Path) -> None:
    async with two(redis, tmp_path) as (one, other):
        await other.append([event("a"), event("x", "bob")])  # it knows the key now
        await one.erase(ANN)
        (late,) = await other.append([event("b", at=time.time() - 60)])
        assert late.erased
        late, new, bob = await other.append(
            [event("c", at=time.time() - 60), event("d"), event("y", "bob")]
        )
        assert (late.erased, new.erased, bob.erased) == (True, False, False)
        assert [e.id for e in await one.recent("u:ann.smith", 9)] == ["d"]
        piece = await other.after(0, 99)
        assert [each.alias for each in piece.forgotten] == [one.alias(ANN).user_id]
        assert [e.event.id for e in piece.events] == ["x", "d", "y"]


async def test_an_erasure_takes_what_comes_meanwhile_along(
    redis: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with two(redis, tmp_path) as (one, other):
        await other.append([event("a")])
        write = one._session.acknowledge
        times = 0

        async def late(name: str, *arguments: Any) -> Any:
            nonlocal times
            times += 1
            if times == 1:
                await other.append([event("b", session="visit")])
            return await write(name, *arguments)

        monkeypatch.setattr(one._session, "acknowledge", late)
        holding, gone = await one.erase(ANN)
        assert times == 2
        assert [e.event.id for e in gone] == ["a", "b"]
        assert "s:visit" in holding.actors
        assert await ids(other) == []


async def test_new_pseudonyms_of_one_are_those_of_the_other(
    redis: RedisServer, tmp_path: Path
) -> None:
    async with two(redis, tmp_path) as (one, other):
        await other.append([event("a")])
        before, log_id = other.alias(ANN), other.log_id
        assert await one.begin_epoch(-1)
        # It may not have heard of it yet, and finds out.
        await other.append([event("b"), event("c", "bob")])
        assert other.alias(ANN) == one.alias(ANN) != before
        assert other.log_id == one.log_id != log_id
        assert [e.id for e in await other.recent("u:ann.smith", 9)] == ["b", "a"]
        assert not await other.begin_epoch(3_600)


async def test_one_who_comes_while_pseudonyms_change_is_found(
    redis: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with two(redis, tmp_path) as (one, other):
        await one.append([event("a")])
        write = one._link.write
        times = 0

        async def late(name: str, *arguments: Any, copies: int = 0) -> Any:
            nonlocal times
            times += name == "epoch"
            if name == "epoch" and times == 1:
                await other.append([event("b", "bob")])
            return await write(name, *arguments, copies=copies)

        monkeypatch.setattr(one._link, "write", late)
        assert await one.begin_epoch(-1)
        assert times == 2
        assert [e.id for e in await other.recent("u:bob", 9)] == ["b"]
        assert [e.id for e in await other.recent("u:ann.smith", 9)] == ["a"]


def in_file(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in (folder / "appendonlydir").iterdir())


async def test_the_file_holds_neither_ids_nor_what_is_erased(
    redis: RedisServer, tmp_path: Path
) -> None:
    async with opened(redis, tmp_path) as store:
        await store.append([event("order-4711", session="visit-9"), event("b", "bob")])
        client = store._link.redis
        payloads = [
            text for n in (1, 2) for text in (await client.hgetall(f"{{test}}:texts:{n}")).values()
        ]
        subjects = await client.hmget("{test}:subjects", 1, 2)
        raw = in_file(tmp_path)
        for secret in (b"ann.smith", b"order-4711", b"visit-9", QUERY.encode(), b"p01"):
            assert secret not in raw
        assert all(payload in raw for payload in payloads)

        await store.erase(ANN)
        assert await client.hlen("{test}:subjects") == 1
        async with asyncio.timeout(20):
            while payloads[0] in in_file(tmp_path):  # noqa: ASYNC110 - a file tells nobody
                await asyncio.sleep(0.05)
        raw = in_file(tmp_path)
        assert payloads[1] in raw
        assert [sealed in raw for sealed in subjects] == [False, True]
        names = {key.decode() for key in await client.keys("*")}
        assert names == {
            f"{{test}}:{name}"
            for name in (
                *("log", "secrets", "sequence", "stream", "ids", "times", "subject", "subjects"),
                *("aliases", "erased", "forgotten", "of:2", "texts:2"),
            )
        }


def test_what_would_lose_events() -> None:
    assert (
        problems({"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"})
        == []
    )
    assert problems({"maxmemory-policy": "volatile-lru"}) == []
    found = problems(
        {
            "appendonly": "no",
            "appendfsync": "everysec",
            "no-appendfsync-on-rewrite": "yes",
            "maxmemory-policy": "allkeys-lru",
        }
    )
    assert [each.split()[0] for each in found] == [
        "appendonly",
        "appendfsync",
        "no-appendfsync-on-rewrite",
        "maxmemory-policy",
    ]


async def test_a_redis_that_would_lose_events_is_refused(tmp_path: Path) -> None:
    with running_redis(tmp_path) as redis:
        with pytest.raises(ValueError, match=r"set `appendonly yes`.*set `appendfsync always`"):
            async with opened(redis, tmp_path):
                pass
        async with opened(redis, tmp_path, require_durable=False) as store:
            await store.append([event("a")])


async def test_a_redis_that_comes_back_less_durable_takes_nothing(
    redis: RedisServer, tmp_path: Path
) -> None:
    async with opened(redis, tmp_path) as store:
        await store.append([event("a")])
        redis.stop()
        await lost(store)
        redis.durable = False
        redis.start()
        async with asyncio.timeout(20):
            while "appendonly" not in store.problem:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        with pytest.raises(UnavailableError, match="would lose acknowledged events"):
            await store.append([event("b")])


async def test_while_redis_is_away_nothing_is_acknowledged_and_it_heals(
    redis: RedisServer, tmp_path: Path
) -> None:
    async with opened(redis, tmp_path, read_seconds=0.5, write_seconds=1.0) as store:
        await store.append([event("a")])
        redis.stop()
        await lost(store)
        began = time.perf_counter()
        for _ in range(50):
            with pytest.raises(UnavailableError) as error:
                await store.append([event("b")])
            assert error.value.retry_after_seconds
            with pytest.raises(UnavailableError):
                await store.recent("u:ann.smith", 9)
        assert time.perf_counter() - began < 20  # a breaker answers for it
        redis.start()
        await healed(store)
        async with asyncio.timeout(10):
            while True:
                with contextlib.suppress(UnavailableError):
                    (stored,) = await store.append([event("b")])
                    break
                await asyncio.sleep(0.05)
        assert not stored.duplicate
        assert await ids(store) == ["a", "b"]


async def test_a_redis_that_stands_still_is_not_waited_for(
    redis: RedisServer, tmp_path: Path
) -> None:
    async with opened(redis, tmp_path, read_seconds=0.3, write_seconds=0.3) as store:
        await store.append([event("a")])
        redis.pause(on=True)
        try:
            with pytest.raises(UnavailableError):
                await store.append([event("b")])
            with pytest.raises(UnavailableError):
                await store.recent("u:ann.smith", 9)
            await lost(store)
        finally:
            redis.pause(on=False)
        await healed(store)
        await asyncio.sleep(0.6)  # the breaker's pause
        (stored,) = await store.append([event("b")])
        # Redis may have read the first try when it went on; what counts is that there is one.
        assert sorted(await ids(store)) == ["a", "b"]
        assert stored.event.id == "b"


async def test_a_log_that_was_set_back_is_learnt_anew(redis: RedisServer, tmp_path: Path) -> None:
    async with opened(redis, tmp_path) as store:
        await store.append([event("a")])
        redis.stop()
        shutil.copytree(tmp_path / "appendonlydir", tmp_path / "copy")
        redis.start()
        await healed(store)
        await asyncio.sleep(0.6)
        await store.append([event("b")])
        log_id, place = store.log_id, store.place.last_sequence
        waiting = asyncio.create_task(store.place.wait_past(place))
        redis.stop()
        shutil.rmtree(tmp_path / "appendonlydir")
        shutil.copytree(tmp_path / "copy", tmp_path / "appendonlydir")
        await lost(store)
        redis.start()
        await healed(store)
        await asyncio.wait_for(waiting, 5)
        assert store.log_id != log_id
        assert await ids(store) == ["a"]
        assert not (await store.append([event("b")]))[0].duplicate


async def test_a_log_that_is_gone_begins_anew(redis: RedisServer, tmp_path: Path) -> None:
    async with opened(redis, tmp_path) as store:
        await store.append([event("a"), event("x", "bob")])
        log_id = store.log_id
        await store._link.redis.flushall()
        stored, bob = await store.append([event("b"), event("a", "bob")])
        assert (stored.duplicate, bob.duplicate) == (False, False)
        assert store.log_id != log_id
        assert [e.id for e in await store.recent("u:bob", 9)] == ["a"]
        assert (await store.holding(UserContext(user_id="bob"))).subjects


async def test_replicas_of_redis_must_have_an_event_where_it_is_asked(
    redis: RedisServer, tmp_path: Path
) -> None:
    (tmp_path / "second").mkdir()
    async with opened(redis, tmp_path, copies=0) as plain:
        await plain.append([event("a")])
    async with opened(redis, tmp_path, copies=1, write_seconds=3.0) as store:
        with pytest.raises(UnavailableError, match="0 of 1 replicas"):
            await store.append([event("b")])
        with running_redis(tmp_path / "second", durable=True) as second:
            await store._link.ask(lambda: follow(second, redis), 5)
            async with asyncio.timeout(20):
                while True:
                    with contextlib.suppress(UnavailableError):
                        found = await store.append([event("a"), event("b"), event("c")])
                        break
                    await asyncio.sleep(0.1)
            assert [each.duplicate for each in found][:2] == [True, True]
            # Nothing was written, and still the replica must have it.
            (again,) = await store.append([event("c")])
            assert again.duplicate
        with pytest.raises(UnavailableError):
            await store.append([event("c")])


async def follow(second: RedisServer, first: RedisServer) -> None:
    from redis.asyncio import Redis

    client: Any = Redis.from_url(second.url)
    await client.replicaof("127.0.0.1", first.port)
    await client.aclose()


async def test_calls_that_come_before_it_is_open_are_told_to_come_again(
    redis: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = RedisEventStore(redis.url, "test", tmp_path / "events.key", read_seconds=5)
    state = store._session._state
    looks = 0

    async def meanwhile() -> Any:
        nonlocal looks
        looks += 1
        for call in (store.append([event("a")]), store.recent("u:ann.smith", 9)):
            with pytest.raises(UnavailableError):
                await call
        with pytest.raises(UnavailableError):
            store.alias(ANN)
        return await state()

    monkeypatch.setattr(store._session, "_state", meanwhile)
    await store._session.open()
    assert looks > 1
    monkeypatch.undo()
    await store.open()
    assert not (await store.append([event("a")]))[0].duplicate
    await store.close()

"""What every log of events does, whatever keeps it: the same tests over files and over Redis."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from services.orchestrator.event_files.store import SqliteEventStore
from services.orchestrator.event_store import EventStore
from services.orchestrator.purposes import ANALYTICS, PERSONALISATION, mask_of
from shared.privacy.sealing import add_key, read_keys
from tests.redis_server import running_redis
from tests.services.orchestrator.event_files.test_store import ANN, event
from wherefore.common.v1.user_profile_pb2 import UserContext

Opened = Callable[..., contextlib.AbstractAsyncContextManager[EventStore]]


@pytest.fixture(params=["files", "redis"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    """Opens the log, again and again the same one."""
    with contextlib.ExitStack() as stack:
        redis = None
        if request.param == "redis":
            redis = stack.enter_context(running_redis(tmp_path, durable=True))

        def store(keys: Path) -> EventStore:
            if redis is None:
                return SqliteEventStore(tmp_path / "events.sqlite", keys)
            from services.orchestrator.event_stream.store import RedisEventStore

            return RedisEventStore(redis.url, "test", keys, read_seconds=5, write_seconds=5)

        @contextlib.asynccontextmanager
        async def once(keys: Path = tmp_path / "events.key") -> AsyncIterator[EventStore]:
            each = store(keys)
            try:
                await each.open()
                yield each
            finally:
                await each.close()

        yield once


async def ids(store: EventStore, at: float = 0) -> list[str]:
    return [stored.event.id async for stored in store.since(at)]


async def test_events_come_back_in_their_order(opened: Opened) -> None:
    now = int(time.time())
    async with opened() as store:
        assert (await store.after(0, 10)).sequence == 0
        await store.append([event("late", at=now - 10), event("early", at=now - 30)])
        (first,) = await store.append([event("other", "bob", at=now - 20)])
        assert not first.duplicate
        assert first.sequence == store.place.last_sequence
        log_id = store.log_id
    async with opened() as store:
        assert store.log_id == log_id
        piece = await store.after(0, 2)
        assert [e.event.id for e in piece.events] == ["late", "early"]
        piece = await store.after(piece.sequence, 10)
        assert [e.event.id for e in piece.events] == ["other"]
        assert piece.sequence == store.place.last_sequence == first.sequence
        assert await ids(store) == ["early", "other", "late"]
        assert await ids(store, now - 20) == ["other", "late"]
        assert [e.id for e in await store.recent("u:ann.smith", 9)] == ["late", "early"]
        assert [e.id for e in await store.recent("u:ann.smith", 1)] == ["late"]
        assert await store.recent("u:nobody", 9) == []


async def test_an_id_is_written_once(opened: Opened) -> None:
    async with opened() as store:
        first, again = await store.append([event("a", at=7), event("a", "bob", at=9)])
        assert (first.duplicate, again.duplicate) == (False, True)
        place = store.place.last_sequence
        (third,) = await store.append([event("a")])
        assert third.duplicate
        assert third.event == first.event
        assert store.place.last_sequence == place
        found = await asyncio.gather(*(store.append([event(f"e{n % 9}")]) for n in range(90)))
        assert sum(not each.duplicate for (each,) in found) == 9
        assert len(await ids(store)) == 10


async def test_it_reads_in_pages(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.orchestrator.event_files.store._PAGE", 7)
    monkeypatch.setattr("services.orchestrator.event_stream.store._PAGE", 7)
    async with opened() as store:
        at = int(time.time()) - 100
        await store.append([event(f"e{n}", f"u{n % 4}", at=at + n // 10) for n in range(50)])
        found = await ids(store)
        assert sorted(found) == sorted(f"e{n}" for n in range(50))
        assert [int(i[1:]) // 10 for i in found] == [n // 10 for n in range(50)]
        assert len(await ids(store, at + 3)) == 20


async def test_who_waits_is_woken(opened: Opened) -> None:
    async with opened() as store:
        place = store.place.last_sequence
        waiting = asyncio.create_task(store.place.wait_past(place))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        await store.append([event("a")])
        await asyncio.wait_for(waiting, 5)


async def test_an_erased_user_is_gone_and_late_events_are_refused(opened: Opened) -> None:
    async with opened() as store:
        await store.append([event("a", session="v1"), event("b", "", session="v1")])
        await store.append([event("c", "bob"), event("d", "", session="v2")])
        assert await store.count(await store.holding(ANN)) == 2
        holding, gone = await store.erase(ANN)
        assert [e.event.id for e in gone] == ["a", "b"]
        assert len(holding.subjects) == 2  # the user and the visit
        assert await store.recent("u:ann.smith", 9) == []
        assert await ids(store) == ["c", "d"]
        piece = await store.after(0, 10)
        assert [e.event.id for e in piece.events] == ["c", "d"]
        assert {(e.alias, e.is_user, e.purposes) for e in piece.forgotten} == {
            (store.alias(ANN).user_id, True, 0),
            (store.alias(UserContext(session_id="v1")).session_id, False, 0),
        }

        before = time.time() - 60
        (late,) = await store.append([event("e", at=before)])
        assert late.erased
        late, good = await store.append(
            [event("f", "", session="v1", at=before), event("x", "bob")]
        )
        assert (late.erased, good.erased) == (True, False)
        assert (await store.holding(ANN)).subjects == ()
        (new,) = await store.append([event("g")])
        assert not new.erased
        old, new = await store.append([event("h", at=before), event("i")])
        assert (old.erased, new.erased) == (True, False)
        assert [e.id for e in await store.recent("u:ann.smith", 9)] == ["i", "g"]
        assert (await store.erase(UserContext(user_id="nobody")))[1] == []
        assert not (await store.append([event("a")]))[0].duplicate  # its id is forgotten, too
    async with opened() as store:
        assert sorted(await ids(store)) == ["a", "c", "d", "g", "i", "x"]
        assert (await store.append([event("j", at=before)]))[0].erased
        assert len((await store.erase(ANN))[1]) == 3
        assert (await store.erase(ANN))[1] == []


async def test_a_user_can_be_exported(opened: Opened) -> None:
    async with opened() as store:
        await store.append([event(f"a{n}", session=f"v{n % 3}", at=100 - n) for n in range(9)])
        await store.append([event("b", "", session="v1"), event("c", "bob")])
        holding = await store.holding(ANN)
        first = await store.of(holding, 0, 4)
        assert [e.event.id for e in first] == ["a0", "a1", "a2", "a3"]
        rest = await store.of(holding, first[-1].sequence, 99)
        assert [e.event.id for e in rest] == ["a4", "a5", "a6", "a7", "a8", "b"]
        assert await store.count(holding) == 10


async def test_refusals_are_durable_and_hide_events(opened: Opened) -> None:
    both = mask_of([PERSONALISATION, ANALYTICS])
    async with opened() as store:
        own = event("b")
        own.refused_purposes.append(PERSONALISATION)
        await store.append([event("a"), own])
        assert [e.id for e in await store.recent("u:ann.smith", 9)] == ["a"]
        place = store.place.last_sequence
        _, newly = await store.refuse(ANN, both)
        assert list(newly.values()) == [both]
        assert await store.recent("u:ann.smith", 9) == []
        (told,) = (await store.after(place, 9)).forgotten
        assert (told.alias, told.purposes) == (store.alias(ANN).user_id, both)
        (stored,) = await store.append([event("c")])
        assert stored.refused == both
        assert [e.refused for e in (await store.after(0, 9)).events] == [both] * 3
    async with opened() as store:
        assert await store.refused("u:ann.smith") == both
        assert await store.refused("u:bob") == 0
        assert (await store.holding(ANN)).refused == both
        _, newly = await store.refuse(ANN, 0)
        assert list(newly.values()) == [0]
        assert [e.id for e in await store.recent("u:ann.smith", 9)] == ["c", "a"]


async def test_what_is_too_old_goes(opened: Opened) -> None:
    async with opened() as store:
        await store.append([event("a", at=10), event("b", "bob", at=20), event("c", at=30)])
        assert await store.delete_before(5, 10) is None
        log_id, place = store.log_id, store.place.last_sequence
        assert [e.event.id for e in await store.delete_before(25, 1) or []] == ["a"]
        assert [e.event.id for e in await store.delete_before(25, 10) or []] == ["b"]
        assert await store.delete_before(25, 10) is None
        await store.tidy(25, renew_log=True)
        assert store.log_id != log_id
        assert store.place.last_sequence > place
        assert await ids(store) == ["c"]
        assert (await store.holding(UserContext(user_id="bob"))).subjects == ()
        assert len((await store.holding(ANN)).subjects) == 1
        assert not (await store.append([event("b", "bob")]))[0].duplicate
        log_id = store.log_id
        await store.tidy(25, renew_log=False)
        assert store.log_id == log_id


async def test_erasures_are_forgotten_with_what_is_too_old(opened: Opened) -> None:
    async with opened() as store:
        await store.erase(ANN)
        await store.tidy(time.time() - 60, renew_log=False)
        assert (await store.append([event("a", at=time.time() - 10)]))[0].erased
        await store.tidy(time.time() + 1, renew_log=False)
        assert not (await store.append([event("a", at=time.time() - 10)]))[0].erased


async def test_aliases_change_with_the_epoch_and_events_stay(opened: Opened) -> None:
    async with opened() as store:
        await store.append([event("a", session="v"), event("b", "bob")])
        alias, log_id, place = store.alias(ANN), store.log_id, store.place.last_sequence
        assert not await store.begin_epoch(3_600)
        assert store.alias(ANN) == alias
        assert await store.begin_epoch(-1)
        assert store.alias(ANN) != alias
        assert store.log_id != log_id
        assert store.place.last_sequence > place
        assert [e.id for e in await store.recent("u:ann.smith", 9)] == ["a"]
        assert (await store.append([event("a")]))[0].duplicate
        assert len((await store.erase(UserContext(user_id="bob")))[1]) == 1
        now = store.alias(ANN)
    async with opened() as store:
        assert store.alias(ANN) == now
        assert [e.id for e in await store.recent("u:ann.smith", 9)] == ["a"]
        assert "ann" not in str(store.alias(ANN))


async def test_another_key_file_opens_nothing_and_changes_nothing(
    opened: Opened, tmp_path: Path
) -> None:
    async with opened() as store:
        await store.append([event("a")])
    add_key(tmp_path / "other.key")
    with pytest.raises(ValueError, match="key file does not open"):
        async with opened(tmp_path / "other.key"):
            pass
    async with opened() as store:
        assert await ids(store) == ["a"]


async def test_after_a_rotation_the_old_key_may_go(opened: Opened, tmp_path: Path) -> None:
    async with opened() as store:
        await store.append([event("a"), event("b", "bob")])
    keys = tmp_path / "events.key"
    new = add_key(keys)
    assert read_keys(keys).current == new
    async with opened() as store:
        await store.append([event("c", "bob")])
    keys.write_text(keys.read_text().splitlines()[0] + "\n")
    async with opened() as store:
        assert await ids(store) == ["a", "b", "c"]
        assert [e.id for e in await store.recent("u:bob", 9)] == ["c", "b"]
        assert (await store.append([event("a")]))[0].duplicate

"""The sealed log: what lies on disk, what opens it, what is left after an erasure or a crash."""

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from services.orchestrator.event_files.sealed_log import UNREADABLE
from services.orchestrator.event_files.store import SqliteEventStore
from services.orchestrator.purposes import ANALYTICS, PERSONALISATION, mask_of
from shared.privacy.sealing import add_key, read_keys
from wherefore.common.v1 import user_event_pb2 as pb
from wherefore.common.v1.user_profile_pb2 import UserContext

ROOT = Path(__file__).parents[4]
QUERY = "pressure-cooker-77"
ANN = UserContext(user_id="ann.smith")
OLD_SCHEMA = """
CREATE TABLE events (
    id TEXT PRIMARY KEY, actor TEXT NOT NULL, at REAL NOT NULL, payload BLOB NOT NULL
) WITHOUT ROWID;
"""


def event(name: str, user: str = "ann.smith", *, at: float = 0, session: str = "") -> pb.UserEvent:
    made = pb.UserEvent(
        id=name, type=pb.USER_EVENT_TYPE_VIEW, user_id=user, session_id=session, query=QUERY
    )
    made.event_time.FromMicroseconds(int((at or time.time()) * 1e6))
    made.products.add(product_id="p01", quantity=1)
    return made


@contextlib.asynccontextmanager
async def opened(folder: Path, key_file: Path | None = None):
    store = SqliteEventStore(folder / "events.sqlite", key_file)
    try:
        await store.open()
        yield store
    finally:
        await store.close()


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.glob("events*.sqlite*")))


async def ids(store: SqliteEventStore) -> list[str]:
    return [stored.event.id async for stored in store.since(0)]


async def test_files_hold_neither_ids_nor_what_was_done(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await store.append([event("order-4711", session="visit-9")])
        raw = on_disk(tmp_path)
    raw += on_disk(tmp_path)
    for secret in (b"ann.smith", b"order-4711", b"visit-9", QUERY.encode(), b"p01"):
        assert secret not in raw
    assert (tmp_path / "events.key").stat().st_mode & 0o077 == 0


async def test_another_key_file_opens_nothing_and_changes_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await store.append([event("a")])
    add_key(tmp_path / "other.key")
    with pytest.raises(ValueError, match="key file does not open"):
        async with opened(tmp_path, tmp_path / "other.key"):
            pass
    async with opened(tmp_path) as store:
        assert await ids(store) == ["a"]


async def test_after_a_rotation_the_old_key_may_go(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await store.append([event("a"), event("b", "bob")])
    keys = tmp_path / "events.key"
    new = add_key(keys)
    assert read_keys(keys).current == new
    async with opened(tmp_path) as store:
        await store.append([event("c", "bob")])
    keys.write_text(keys.read_text().splitlines()[0] + "\n")
    async with opened(tmp_path) as store:
        assert await ids(store) == ["a", "b", "c"]
        assert [e.id for e in await store.recent("u:bob", 9)] == ["c", "b"]
        assert (await store.append([event("a")]))[0].duplicate


async def test_an_erased_user_is_gone_from_disk_and_late_events_are_refused(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await store.append([event("a", session="v1"), event("b", "", session="v1")])
        await store.append([event("c", "bob"), event("d", "", session="v2")])
        sealed = payloads(tmp_path)
        holding, gone = await store.erase(ANN)
        assert [e.event.id for e in gone] == ["a", "b"]
        assert len(holding.subjects) == 2  # the user and the visit
        assert await store.recent("u:ann.smith", 9) == []
        assert await ids(store) == ["c", "d"]
        kept = payloads(tmp_path)
        raw = on_disk(tmp_path)
        assert [payload in raw for payload in sealed] == [False, False, True, True]
        assert kept == sealed[2:]

        (late,) = await store.append([event("e", at=time.time() - 60)])
        assert late.erased
        (late,) = await store.append([event("f", "", session="v1", at=time.time() - 60)])
        assert late.erased
        (new,) = await store.append([event("g")])
        assert not new.erased
        assert [e.id for e in await store.recent("u:ann.smith", 9)] == ["g"]
        assert (await store.erase(UserContext(user_id="nobody")))[1] == []
    async with opened(tmp_path) as store:
        assert await ids(store) == ["c", "d", "g"]
        assert (await store.append([event("h", at=time.time() - 60)]))[0].erased
        assert len((await store.erase(ANN))[1]) == 1
        assert (await store.erase(ANN))[1] == []


def run(script: str, folder: Path) -> None:
    """Runs a script that ends by killing itself."""
    done = subprocess.run([sys.executable, "-c", script, str(folder)], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL


def payloads(folder: Path) -> list[bytes]:
    with contextlib.closing(sqlite3.connect(folder / "events.sqlite")) as connection:
        rows = connection.execute("SELECT payload FROM sealed_events ORDER BY sequence")
        return [row[0] for row in rows]


def test_kill_9_in_the_middle_of_an_erasure(tmp_path: Path) -> None:
    """Keys are destroyed first; the next start deletes what they opened."""
    script = """
import asyncio, os, pathlib, signal, sys
from services.orchestrator.event_files import sealed_log
from services.orchestrator.event_files.store import SqliteEventStore
from tests.services.orchestrator.event_files.test_store import ANN, event

def die(self):
    os.kill(os.getpid(), signal.SIGKILL)

async def main():
    store = SqliteEventStore(pathlib.Path(sys.argv[1]) / "events.sqlite")
    await store.open()
    await store.append([event("a"), event("b", "bob")])
    sealed_log.SealedLog.finish_erasures = die
    await store.erase(ANN)

asyncio.run(main())
"""
    run(script, tmp_path)
    with contextlib.closing(sqlite3.connect(tmp_path / "events.sqlite")) as connection:
        assert connection.execute("SELECT COUNT(*) FROM sealed_events").fetchone() == (2,)


async def test_an_erasure_that_was_begun_is_finished_at_the_next_start(tmp_path: Path) -> None:
    test_kill_9_in_the_middle_of_an_erasure(tmp_path)
    async with opened(tmp_path) as store:
        assert await ids(store) == ["b"]
        piece = await store.after(0, 10)
        assert [each.alias for each in piece.forgotten] == [store.alias(ANN).user_id]
        assert (await store.append([event("late", at=time.time() - 60)]))[0].erased
    with contextlib.closing(sqlite3.connect(tmp_path / "events.sqlite")) as connection:
        assert connection.execute("SELECT COUNT(*) FROM sealed_events").fetchone() == (1,)


async def test_a_plain_log_of_before_is_sealed_and_wiped(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as old, old:
        old.executescript(OLD_SCHEMA)
        for name, at in (("late", 30), ("early", 10), ("middle", 20)):
            payload = event(name, at=at).SerializeToString()
            old.execute("INSERT INTO events VALUES (?, ?, ?, ?)", (name, "u:ann", at, payload))
    async with opened(tmp_path) as store:
        assert store.log_id
        piece = await store.after(0, 2)
        assert [e.event.id for e in piece.events] == ["early", "middle"]
        piece = await store.after(piece.sequence, 10)
        assert ([e.event.id for e in piece.events], piece.sequence) == (
            ["late"],
            store.place.last_sequence,
        )
        assert (await store.append([event("late")]))[0].duplicate
        again = store.log_id
    async with opened(tmp_path) as store:
        assert store.log_id == again
    raw = on_disk(tmp_path)
    assert QUERY.encode() not in raw
    assert b"ann.smith" not in raw


async def test_a_torn_tail_costs_nothing_that_was_read_before(tmp_path: Path) -> None:
    script = """
import asyncio, os, pathlib, signal, sys
from services.orchestrator.event_files.store import SqliteEventStore
from tests.services.orchestrator.event_files.test_store import event

async def main():
    store = SqliteEventStore(pathlib.Path(sys.argv[1]) / "events.sqlite")
    await store.open()
    for n in range(20):
        await store.append([event(f"e{n}", f"user-{n % 3}")])
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""
    run(script, tmp_path)
    files = [name for name in os.listdir(tmp_path) if name.startswith("events")]  # noqa: PTH208
    whole = (tmp_path / "events.sqlite-wal").read_bytes()
    flipped = whole[:-1] + bytes([whole[-1] ^ 1])
    for number, (torn, lost) in enumerate(
        ((whole[:-1_000], 1), (flipped, 1), (whole + os.urandom(5_000), 0))
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        for name in files:
            shutil.copy(tmp_path / name, folder)
        (folder / "events.sqlite-wal").write_bytes(torn)
        async with opened(folder) as store:
            assert await ids(store) == [f"e{n}" for n in range(20 - lost)]
            assert not (await store.append([event("more")]))[0].duplicate
            assert len((await store.erase(ANN))[1]) == 1


async def test_a_damaged_row_is_left_out_and_counted(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await store.append([event(name) for name in "abc"])
    with contextlib.closing(sqlite3.connect(tmp_path / "events.sqlite")) as connection, connection:
        connection.execute("UPDATE sealed_events SET payload = randomblob(80) WHERE sequence = 2")
    counted = UNREADABLE._value.get()
    async with opened(tmp_path) as store:
        assert await ids(store) == ["a", "c"]
        assert [e.id for e in await store.recent("u:ann.smith", 9)] == ["c", "a"]
    assert UNREADABLE._value.get() == counted + 2


async def test_rows_cannot_be_moved_to_another_user_or_id(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await store.append([event("a"), event("b", "bob")])
    with contextlib.closing(sqlite3.connect(tmp_path / "events.sqlite")) as connection, connection:
        connection.execute("UPDATE sealed_events SET subject = 3 - subject")
    async with opened(tmp_path) as store:
        assert await ids(store) == []


async def test_refusals_are_durable_and_hide_events(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        own = event("b")
        own.refused_purposes.append(PERSONALISATION)
        await store.append([event("a"), own])
        assert [e.id for e in await store.recent("u:ann.smith", 9)] == ["a"]
        _, newly = await store.refuse(ANN, mask_of([PERSONALISATION, ANALYTICS]))
        assert list(newly.values()) == [mask_of([PERSONALISATION, ANALYTICS])]
        assert await store.recent("u:ann.smith", 9) == []
        await store.append([event("c")])
    async with opened(tmp_path) as store:
        assert await store.recent("u:ann.smith", 9) == []
        assert (await store.holding(ANN)).refused == mask_of([PERSONALISATION, ANALYTICS])
        _, newly = await store.refuse(ANN, 0)
        assert list(newly.values()) == [0]
        assert [e.id for e in await store.recent("u:ann.smith", 9)] == ["c", "a"]


async def test_the_start_reads_in_pages(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("services.orchestrator.event_files.store._PAGE", 7)
    async with opened(tmp_path) as store:
        at = int(time.time()) - 100
        # Of one time many, so that pages end among them.
        await store.append([event(f"e{n}", f"u{n % 4}", at=at + n // 10) for n in range(50)])
        found = await ids(store)
        assert sorted(found) == sorted(f"e{n}" for n in range(50))
        assert [int(i[1:]) // 10 for i in found] == [n // 10 for n in range(50)]
        recent = [stored.event.id async for stored in store.since(at + 3)]
        assert len(recent) == 20

"""Where user events are kept: a port, and its embedded adapter on SQLite."""

import asyncio
import hashlib
import sqlite3
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, TypeVar

from wherefore.common.v1.user_event_pb2 import UserEvent

_T = TypeVar("_T")
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS events (
    id TEXT PRIMARY KEY,
    actor TEXT NOT NULL,
    at REAL NOT NULL,
    payload BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS events_by_actor ON events (actor, at);
CREATE INDEX IF NOT EXISTS events_by_time ON events (at);
CREATE TABLE IF NOT EXISTS event_order (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE
);
CREATE TABLE IF NOT EXISTS log (id TEXT NOT NULL);
"""
# A file of before events had places gets them once, by time.
_FILL_ORDER: Final = """
INSERT INTO event_order (id) SELECT id FROM events
WHERE NOT EXISTS (SELECT 1 FROM event_order) ORDER BY at, id
"""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event, and whether one of its id was there before."""

    event: UserEvent
    duplicate: bool


class EventStore(Protocol):
    """Keeps events. What `append` returns is durable and seen by the next `recent`."""

    async def append(self, events: Sequence[UserEvent]) -> list[StoredEvent]:
        """Writes events, in order; an id that is there already is left as it is."""
        ...

    async def recent(self, actor: str, limit: int) -> list[UserEvent]:
        """Returns an actor's events, newest first."""
        ...

    async def since(self, at: float) -> list[UserEvent]:
        """Returns all events from `at` (seconds since 1970) on, oldest first."""
        ...

    async def after(self, sequence: int, limit: int) -> tuple[list[UserEvent], int]:
        """Returns the events behind a place in the log, in order, and the place of the last."""
        ...

    async def wait_past(self, sequence: int) -> None:
        """Returns once the log reaches beyond a place, or waits are ended."""
        ...

    async def close(self) -> None:
        """Closes the store."""
        ...


def actor_of(user_id: str, session_id: str) -> str:
    """Returns the key under which a user's or a visitor's events are found; empty for nobody.

    The kind is part of it, so that a session called like a user is not that user.
    """
    if user_id:
        return f"u:{user_id}"
    return f"s:{session_id}" if session_id else ""


def actor_hash(actor: str) -> bytes:
    """Returns 8 bytes that tell an actor from others, for counts that need not know who it is."""
    return hashlib.blake2b(actor.encode(), digest_size=8).digest()


class SqliteEventStore:
    """Events in one SQLite file, in WAL mode, with an fsync before every acknowledgement.

    Writes that arrive while one is under way are committed together, so that the fsync is shared.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._writer = ThreadPoolExecutor(1, "events-write")
        self._reader = ThreadPoolExecutor(1, "events-read")
        self._waiting: list[tuple[Sequence[UserEvent], asyncio.Future[list[StoredEvent]]]] = []
        self._flushing: asyncio.Task[None] | None = None
        self._write_connection: sqlite3.Connection | None = None
        self._read_connection: sqlite3.Connection | None = None
        self._arrival = asyncio.Event()
        self.waits_ended = False
        """Whether nobody is to wait for events any more."""
        self.last_sequence = 0
        """Place in the log of the last event that was acknowledged; 0 while there is none."""
        self.log_id = ""
        """Id of the log, from `open` on; a log that was thrown away and begun anew has another."""

    async def open(self) -> None:
        """Opens the file, made where it is not there."""
        self._write_connection = await self._run(self._writer, self._connect)
        self._read_connection = await self._run(self._reader, self._connect)
        writing = self._write_connection
        self.log_id = await self._run(self._writer, lambda: _log_id(writing))
        self.last_sequence = await self._run(self._writer, lambda: _last_sequence(writing))

    async def append(self, events: Sequence[UserEvent]) -> list[StoredEvent]:
        """See `EventStore.append`."""
        future: asyncio.Future[list[StoredEvent]] = asyncio.get_running_loop().create_future()
        self._waiting.append((events, future))
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush())
        return await future

    async def recent(self, actor: str, limit: int) -> list[UserEvent]:
        """See `EventStore.recent`."""

        def read() -> list[UserEvent]:
            rows = _opened(self._read_connection).execute(
                "SELECT payload FROM events WHERE actor = ? ORDER BY at DESC LIMIT ?",
                (actor, limit),
            )
            return [UserEvent.FromString(payload) for (payload,) in rows]

        return await self._run(self._reader, read)

    async def since(self, at: float) -> list[UserEvent]:
        """See `EventStore.since`."""

        def read() -> list[UserEvent]:
            rows = _opened(self._read_connection).execute(
                "SELECT payload FROM events WHERE at >= ? ORDER BY at", (at,)
            )
            return [UserEvent.FromString(payload) for (payload,) in rows]

        return await self._run(self._reader, read)

    async def after(self, sequence: int, limit: int) -> tuple[list[UserEvent], int]:
        """See `EventStore.after`."""

        def read() -> tuple[list[UserEvent], int]:
            rows = _opened(self._read_connection).execute(
                "SELECT sequence, payload FROM event_order JOIN events USING (id)"
                " WHERE sequence > ? ORDER BY sequence LIMIT ?",
                (sequence, limit),
            )
            found = rows.fetchall()
            return [UserEvent.FromString(p) for _, p in found], found[-1][0] if found else sequence

        return await self._run(self._reader, read)

    async def wait_past(self, sequence: int) -> None:
        """See `EventStore.wait_past`."""
        while self.last_sequence <= sequence and not self.waits_ended:
            await self._arrival.wait()

    def end_waits(self) -> None:
        """Lets all who wait for events go, for good."""
        self.waits_ended = True
        self._arrival.set()

    async def close(self) -> None:
        """See `EventStore.close`."""
        if self._flushing:
            await asyncio.wait({self._flushing})
        for executor, connection in (
            (self._writer, self._write_connection),
            (self._reader, self._read_connection),
        ):
            if connection:
                await self._run(executor, connection.close)
            executor.shutdown()

    async def _flush(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            groups = [events for events, _ in batch]
            try:
                written, last = await self._run(self._writer, lambda g=groups: self._write(g))
            except Exception as error:
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            self._advance(last)  # before anybody is told
            for (_, future), stored in zip(batch, written, strict=True):
                if not future.done():  # its caller may have gone away; the events are written
                    future.set_result(stored)

    def _write(self, groups: Sequence[Sequence[UserEvent]]) -> tuple[list[list[StoredEvent]], int]:
        connection = _opened(self._write_connection)
        with connection:  # one transaction, one fsync
            stored = [[_insert(connection, event) for event in events] for events in groups]
            return stored, _last_sequence(connection)

    def _advance(self, sequence: int) -> None:
        if sequence > self.last_sequence:
            self.last_sequence = sequence
            arrived, self._arrival = self._arrival, asyncio.Event()
            arrived.set()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, check_same_thread=False, timeout=10)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.executescript(_SCHEMA)
        return connection

    async def _run(self, executor: ThreadPoolExecutor, function: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(executor, function)


def event_seconds(event: UserEvent) -> float:
    """Returns when an event happened, in seconds since 1970."""
    return event.event_time.seconds + event.event_time.nanos * 1e-9


def age_seconds(event: UserEvent, now: float | None = None) -> float:
    """Returns how long ago an event happened, at least 0."""
    return max(0.0, (time.time() if now is None else now) - event_seconds(event))


def _insert(connection: sqlite3.Connection, event: UserEvent) -> StoredEvent:
    row = (
        event.id,
        actor_of(event.user_id, event.session_id),
        event_seconds(event),
        event.SerializeToString(),
    )
    written = connection.execute("INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?)", row).rowcount
    if written:
        connection.execute("INSERT INTO event_order (id) VALUES (?)", (event.id,))
        return StoredEvent(event, duplicate=False)
    found = connection.execute("SELECT payload FROM events WHERE id = ?", (event.id,)).fetchone()
    return StoredEvent(UserEvent.FromString(found[0]), duplicate=True)


def _last_sequence(connection: sqlite3.Connection) -> int:
    return connection.execute("SELECT MAX(sequence) FROM event_order").fetchone()[0] or 0


def _log_id(connection: sqlite3.Connection) -> str:
    with connection:
        connection.execute(_FILL_ORDER)
        if (row := connection.execute("SELECT id FROM log").fetchone()) is None:
            row = (uuid.uuid4().hex,)
            connection.execute("INSERT INTO log VALUES (?)", row)
    return row[0]


def _opened(connection: sqlite3.Connection | None) -> sqlite3.Connection:
    if connection is None:
        raise RuntimeError("the event store is not open")
    return connection

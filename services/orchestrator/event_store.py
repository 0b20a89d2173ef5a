"""Where user events are kept: a port, and its embedded adapter on sealed SQLite files."""

import asyncio
import hashlib
import secrets
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Protocol, TypeVar

from services.orchestrator.event_files.actors import actor_of, event_seconds
from services.orchestrator.event_files.desk import Desk, Holding
from services.orchestrator.event_files.sealed_log import Forgotten, Piece, StoredEvent
from services.orchestrator.purposes import PERSONALISATION, refuses
from shared.errors import UnavailableError
from shared.privacy.sealing import read_or_make_keys
from wherefore.common.v1.user_event_pb2 import UserEvent
from wherefore.common.v1.user_profile_pb2 import UserContext

__all__ = [
    "EventStore",
    "Forgotten",
    "Holding",
    "Piece",
    "SqliteEventStore",
    "StoredEvent",
    "actor_hash",
    "actor_of",
    "age_seconds",
    "event_seconds",
]

_T = TypeVar("_T")
_PAGE: Final = 1_000
_HASH_KEY: Final = secrets.token_bytes(16)


class EventStore(Protocol):
    """Keeps events. What `append` returns is durable and seen by the next `recent`."""

    async def append(self, events: Sequence[UserEvent]) -> list[StoredEvent]:
        """Writes events, in order; an id that is there already is left as it is."""
        ...

    async def recent(self, actor: str, limit: int) -> list[UserEvent]:
        """Returns an actor's events, newest first, of those that may personalise answers."""
        ...

    def since(self, at: float) -> AsyncIterator[StoredEvent]:
        """Yields all events from `at` (seconds since 1970) on, oldest first."""
        ...

    async def after(self, sequence: int, limit: int) -> Piece:
        """Returns the events behind a place in the log, in order, and the place reached."""
        ...

    async def wait_past(self, sequence: int) -> None:
        """Returns once the log reaches beyond a place, or waits are ended."""
        ...

    async def close(self) -> None:
        """Closes the store."""
        ...


def actor_hash(actor: str) -> bytes:
    """Returns 8 bytes that tell an actor from others, for counts that need not know who it is.

    Keyed anew in every process: they say nothing outside of it.
    """
    return hashlib.blake2b(actor.encode(), digest_size=8, key=_HASH_KEY).digest()


class SqliteEventStore:
    """Events in SQLite files in WAL mode, with an fsync before every acknowledgement.

    Writes that arrive while one is under way are committed together, so that the fsync is shared.

    Args:
        path: File of the events; that of their keys lies beside it.
        key_file: Keys that seal those, made on first use; `events.key` beside them where None.
    """

    def __init__(self, path: Path, key_file: Path | None = None) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._key_file = key_file or path.with_suffix(".key")
        self._writer = ThreadPoolExecutor(1, "events-write")
        self._reader = ThreadPoolExecutor(1, "events-read")
        self._waiting: list[tuple[Sequence[UserEvent], asyncio.Future[list[StoredEvent]]]] = []
        self._flushing: asyncio.Task[None] | None = None
        self._writing: Desk | None = None
        self._reading: Desk | None = None
        self._arrival = asyncio.Event()
        self.waits_ended = False
        """Whether nobody is to wait for events any more."""
        self.last_sequence = 0
        """Place in the log of the last event that was acknowledged; 0 while there is none."""
        self.log_id = ""
        """Id of the log, from `open` on; a log that was thrown away and begun anew has another."""

    async def open(self) -> None:
        """Opens the files, made where they are not there; finishes erasures that were begun.

        Raises:
            ValueError: The key file does not open them, or is none.
            OSError: It cannot be read.
            UnavailableError: A file is damaged beyond the tail that a crash leaves.
        """
        ring = await asyncio.to_thread(read_or_make_keys, self._key_file)
        self._writing = await self._write(lambda: Desk.open(self._path, ring))
        desk = self._writing
        self._reading = await self._read(lambda: desk.second(self._path))
        await self._advance_to(desk)

    async def append(self, events: Sequence[UserEvent]) -> list[StoredEvent]:
        """See `EventStore.append`."""
        future: asyncio.Future[list[StoredEvent]] = asyncio.get_running_loop().create_future()
        self._waiting.append((events, future))
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush())
        return await future

    async def recent(self, actor: str, limit: int) -> list[UserEvent]:
        """See `EventStore.recent`."""
        found = await self._read(lambda: _opened(self._reading).log.recent(actor, limit))
        return [e.event for e in found if not refuses(e.refused, PERSONALISATION)]

    async def since(self, at: float) -> AsyncIterator[StoredEvent]:
        """See `EventStore.since`. Holds a thousand in memory at a time."""
        place: tuple[float, bytes] | None = (at, b"")
        while place is not None:
            time_of, digest = place
            events, place = await self._read(
                lambda t=time_of, d=digest: _opened(self._reading).log.since(t, d, _PAGE)
            )
            for event in events:
                yield event

    async def after(self, sequence: int, limit: int) -> Piece:
        """See `EventStore.after`."""
        return await self._read(lambda: _opened(self._reading).log.after(sequence, limit))

    async def holding(self, user: UserContext) -> Holding:
        """Returns whom the log knows of a user, with the visits that their events name."""
        return await self._read(lambda: _opened(self._reading).holding(user))

    async def of(self, holding: Holding, after: int, limit: int) -> list[StoredEvent]:
        """Returns events of who is held, behind a place, in the order of the log."""
        return await self._read(lambda: _opened(self._reading).of(holding, after, limit))

    async def erase(self, user: UserContext) -> tuple[Holding, list[StoredEvent]]:
        """Erases who is held of a user; returns them with their events.

        Durable, and gone from files and memory, when it returns; done again it finds nothing.
        """
        holding, gone = await self._write(lambda: _opened(self._writing).erase(user, time.time()))
        await self._read(lambda: _opened(self._reading).subjects.forget(holding.subject_ids))
        await self._write(lambda: _opened(self._writing).wipe_traces())
        await self._advance_to(_opened(self._writing))
        return holding, gone

    async def count(self, holding: Holding) -> int:
        """Returns how many events there are of who is held, damaged ones included."""
        return await self._read(lambda: _opened(self._reading).log.count(holding.subject_ids))

    async def refused(self, actor: str) -> int:
        """Returns what an actor refuses, as a mask."""

        def read() -> int:
            subject = _opened(self._reading).subjects.find(actor)
            return subject.refused if subject else 0

        return await self._read(read)

    async def refuse(self, user: UserContext, refused: int) -> tuple[Holding, Mapping[int, int]]:
        """Sets what a user refuses, as a mask.

        Returns:
            Who it is, and by id of the subject what it refuses newly.
        """
        holding, newly = await self._write(lambda: _opened(self._writing).refuse(user, refused))
        await self._read(lambda: _opened(self._reading).subjects.forget(holding.subject_ids))
        await self._advance_to(_opened(self._writing))
        return holding, newly

    async def delete_before(self, at: float, limit: int) -> list[StoredEvent] | None:
        """Deletes the oldest events before a time and returns them; None when none were left."""
        return await self._write(lambda: _opened(self._writing).log.delete_before(at, limit))

    async def tidy(self, erased_before: float, *, renew_log: bool) -> None:
        """Ends a sweep: drops keys of nobody, and wipes what deletions left in the files.

        Args:
            erased_before: Erasures of before, in seconds since 1970, need not be known any more.
            renew_log: Whether followers are to learn anew, without what was deleted.
        """
        desk = _opened(self._writing)
        await self._write(lambda: desk.tidy(erased_before, renew_log=renew_log))
        await self._advance_to(desk)

    async def begin_epoch(self, oldest_seconds: float) -> bool:
        """Gives all a new alias if those in use are older; returns whether it did."""
        desk = _opened(self._writing)
        begun = await self._write(lambda: desk.begin_epoch(oldest_seconds))
        await self._advance_to(desk)
        return begun

    def alias(self, user: UserContext) -> UserContext:
        """Returns a user under the pseudonyms that followers of the log know."""
        vault = _opened(self._writing).vault
        user_id = vault.alias(actor_of(user.user_id, "")).hex()
        return UserContext(
            user_id=user_id, session_id=vault.alias(actor_of("", user.session_id)).hex()
        )

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
        for run, desk in ((self._read, self._reading), (self._write, self._writing)):
            if desk:
                await run(desk.close)
        self._writer.shutdown()
        self._reader.shutdown()

    async def _flush(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            groups = [events for events, _ in batch]
            try:
                written, last = await self._write(lambda g=groups: _opened(self._writing).append(g))
            except Exception as error:
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            self._advance(last)  # before anybody is told
            for (_, future), stored in zip(batch, written, strict=True):
                if not future.done():  # its caller may have gone away; the events are written
                    future.set_result(stored)

    async def _advance_to(self, desk: Desk) -> None:
        self.log_id, last = await self._write(desk.place)
        self._advance(last)

    def _advance(self, sequence: int) -> None:
        if sequence > self.last_sequence:
            self.last_sequence = sequence
            arrived, self._arrival = self._arrival, asyncio.Event()
            arrived.set()

    async def _read(self, function: Callable[[], _T]) -> _T:
        return await _run(self._reader, function)

    async def _write(self, function: Callable[[], _T]) -> _T:
        return await _run(self._writer, function)


def age_seconds(event: UserEvent, now: float | None = None) -> float:
    """Returns how long ago an event happened, at least 0."""
    return max(0.0, (time.time() if now is None else now) - event_seconds(event))


async def _run(executor: ThreadPoolExecutor, function: Callable[[], _T]) -> _T:
    try:
        return await asyncio.get_running_loop().run_in_executor(executor, function)
    except sqlite3.Error as error:
        raise UnavailableError(f"the log of events: {error}") from error


def _opened(desk: Desk | None) -> Desk:
    if desk is None:
        raise UnavailableError("the log of events is being opened")
    return desk

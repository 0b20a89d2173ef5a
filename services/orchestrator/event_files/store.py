"""The log of events as sealed SQLite files, that one process works on at a time."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

from services.orchestrator.event_files.desk import Desk, Holding
from services.orchestrator.event_files.sealed_log import Piece, StoredEvent
from services.orchestrator.log_place import LogPlace
from services.orchestrator.purposes import PERSONALISATION, refuses
from services.orchestrator.write_queue import WriteQueue
from shared.errors import UnavailableError
from shared.privacy.actors import actor_of
from shared.privacy.sealing import read_or_make_keys
from wherefore.common.v1.user_event_pb2 import UserEvent
from wherefore.common.v1.user_profile_pb2 import UserContext

_T = TypeVar("_T")
_PAGE: Final = 1_000


class SqliteEventStore:
    """Events in SQLite files in WAL mode, with an fsync before every acknowledgement.

    Writes that arrive while one is under way are committed together, so that the fsync is shared.

    Args:
        path: File of the events; that of their keys lies beside it.
        key_file: Keys that seal those, made on first use; `events.key` beside them where None.
    """

    shared = False
    """See `EventStore.shared`."""
    problem = ""
    """See `EventStore.problem`: each write tells by itself."""

    def __init__(self, path: Path, key_file: Path | None = None) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._key_file = key_file or path.with_suffix(".key")
        self._writer = ThreadPoolExecutor(1, "events-write")
        self._reader = ThreadPoolExecutor(1, "events-read")
        self._writing: Desk | None = None
        self._reading: Desk | None = None
        self._queue = WriteQueue(self._append)
        self.place = LogPlace()
        """See `EventStore.place`."""
        self.log_id = ""
        """See `EventStore.log_id`."""

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
        return await self._queue.put(events)

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
        """See `EventStore.holding`."""
        return await self._read(lambda: _opened(self._reading).holding(user))

    async def of(self, holding: Holding, after: int, limit: int) -> list[StoredEvent]:
        """See `EventStore.of`."""
        return await self._read(lambda: _opened(self._reading).of(holding, after, limit))

    async def erase(self, user: UserContext) -> tuple[Holding, list[StoredEvent]]:
        """See `EventStore.erase`."""
        holding, gone = await self._write(lambda: _opened(self._writing).erase(user, time.time()))
        await self._read(lambda: _opened(self._reading).subjects.forget(holding.subject_ids))
        await self._write(lambda: _opened(self._writing).wipe_traces())
        await self._advance_to(_opened(self._writing))
        return holding, gone

    async def count(self, holding: Holding) -> int:
        """See `EventStore.count`."""
        return await self._read(lambda: _opened(self._reading).log.count(holding.subject_ids))

    async def refused(self, actor: str) -> int:
        """See `EventStore.refused`."""

        def read() -> int:
            subject = _opened(self._reading).subjects.find(actor)
            return subject.refused if subject else 0

        return await self._read(read)

    async def refuse(self, user: UserContext, refused: int) -> tuple[Holding, Mapping[int, int]]:
        """See `EventStore.refuse`."""
        holding, newly = await self._write(lambda: _opened(self._writing).refuse(user, refused))
        await self._read(lambda: _opened(self._reading).subjects.forget(holding.subject_ids))
        await self._advance_to(_opened(self._writing))
        return holding, newly

    async def delete_before(self, at: float, limit: int) -> list[StoredEvent] | None:
        """See `EventStore.delete_before`."""
        return await self._write(lambda: _opened(self._writing).log.delete_before(at, limit))

    async def tidy(self, erased_before: float, *, renew_log: bool) -> None:
        """See `EventStore.tidy`."""
        desk = _opened(self._writing)
        await self._write(lambda: desk.tidy(erased_before, renew_log=renew_log))
        await self._advance_to(desk)

    async def begin_epoch(self, oldest_seconds: float) -> bool:
        """See `EventStore.begin_epoch`."""
        desk = _opened(self._writing)
        begun = await self._write(lambda: desk.begin_epoch(oldest_seconds))
        await self._advance_to(desk)
        return begun

    def alias(self, user: UserContext) -> UserContext:
        """See `EventStore.alias`."""
        vault = _opened(self._writing).vault
        user_id = vault.alias(actor_of(user.user_id, "")).hex()
        return UserContext(
            user_id=user_id, session_id=vault.alias(actor_of("", user.session_id)).hex()
        )

    async def close(self) -> None:
        """See `EventStore.close`."""
        await self._queue.close()
        for run, desk in ((self._read, self._reading), (self._write, self._writing)):
            if desk:
                await run(desk.close)
        self._writer.shutdown()
        self._reader.shutdown()

    async def _append(self, groups: Sequence[Sequence[UserEvent]]) -> list[list[StoredEvent]]:
        written, last = await self._write(lambda: _opened(self._writing).append(groups))
        self.place.advance(last)  # before anybody is told
        return written

    async def _advance_to(self, desk: Desk) -> None:
        self.log_id, last = await self._write(desk.place)
        self.place.advance(last)

    async def _read(self, function: Callable[[], _T]) -> _T:
        return await _run(self._reader, function)

    async def _write(self, function: Callable[[], _T]) -> _T:
        return await _run(self._writer, function)


async def _run(executor: ThreadPoolExecutor, function: Callable[[], _T]) -> _T:
    try:
        return await asyncio.get_running_loop().run_in_executor(executor, function)
    except sqlite3.Error as error:
        raise UnavailableError(f"the log of events: {error}") from error


def _opened(desk: Desk | None) -> Desk:
    if desk is None:
        raise UnavailableError("the log of events is being opened")
    return desk

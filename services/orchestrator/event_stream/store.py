"""The log of events in a Redis stream, that several orchestrators work on at a time."""

import asyncio
import contextvars
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from services.orchestrator.event_files.desk import Holding
from services.orchestrator.event_files.sealed_log import Piece, StoredEvent
from services.orchestrator.event_files.subjects import Subject
from services.orchestrator.event_stream.link import Bytes, RedisLink
from services.orchestrator.event_stream.people import People
from services.orchestrator.event_stream.roster import fields_of, forgotten_among, place_of, text_of
from services.orchestrator.event_stream.session import TRIES, LogSession
from services.orchestrator.event_stream.tail import Tail
from services.orchestrator.event_stream.upkeep import Upkeep
from services.orchestrator.event_stream.wiper import Wiper
from services.orchestrator.log_place import LogPlace
from services.orchestrator.purposes import PERSONALISATION, mask_of, refuses
from services.orchestrator.write_queue import WriteQueue
from shared.errors import UnavailableError
from shared.privacy.actors import actor_of, event_seconds
from wherefore.common.v1.user_event_pb2 import UserEvent
from wherefore.common.v1.user_profile_pb2 import UserContext

_PAGE: Final = 200
_MOST_IN_A_WRITE: Final = 500
"""Events of one script, so that Redis has time for others: about 10 us each."""


class RedisEventStore:
    """`EventStore` in Redis.

    Args:
        url: redis://, rediss:// (TLS) or unix:// with what is needed to log in.
        prefix: Of all keys, which tells logs apart.
        key_file: Keys that seal it; the same for all processes of a log.
        read_seconds: Longest wait for an answer.
        write_seconds: Longest wait for a write.
        copies: Replicas of Redis that must have an event before it is acknowledged.
        require_durable: Whether a Redis that would lose events is refused.
    """

    shared = True
    """See `EventStore.shared`."""

    def __init__(
        self,
        url: str,
        prefix: str,
        key_file: Path,
        *,
        read_seconds: float = 0.25,
        write_seconds: float = 2.0,
        copies: int = 0,
        require_durable: bool = True,
    ) -> None:
        key_file.parent.mkdir(parents=True, exist_ok=True)
        self._link = RedisLink(url, f"{{{prefix}}}", read_seconds, write_seconds)
        self._session = LogSession(self._link, key_file, copies=copies, durable=require_durable)
        self._wiper = Wiper(self._link)
        self._tail = Tail(self._session, self._session.check)
        self._people = People(self._session, self._wiper)
        self._upkeep = Upkeep(self._session, self._wiper)
        self._queue = WriteQueue(self._append, _MOST_IN_A_WRITE)
        self._working: list[asyncio.Task[None]] = []

    @property
    def place(self) -> LogPlace:
        """See `EventStore.place`; of other processes' events a moment later."""
        return self._session.place

    @property
    def log_id(self) -> str:
        """See `EventStore.log_id`."""
        return self._session.log_id

    @property
    def problem(self) -> str:
        """See `EventStore.problem`."""
        return self._tail.problem

    async def open(self) -> None:
        """See `EventStore.open`."""
        await self._session.open()
        await self._upkeep.seal_anew()
        if not self._working:
            # A context of their own: the deadline of a first request is not theirs.
            self._working = [
                asyncio.create_task(work, name=name, context=contextvars.Context())
                for name, work in (
                    ("events-tail", self._tail.run()),
                    ("events-wipe", self._wiper.run()),
                )
            ]

    async def append(self, events: Sequence[UserEvent]) -> list[StoredEvent]:
        """See `EventStore.append`."""
        if self._tail.problem:
            raise UnavailableError(self._tail.problem)
        return await self._queue.put(events)

    async def recent(self, actor: str, limit: int) -> list[UserEvent]:
        """See `EventStore.recent`."""
        session = self._session
        answer = await session.read("recent", lambda: (session.vault.alias(actor), limit))
        found: list[StoredEvent] = session.opened(answer[1], answer[2])
        newest = [each.event for each in found if not refuses(each.refused, PERSONALISATION)]
        return sorted(newest, key=lambda e: (event_seconds(e), e.id), reverse=True)

    async def since(self, at: float) -> AsyncIterator[StoredEvent]:
        """See `EventStore.since`. Holds 200 in memory at a time."""
        last = b""
        while True:
            place = at, last
            answer = await self._session.read("since", lambda p=place: (repr(p[0]), p[1], _PAGE))
            _, entries, subjects, following, score = answer
            for stored in self._session.opened(entries, subjects):
                # Where the last one that was read is gone by now, those of its time come again.
                again = last and b"%016d" % stored.sequence <= last
                if not (again and event_seconds(stored.event) <= at):
                    yield stored
            if following is None:
                return
            at, last = float(score), following

    async def after(self, sequence: int, limit: int) -> Piece:
        """See `EventStore.after`."""
        _, place, entries, subjects = await self._session.read("after", lambda: (sequence, limit))
        forgotten = forgotten_among(entries)
        self._session.roster.forget_aliases(
            self._session.vault, (each.alias for each in forgotten if not each.purposes)
        )
        return Piece(self._session.opened(entries, subjects), forgotten, place)

    async def holding(self, user: UserContext) -> Holding:
        """See `EventStore.holding`."""
        return await self._people.holding(user)

    async def of(self, holding: Holding, after: int, limit: int) -> list[StoredEvent]:
        """See `EventStore.of`."""
        return await self._people.of(holding, after, limit)

    async def erase(self, user: UserContext) -> tuple[Holding, list[StoredEvent]]:
        """See `EventStore.erase`. The file of Redis is written anew right after."""
        return await self._people.erase(user)

    async def count(self, holding: Holding) -> int:
        """See `EventStore.count`."""
        return await self._people.count(holding)

    async def refused(self, actor: str) -> int:
        """See `EventStore.refused`."""
        return await self._people.refused(actor)

    async def refuse(self, user: UserContext, refused: int) -> tuple[Holding, Mapping[int, int]]:
        """See `EventStore.refuse`."""
        return await self._people.refuse(user, refused)

    async def delete_before(self, at: float, limit: int) -> list[StoredEvent] | None:
        """See `EventStore.delete_before`."""
        return await self._upkeep.delete_before(at, limit)

    async def tidy(self, erased_before: float, *, renew_log: bool) -> None:
        """See `EventStore.tidy`."""
        await self._upkeep.tidy(erased_before, renew_log=renew_log)

    async def begin_epoch(self, oldest_seconds: float) -> bool:
        """See `EventStore.begin_epoch`."""
        return await self._upkeep.begin_epoch(oldest_seconds)

    def alias(self, user: UserContext) -> UserContext:
        """See `EventStore.alias`."""
        vault = self._session.vault
        return UserContext(
            user_id=vault.alias(actor_of(user.user_id, "")).hex(),
            session_id=vault.alias(actor_of("", user.session_id)).hex(),
        )

    async def close(self) -> None:
        """See `EventStore.close`."""
        await self._queue.close()
        for task in self._working:
            task.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)
        self._working.clear()
        await self._link.close()

    async def _append(self, groups: Sequence[Sequence[UserEvent]]) -> list[list[StoredEvent]]:
        events = [event for group in groups for event in group]
        for _ in range(TRIES):
            written = await self._written(events)
            if written is not None:
                each = iter(written)
                return [[next(each) for _ in group] for group in groups]
        raise UnavailableError("the users of these events are erased all the time")

    async def _written(self, events: Sequence[UserEvent]) -> list[StoredEvent] | None:
        """Writes events; returns None where one of their users was erased meanwhile.

        Likewise where the log has become another one.
        """
        session = self._session
        log_id = session.log_id
        latest: dict[str, float] = {}
        for event in events:
            actor = actor_of(event.user_id, event.session_id)
            latest[actor] = max(latest.get(actor, 0.0), event_seconds(event))
        subjects = await session.subjects(latest)
        kept = [e for e in events if actor_of(e.user_id, e.session_id) in subjects]
        late = [StoredEvent(event, duplicate=False, erased=True) for event in events]
        if not kept:
            return late
        rows = [self._row(event, subjects) for event in kept]
        arguments = (int(session.copies > 0), *(part for row in rows for part in row))
        answer = await session.acknowledge("append", log_id, arguments)
        if answer[0] != b"ok":
            session.roster.forget(map(int, answer[1:]))
            return None
        _, last, results, known = answer
        session.place.advance(last)  # before anybody is told
        entries = [result[2] for result in results if result[0] == b"known"]
        before = {e.sequence: e.event for e in session.opened(entries, known)}
        stored = iter(
            self._stored(event, row, result, before)
            for event, row, result in zip(kept, rows, results, strict=True)
        )
        return [
            next(stored) if actor_of(e.user_id, e.session_id) in subjects else late[i]
            for i, e in enumerate(events)
        ]

    def _row(self, event: UserEvent, subjects: Mapping[str, Subject]) -> tuple[Bytes, ...]:
        vault = self._session.vault
        actor = actor_of(event.user_id, event.session_id)
        digest = vault.event_digest(event.id)
        payload = subjects[actor].key.seal(event.SerializeToString(), digest)
        at = repr(event_seconds(event))
        return digest, subjects[actor].id, at, payload, vault.erased_digest(actor)

    @staticmethod
    def _stored(
        event: UserEvent,
        row: tuple[Bytes, ...],
        result: Sequence[Any],
        before: Mapping[int, UserEvent],
    ) -> StoredEvent:
        if result[0] == b"late":
            return StoredEvent(event, duplicate=False, erased=True)
        refused = int(result[1]) | mask_of(event.refused_purposes)
        if result[0] == b"new":
            return StoredEvent(event, False, refused, result[2])
        place = place_of(result[2])
        # No text is sealed twice alike: this very write was done before its answer got lost.
        if text_of(fields_of(result[2]))[1] == row[3]:
            return StoredEvent(event, False, refused, place)
        return StoredEvent(before.get(place, event), True, refused)
